import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  failuresTakeMs,
  type Grid,
  longestStreak,
  lookNow,
  MAX_TICKS,
  missedAtEnd,
  mostTicks,
  nextLookAt,
  plannedTicks,
  tickAt,
} from '../../decisions/index.ts';
import { call } from './builders.ts';
import { garbage } from './garbage.ts';

const S = 1_000;
const OPENED = 1_700_000_000_000;

/** The window of the requirements: 15 minutes, a look each 30 s. Times are seconds after its opening. */
const grid = (seconds = 900, interval = 30): Grid => ({
  openedAt: OPENED,
  endsAt: OPENED + seconds * S,
  intervalMs: interval * S,
});
const at = (seconds: number): number => OPENED + seconds * S;
const looked = (seconds: number, confirm: number | null = null) => ({
  at: at(seconds),
  confirmAfterMs: confirm === null ? null : confirm * S,
});

describe('the grid', () => {
  test.each<[string, number, number, number]>([
    ['15 minutes of 30 s', 900, 30, 30],
    ['a window that is not a multiple of the interval', 100, 30, 3],
    ['one interval', 30, 30, 1],
    ['a window just short of its interval', 29.999, 30, 0],
    ['no window', 0, 30, 0],
    ['a window that ends before it opens', -60, 30, 0],
    ['no interval', 900, 0, 0],
    ['a negative interval', -900, -30, 0],
    ['an endless window', Number.POSITIVE_INFINITY, 30, 0],
    ['not a number', Number.NaN, 30, 0],
  ])('planned ticks of %s', (_, seconds, interval, expected) => {
    expect(plannedTicks(grid(seconds, interval))).toBe(expected);
  });

  test.each<[number, number]>([
    [-30, 0],
    [0, 0],
    [29.999, 0],
    [30, 1],
    [59.999, 1],
    [60, 2],
    [900, 30],
    [930, 31],
    [Number.NaN, 0],
    [Number.POSITIVE_INFINITY, 0],
  ])('the tick at %d s is %d, counting on past the end', (seconds, tick) => {
    expect(tickAt(grid(), at(seconds))).toBe(tick);
  });
});

describe('when to look next', () => {
  test.each<[string, Grid, { at: number; confirmAfterMs: number | null } | null, number | null]>([
    ['the first tick is an interval after the opening', grid(), null, 30],
    ['the tick after one on time', grid(), looked(30), 60],
    ['lateness never accumulates: after a look 7 s late', grid(), looked(37), 60],
    ['lateness never accumulates: after a look 29.999 s late', grid(), looked(59.999), 60],
    ['W1: after an outage no burst, but the next tick of the grid', grid(), looked(247), 270],
    ['the last tick is at the end', grid(), looked(870), 900],
    ['nothing after the last tick', grid(), looked(900), null],
    ['nothing after the end', grid(), looked(1_300), null],
    ['a window that is not a multiple: its last tick', grid(100), looked(60), 90],
    ['a window that is not a multiple: nothing after its last tick', grid(100), looked(90), null],
    ['a window shorter than its interval has no look', grid(20), null, null],
    ['a failure is confirmed before the next tick', grid(), looked(30, 5), 35],
    ['a confirmation falls on no tick', grid(), looked(35, 5), 40],
    ['a tick that comes before the confirmation', grid(), looked(55, 10), 60],
    ['a confirmation at the same moment as a tick', grid(), looked(55, 5), 60],
    ['a confirmation after more than an interval', grid(), looked(30, 45), 60],
    ['a confirmation beyond the last tick, within the window', grid(100), looked(90, 5), 95],
    ['a confirmation at the very end', grid(100), looked(90, 10), 100],
    ['a confirmation beyond the end', grid(100), looked(90, 10.001), null],
    ['a confirmation after nothing is none', grid(), looked(30, 0), 60],
    ['a confirmation in the past is none', grid(), looked(30, -5), 60],
    ['a confirmation that is no number is none', grid(), looked(30, Number.NaN), 60],
    ['an interval of nothing', grid(900, 0), looked(30), null],
    ['a negative interval', grid(900, -30), null, null],
    ['a last look that is no number', grid(), looked(Number.NaN), null],
  ])('%s', (_, window, last, seconds) => {
    expect(nextLookAt(window, last)).toBe(seconds === null ? null : at(seconds));
  });

  test('an extension goes on with the same grid', () => {
    expect(nextLookAt(grid(100), looked(90))).toBe(null);
    expect(nextLookAt(grid(400), looked(90))).toBe(at(120));
    expect(nextLookAt(grid(400), looked(97))).toBe(at(120));
    expect(plannedTicks(grid(400))).toBe(13);
  });
});

describe('what a look stands for', () => {
  test.each<[string, Grid, number | null, number, { tick: number; missed: number } | null]>([
    ['the first, on time', grid(), null, 30, { tick: 1, missed: 0 }],
    ['the second', grid(), 30, 60, { tick: 2, missed: 0 }],
    ['late by less than an interval', grid(), 30, 89.999, { tick: 2, missed: 0 }],
    ['late by an interval: one was missed', grid(), 30, 90, { tick: 3, missed: 1 }],
    ['the first after an outage from the start', grid(), null, 247, { tick: 8, missed: 7 }],
    ['W1: workers down for 4 of 15 minutes', grid(), 120, 365, { tick: 12, missed: 7 }],
    ['a confirmation belongs to its tick', grid(), 30, 35, { tick: 1, missed: 0 }],
    ['before the first tick', grid(), null, 10, { tick: 0, missed: 0 }],
    ['the last, late by less than an interval', grid(), 870, 929.999, { tick: 30, missed: 0 }],
    ['the last is over by an interval', grid(), 870, 930, null],
    ['an outage longer than the window', grid(), 30, 5_000, null],
    ['a window that is not a multiple: at its end', grid(100), 60, 100, { tick: 3, missed: 0 }],
    ['a window that is not a multiple: an interval after its last tick', grid(100), 60, 120, null],
  ])('%s', (_, window, last, now, expected) => {
    expect(lookNow(window, last === null ? null : at(last), at(now))).toEqual(expected);
  });

  test.each<[string, Grid, number | null, number, number]>([
    ['nothing missed', grid(), 900, 900, 0],
    ['nothing missed where the window is no multiple', grid(100), 90, 100, 0],
    ['closed before the first tick', grid(), null, 10, 0],
    ['closed between two ticks', grid(), 30, 45, 0],
    ['closed after an outage', grid(), 30, 125, 3],
    ['an outage to the end', grid(), 90, 900, 27],
    ['an outage to long after the end', grid(), 90, 9_000, 27],
    ['an outage longer than the window', grid(), null, 5_000, 30],
    ['a last look after the end', grid(), 925, 926, 0],
    ['a last look after the moment', grid(), 600, 300, 0],
  ])('missed at the end: %s', (_, window, last, now, expected) => {
    expect(missedAtEnd(window, last === null ? null : at(last), at(now))).toBe(expected);
  });
});

describe('the most looks of a cadence', () => {
  test.each<[string, number, number, number, number]>([
    ['the default: 15 minutes, 30 s, 5 s', 900, 30, 5, 180],
    ['an interval that is no multiple of the confirmation', 900, 30, 25, 60],
    ['a confirmation as long as the interval', 900, 30, 30, 30],
    ['a confirmation longer than the interval', 900, 30, 90, 30],
    ['a window that is no multiple', 100, 30, 10, 9],
    ['no window', 0, 30, 5, 0],
    ['no interval', 900, 0, 5, Number.POSITIVE_INFINITY],
    ['a negative interval', 900, -30, 5, Number.POSITIVE_INFINITY],
    ['no confirmation interval', 900, 30, 0, Number.POSITIVE_INFINITY],
    ['a negative confirmation interval', -900, 30, -5, Number.POSITIVE_INFINITY],
    ['a negative window', -900, 30, 5, Number.POSITIVE_INFINITY],
    ['not a number', Number.NaN, 30, 5, Number.POSITIVE_INFINITY],
    ['an endless window', Number.POSITIVE_INFINITY, 30, 5, Number.POSITIVE_INFINITY],
  ])('%s', (_, window, interval, confirm, expected) => {
    expect(mostTicks({ windowMs: window * S, intervalMs: interval * S, confirmMs: confirm * S })).toBe(expected);
  });

  test('a window has at most 3,000 looks', () => {
    expect(MAX_TICKS).toBe(3_000);
  });
});

describe('a window whose health fails from its first look on', () => {
  const cadence = (window: number, interval: number, confirm: number) => ({
    windowMs: window * S,
    intervalMs: interval * S,
    confirmMs: confirm * S,
  });

  test.each<[string, ReturnType<typeof cadence>, number, number]>([
    ['the default: 30 ticks, and five confirmations after all but the last', cadence(900, 30, 5), 175, 40],
    ['one tick at the end: nothing confirms it', cadence(16, 16, 5), 1, 26],
    ['two ticks that are their own confirmation', cadence(60, 30, 30), 2, 90],
    ['a tick, and what confirms it before the window ends', cadence(20, 15, 2), 3, 19],
    ['an interval that is no multiple of the confirmation', cadence(90, 30, 25), 5, 60],
    ['a confirmation longer than the interval', cadence(90, 30, 45), 3, 90],
    ['a window shorter than its interval', cadence(20, 30, 5), 0, 40],
    ['no interval', cadence(900, 0, 5), 0, Number.POSITIVE_INFINITY],
    ['no confirmation interval', cadence(900, 30, 0), 0, Number.POSITIVE_INFINITY],
    ['not a number', cadence(Number.NaN, 30, 5), 0, 40],
    ['an endless window', cadence(Number.POSITIVE_INFINITY, 30, 5), 0, 40],
  ])('%s', (_, given, looks, thirdAfterSeconds) => {
    expect(longestStreak(given)).toBe(looks);
    expect(failuresTakeMs(given, 3) / S).toBe(thirdAfterSeconds);
  });

  test('no number of failures takes for ever', () => {
    for (const failures of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(failuresTakeMs(cadence(900, 30, 5), failures)).toBe(Number.POSITIVE_INFINITY);
  });

  test('property: it takes the looks that the window takes, when the window takes them', () => {
    const numbers = fc.integer({ min: 1, max: 5_000 });
    fc.assert(
      fc.property(numbers, fc.integer({ min: 1, max: 60 }), numbers, numbers, (intervalMs, ticks, confirmMs, more) => {
        const given = { windowMs: intervalMs * Math.min(ticks, 20) + (more % intervalMs), intervalMs, confirmMs };
        fc.pre(mostTicks(given) + 1 <= 200);
        const { made } = run({ openedAt: 0, endsAt: given.windowMs, intervalMs }, confirmMs, failing());
        expect(longestStreak(given)).toBe(made.length);
        expect(made.map((_, index) => failuresTakeMs(given, index + 1))).toEqual(made.map(({ at }) => at));
        expect(failuresTakeMs(given, made.length + 1)).toBeGreaterThan(given.windowMs);
      }),
    );
  });
});

const grids = fc
  .record({
    openedAt: fc.integer({ min: 0, max: 2 ** 42 }),
    intervalMs: fc.integer({ min: 1, max: 100_000 }),
    ticks: fc.double({ min: 0, max: 40, noNaN: true }),
  })
  .map(
    ({ openedAt, intervalMs, ticks }): Grid => ({
      openedAt,
      intervalMs,
      endsAt: openedAt + Math.floor(ticks * intervalMs),
    }),
  );

const gridPoints = ({ openedAt, endsAt, intervalMs }: Grid): number[] => {
  const points: number[] = [];
  for (let point = openedAt + intervalMs; point <= endsAt; point += intervalMs) points.push(point);
  return points;
};

interface Look {
  readonly at: number;
  readonly tick: number;
  readonly missed: number;
}

/** A whole window as the workflow runs it: each look late by `lateness`, failing where `fails`. */
function run(window: Grid, confirmMs: number, looks: Iterator<{ lateMs: number; fails: boolean }>) {
  const made: Look[] = [];
  let last: { at: number; confirmAfterMs: number | null } | null = null;
  for (;;) {
    const due = nextLookAt(window, last);
    if (due === null) break;
    const { lateMs, fails } = looks.next().value ?? { lateMs: 0, fails: false };
    const now: number = due + lateMs;
    const stands = lookNow(window, last?.at ?? null, now);
    if (stands === null) return { made, missedLast: missedAtEnd(window, last?.at ?? null, now) };
    made.push({ at: now, ...stands });
    last = { at: now, confirmAfterMs: fails ? confirmMs : null };
  }
  return { made, missedLast: missedAtEnd(window, last?.at ?? null, Math.max(window.endsAt, last?.at ?? 0)) };
}

describe('properties of whole windows', () => {
  test('the ticks of a grid are its points, counted', () => {
    fc.assert(
      fc.property(grids, (window) => {
        expect(plannedTicks(window)).toBe(gridPoints(window).length);
      }),
    );
  });

  test('the next look is strictly after the last, within the window, and the first that is due', () => {
    fc.assert(
      fc.property(
        grids,
        fc.option(fc.integer({ min: 0, max: 5_000_000 })),
        fc.option(fc.integer({ min: 1, max: 200_000 })),
        (window, sinceOpening, confirmAfterMs) => {
          const last = sinceOpening === null ? null : { at: window.openedAt + sinceOpening, confirmAfterMs };
          const from = last?.at ?? window.openedAt;
          const confirm = last?.confirmAfterMs == null ? [] : [from + last.confirmAfterMs];
          const due = [...gridPoints(window), ...confirm].filter((point) => point > from && point <= window.endsAt);
          expect(nextLookAt(window, last)).toBe(due.length === 0 ? null : Math.min(...due));
        },
      ),
    );
  });

  test('where each look is on time every point of the grid is hit, and nothing else without a failure', () => {
    fc.assert(
      fc.property(grids, (window) => {
        const { made, missedLast } = run(window, 1, [][Symbol.iterator]());
        expect(made.map((look) => look.at)).toEqual(gridPoints(window));
        expect(made.map((look) => look.tick)).toEqual(made.map((_, index) => index + 1));
        expect(made.every((look) => look.missed === 0)).toBe(true);
        expect(missedLast).toBe(0);
      }),
    );
  });

  const confirms = fc.integer({ min: 5_000, max: 200_000 });

  test('where each look is on time every point of the grid is hit, whatever fails, and no tick is missed', () => {
    fc.assert(
      fc.property(grids, confirms, fc.infiniteStream(fc.boolean()), (window, confirmMs, fails) => {
        const { made, missedLast } = run(
          window,
          confirmMs,
          fails.map((failed) => ({ lateMs: 0, fails: failed })),
        );
        const moments = made.map((look) => look.at);
        for (const point of gridPoints(window)) expect(moments).toContain(point);
        expect(made.every((look) => look.missed === 0)).toBe(true);
        expect(missedLast).toBe(0);
      }),
    );
  });

  test('W1: every tick is either looked at or missed, exactly once, however late the looks are', () => {
    const late = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1_000 }), fc.integer({ min: 0, max: 900_000 }));
    const stream = fc.infiniteStream(fc.record({ lateMs: late, fails: fc.boolean() }));
    fc.assert(
      fc.property(grids, confirms, stream, (window, confirmMs, looks) => {
        const { made, missedLast } = run(window, confirmMs, looks);
        const ticks = new Set(made.map((look) => look.tick));
        const missed = made.reduce((sum, look) => sum + look.missed, missedLast);
        expect(ticks.size + missed).toBe(plannedTicks(window));
        expect(made.every((look, index) => look.at > (made[index - 1]?.at ?? window.openedAt))).toBe(true);
        expect(made.length).toBeLessThanOrEqual(mostTicks({ ...cadence(window), confirmMs }));
      }),
      { numRuns: 300 },
    );
  });

  test('the most looks are what a window that fails throughout takes, to less than an interval', () => {
    fc.assert(
      fc.property(grids, confirms, (window, confirmMs) => {
        const { made } = run(window, confirmMs, failing());
        const most = mostTicks({ ...cadence(window), confirmMs });
        expect(made.length).toBeLessThanOrEqual(most);
        expect(made.length).toBeGreaterThan(most - Math.ceil(window.intervalMs / confirmMs));
      }),
    );
  });

  test('an extension changes no look that was due before it', () => {
    fc.assert(
      fc.property(grids, fc.nat(1_000_000), fc.nat(2_000_000), (window, since, moreMs) => {
        const last = { at: window.openedAt + since, confirmAfterMs: null };
        const due = nextLookAt(window, last);
        fc.pre(due !== null);
        expect(nextLookAt({ ...window, endsAt: window.endsAt + moreMs }, last)).toBe(due);
      }),
    );
  });
});

const cadence = ({ openedAt, endsAt, intervalMs }: Grid) => ({ windowMs: endsAt - openedAt, intervalMs });

function* failing(): Generator<{ lateMs: number; fails: boolean }> {
  for (;;) yield { lateMs: 0, fails: true };
}

describe('properties over anything at all', () => {
  const twice = (decision: (...args: never[]) => unknown, ...args: unknown[]): unknown => {
    const first = call(decision, ...args);
    expect(call(decision, ...args)).toEqual(first);
    return first;
  };
  const isCount = (value: unknown): boolean => typeof value === 'number' && Number.isInteger(value) && value >= 0;

  test('never throw, are total and deterministic', () => {
    fc.assert(
      fc.property(garbage, garbage, garbage, (makeGrid, makeLast, makeNow) => {
        const [window, last, now] = [makeGrid(), makeLast(), makeNow()];
        expect(twice(plannedTicks, window)).toSatisfy(isCount);
        expect(twice(tickAt, window, now)).toSatisfy(isCount);
        expect(twice(missedAtEnd, window, last, now)).toSatisfy(isCount);
        expect(twice(mostTicks, window)).toSatisfy((most) => typeof most === 'number' && most >= 0);
        expect(twice(nextLookAt, window, last)).toSatisfy((next) => next === null || typeof next === 'number');
        expect(twice(lookNow, window, last, now)).toSatisfy((look) => look === null || typeof look === 'object');
      }),
      { numRuns: 1_000 },
    );
  });

  test('a next look, where there is one, is after the last and within the window, for any numbers', () => {
    const numbers = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -0, 0.1, 1e-9, 1e308));
    fc.assert(
      fc.property(
        numbers,
        numbers,
        numbers,
        numbers,
        numbers,
        (openedAt, endsAt, intervalMs, lastAt, confirmAfterMs) => {
          const next = nextLookAt({ openedAt, endsAt, intervalMs }, { at: lastAt, confirmAfterMs });
          if (next === null) return;
          expect(next).toBeGreaterThan(lastAt);
          expect(next).toBeLessThanOrEqual(endsAt);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
