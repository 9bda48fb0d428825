import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ActionRecord } from '../../activities/window-report.ts';
import { classify, type WindowPolicy } from '../../decisions/index.ts';
import * as messages from '../../workflows/window-messages.ts';
import type { Look, MonitorInput, WindowState } from '../../workflows/window-state.ts';
import * as win from '../../workflows/window-state.ts';
import * as view from '../../workflows/window-view.ts';
import { fail, pass, policy, unknown } from './item.ts';

const OPENED = 1_700_000_000_000;
const OPS = { by: 'oncall', reason: 'seen enough' };

const input = (change: Partial<WindowPolicy> = {}): MonitorInput => ({
  repo: 'shop',
  workItem: 'ORCH-1',
  version: 'v2',
  requestedBy: 'ci',
  selfHosting: false,
  policy: policy(change),
  rollback: null,
  guarded: true,
  settleMs: 60_000,
});

const opened = (change: Partial<WindowPolicy> = {}): WindowState => win.open(input(change), OPENED, 2);

/** Takes looks when they are due, each late by so much. */
function watched(looks: readonly Look[], change: Partial<WindowPolicy> = {}, lateMs = 0): WindowState {
  let state = opened(change);
  for (const look of looks) {
    const dueAt = win.lookAt(state, policy(change));
    if (dueAt === null) return state;
    state = win.recordLook(state, policy(change), dueAt, { ...look, at: dueAt + lateMs });
  }
  return state;
}

const seconds = ({ window }: WindowState) => window.ticks.map(({ at }) => (at - OPENED) / 1_000);

const rolledBack = (state: WindowState, ok: boolean, at: number, change: Partial<WindowPolicy> = {}) =>
  win.rollbackFinished(win.actionStarted(state, 'ROLLBACK', at), policy(change), { ok, detail: 'd', at });

describe('looks', () => {
  test('at each whole interval, up to the end', () => {
    const state = watched(Array.from({ length: 20 }, () => pass()));
    expect(seconds(state)).toEqual([30, 60, 90, 120, 150, 180, 210, 240, 270, 300]);
    expect(win.lookAt(state, policy())).toBeNull();
    expect(win.wakeAt(state, policy())).toBe(OPENED + 300_000);
  });

  /** Takes looks, one after the other, each of which takes so long. */
  function busy(tookMs: number, change: Partial<WindowPolicy>): WindowState {
    let state = opened(change);
    let now = OPENED;
    for (;;) {
      const dueAt = win.lookAt(state, policy(change));
      if (dueAt === null) return win.ranOut(state, policy(change), Math.max(now, state.window.endsAt));
      now = Math.max(now, dueAt);
      state = win.recordLook(state, policy(change), dueAt, { ...pass(), at: now, ms: tookMs });
      now += tookMs + 5; // the workflow's own time
      if (state.ending !== null) return state;
    }
  }

  test.each([
    [900, 8, 0],
    [1_100, 8, 0], // each look is late by 0.1 s more
    [2_100, 4, 4],
    [2_995, 3, 5],
  ])('ticks that pass while a look of %i ms runs are skipped, not missed', (tookMs, made, skipped) => {
    const change = { windowMs: 8_000, intervalMs: 1_000, confirmMs: 1_000 };
    const state = busy(tookMs, change);
    expect(view.report(state, input(change))).toMatchObject({
      outcome: 'healthy',
      coverage: { made, missed: 0 },
      skippedTicks: skipped,
      plannedTicks: 8,
    });
  });

  test('ticks after a slow look at which no worker ran are missed all the same', () => {
    const change = { windowMs: 8_000, intervalMs: 1_000, confirmMs: 1_000 };
    let state = win.recordLook(opened(change), policy(change), OPENED + 1_000, { ...pass(), ms: 2_100 });
    state = win.recordLook(state, policy(change), OPENED + 2_000, { ...pass(), at: OPENED + 6_500 });
    expect(state.window).toMatchObject({ skipped: 2, missed: 2 });
    state = win.ranOut(state, policy(change), OPENED + 8_000);
    expect(state.window).toMatchObject({ skipped: 2, missed: 4 });
  });

  test('lateness never accumulates', () => {
    expect(
      seconds(
        watched(
          Array.from({ length: 4 }, () => pass()),
          {},
          2_000,
        ),
      ),
    ).toEqual([32, 62, 92, 122]);
  });

  test('at the confirm interval while a streak of failures stands, and on the grid again once it is broken', () => {
    expect(seconds(watched([pass(), fail(), unknown(), fail(), pass(), pass()], { failThreshold: 9 }))).toEqual([
      30, 60, 65, 70, 75, 90,
    ]);
  });

  test('a look that confirms carries the number of the tick before it', () => {
    const { window } = watched([fail(), fail()]);
    expect(window.ticks).toMatchObject([{ tick: 1 }, { tick: 1, confirming: true }]);
    expect(window.ticks[0]).not.toHaveProperty('confirming');
  });

  test('the same detail is kept once', () => {
    const { window } = watched([fail('a'), fail('a'), fail('b'), fail('b'), fail('a')], { failThreshold: 9 });
    expect(window.ticks.map(({ detail }) => detail)).toEqual(['a', undefined, 'b', undefined, 'a']);
  });

  test('a look by a clock that is behind counts at the moment at which it was due', () => {
    const state = win.recordLook(opened(), policy(), OPENED + 30_000, { ...pass(), at: 5 });
    expect(seconds(state)).toEqual([30]);
  });

  test('ticks that nobody took are missed', () => {
    const state = win.recordLook(opened(), policy(), OPENED + 30_000, { ...pass(), at: OPENED + 125_000 });
    expect(state.window).toMatchObject({ missed: 3, ticks: [{ tick: 4 }] });
  });

  test('a look that is an interval past the last tick does not count: the window has run its time', () => {
    const late = win.recordLook(opened(), policy(), OPENED + 30_000, { ...fail(), at: OPENED + 330_000 });
    expect(late).toMatchObject({ ending: { kind: 'ran_out' }, window: { ticks: [], missed: 10 } });
    const last = win.recordLook(opened(), policy(), OPENED + 30_000, { ...pass(), at: OPENED + 329_999 });
    expect(last.window).toMatchObject({ ticks: [{ tick: 10 }], missed: 9 });
  });

  test('none while it is ended; while a rollback runs they go on, but not past the end', () => {
    expect(win.wakeAt(messages.cancelled(opened(), 'cancel', OPS, OPENED), policy())).toBeNull();
    const acting = win.actionStarted(watched([fail(), fail(), fail()]), 'ROLLBACK', OPENED);
    expect(win.lookAt(acting, policy())).not.toBeNull();
    const over = win.actionStarted(watched(Array.from({ length: 10 }, () => pass())), 'ROLLBACK', OPENED);
    expect(win.wakeAt(over, policy())).toBeNull();
    expect(win.isOpen(messages.cancelled(over, 'cancel', OPS, OPENED))).toBe(true);
  });
});

describe('the verdict', () => {
  test('is made in the look that proves it, and sticks', () => {
    const state = watched([pass(20, 10), pass(1_000), pass(1_000)], { failThreshold: 9 });
    expect(state.degraded).toMatchObject({ at: OPENED + 30_000, tick: 1 });
    expect(win.assess(state, policy()).verdict).toBe('HEALTHY');
  });

  test('a task that is found cancelled in the same look ends the window before it (D4)', () => {
    const state = watched([fail(), fail(), { ...fail(), stage: 'cancelled' }]);
    expect(state).toMatchObject({ degraded: null, ending: { kind: 'task_cancelled', by: 'tasks' } });
  });

  test.each([[undefined], [null], ['done'], ['deploy']])('a stage that reads %j ends nothing', (stage) => {
    expect(watched([{ ...pass(), ...(stage === undefined ? {} : { stage }) }]).ending).toBeNull();
  });

  test.each([
    [3, 2, null],
    [3, 3, 'recovered'],
    [1, 1, 'recovered'],
  ])('threshold %i, %i passes after it: %s', (failThreshold, passes, recovered) => {
    const looks = [
      ...Array.from({ length: failThreshold }, () => fail()),
      ...Array.from({ length: passes }, () => pass()),
    ];
    expect(watched(looks, { failThreshold }).recoveredAt === null ? null : 'recovered').toBe(recovered);
  });

  test('passes before it do not count, and an unknown does not break them', () => {
    expect(watched([pass(), pass(), pass(), fail(), fail(), fail()]).recoveredAt).toBeNull();
    expect(watched([fail(), fail(), fail(), pass(), unknown(), pass(), pass()]).recoveredAt).not.toBeNull();
    expect(watched([fail(), fail(), fail(), pass(), pass(), fail(), pass()]).recoveredAt).toBeNull();
  });
});

describe('after a rollback', () => {
  const degraded = watched([fail(), fail(), fail()]);
  const at = OPENED + 41_000;

  test('that worked, it is watched at the confirm interval until it is healthy, and judged by itself', () => {
    let state = rolledBack(degraded, true, at);
    expect(state.afterRollback).toEqual({ openedAt: at, endsAt: at + 60_000, ticks: [], missed: 0 });
    for (let n = 0; n < 3; n += 1) {
      state = win.recordLook(state, policy(), win.lookAt(state, policy()) ?? 0, pass());
    }
    expect(state.afterRollback?.ticks.map((tick) => (tick.at - at) / 1_000)).toEqual([5, 10, 15]);
    expect(state).toMatchObject({ recoveredAt: at + 15_000, ending: { kind: 'ran_out' } });
    expect(state.window.ticks).toHaveLength(3);
  });

  test('that failed, the window goes on', () => {
    const state = rolledBack(degraded, false, at);
    expect(state).toMatchObject({ afterRollback: null, ending: null, action: { ok: false, finishedAt: at } });
    expect(win.lookAt(state, policy())).toBe(OPENED + 45_000);
  });

  test('of which nobody knows, it is watched like one that worked, and has worked where production recovers', () => {
    const end = { ok: false, unknown: true, detail: 'd', at, to: 'v1' } as const;
    const rolling = win.actionStarted(degraded, 'ROLLBACK', at);
    let state = win.rollbackFinished(rolling, policy(), end);
    expect(state).toMatchObject({ rolledBackTo: 'v1', afterRollback: { openedAt: at } });
    expect(win.outcome(win.ranOut(state, policy(), at + 60_000), true)).toBe('rollback_failed');
    for (let n = 0; n < 3; n += 1) {
      state = win.recordLook(state, policy(), win.lookAt(state, policy()) ?? 0, pass());
    }
    expect(win.outcome(state, true)).toBe('degraded_rolled_back');
    expect(win.rollbackFinished(rolling, policy(), end, false).afterRollback).toBeNull();
  });

  test('a second result changes nothing where no action was begun', () => {
    expect(win.rollbackFinished(opened(), policy(), { ok: true, detail: '', at })).toEqual(opened());
  });
});

describe('extension', () => {
  const minute = 60_000;
  test.each<[string, WindowState, number, string | null]>([
    ['within the limit', opened(), 55, null],
    ['beyond it', opened(), 55.001, 'the window may last 60 minutes at the most; extend it by 55 minutes or less'],
    ['absurd', opened(), 1e308, 'the window may last 60 minutes at the most; extend it by 55 minutes or less'],
    [
      'of a window that has ended',
      messages.closedEarly(opened(), OPS, OPENED),
      1,
      'the window has ended already: seen enough',
    ],
    [
      'while it rolls back',
      win.actionStarted(opened(), 'ROLLBACK', OPENED),
      1,
      'the window is rolling back; it closes when production is healthy again',
    ],
    ['after an alert', win.actionStarted(opened(), 'ALERT_ONLY', OPENED), 1, null],
  ])('%s', (_, state, minutes, why) => {
    expect(messages.extendRefusal(state, policy(), minutes)).toBe(why);
  });

  test('to more looks than a window may take is refused', () => {
    const long = { maxWindowMs: 1e12, intervalMs: 1_000, confirmMs: 1_000 };
    expect(messages.extendRefusal(opened(long), policy(long), 45)).toBeNull();
    expect(messages.extendRefusal(opened(long), policy(long), 45.1)).toBe('the window would take more than 3000 looks');
  });

  test('moves the end by whole milliseconds', () => {
    const state = messages.extended(opened(), { ...OPS, minutes: 1 / 7 }, OPENED);
    expect(state.window.endsAt).toBe(OPENED + 300_000 + Math.ceil(minute / 7));
    expect(state.messages).toMatchObject([
      { name: 'extendWindow', effect: expect.stringContaining('extended by 0.14') },
    ]);
  });

  test('a closed window can only be closed once', () => {
    expect(messages.closeRefusal(opened())).toBeNull();
    expect(messages.closeRefusal(messages.closedEarly(opened(), OPS, OPENED))).toBe(
      'the window has ended already: seen enough',
    );
  });
});

describe('outcome: degraded outranks how the window ended', () => {
  const action = (kind: ActionRecord['kind'], ok: boolean | null): ActionRecord => ({
    kind,
    startedAt: 1,
    finishedAt: 2,
    ok,
    detail: '',
  });
  const endings = ['ran_out', 'cancelled', 'closed_early', 'task_cancelled'] as const;
  const verdict = { at: 1, tick: 1, summary: 's' };
  const ended = (kind: (typeof endings)[number]): WindowState => ({ ...opened(), ending: { kind, at: 1, ...OPS } });

  test.each(endings)('%s', (kind) => {
    const state = ended(kind);
    const undegraded = kind === 'ran_out' ? 'healthy' : kind;
    expect(win.outcome(state, true)).toBe(undegraded);
    expect(win.outcome(state, false)).toBe(kind === 'ran_out' ? 'no_evidence' : kind);
    for (const evidence of [true, false]) {
      expect(win.outcome({ ...state, degraded: verdict }, evidence)).toBe('degraded_alerted');
      expect(win.outcome({ ...state, degraded: verdict, action: action('ALERT_ONLY', true) }, evidence)).toBe(
        'degraded_alerted',
      );
      expect(win.outcome({ ...state, degraded: verdict, action: action('ROLLBACK', true) }, evidence)).toBe(
        'degraded_rolled_back',
      );
      expect(win.outcome({ ...state, degraded: verdict, action: action('ROLLBACK', false) }, evidence)).toBe(
        'rollback_failed',
      );
      expect(win.outcome({ ...state, degraded: verdict, action: action('ROLLBACK', null) }, evidence)).toBe(
        'rollback_failed',
      );
    }
  });

  test('none before it has ended', () => {
    expect(win.outcome(opened(), true)).toBeNull();
    expect(win.outcome({ ...opened(), degraded: verdict }, true)).toBeNull();
  });
});

test('the first ending stands', () => {
  const state = messages.cancelled(
    messages.closedEarly(opened(), OPS, 1),
    'cancelWindow',
    { by: 'late', reason: 'late' },
    2,
  );
  expect(state.ending).toEqual({ kind: 'closed_early', at: 1, ...OPS });
  expect(state.messages.map(({ effect }) => effect)).toEqual([
    'the window was closed',
    'ignored: the window had ended already',
  ]);
});

test('what was carried is taken as it is', () => {
  const carried = watched([pass(), fail()]);
  expect(win.open({ ...input(), carried }, OPENED + 1e9)).toBe(carried);
});

// Anything that can happen to a window, in any order.

type Step = (state: WindowState, at: number) => WindowState;

const step = (windowPolicy: WindowPolicy): fc.Arbitrary<Step> => {
  const look = fc.record({
    health: fc.constantFrom('pass' as const, 'fail' as const, 'unknown' as const),
    requests: fc.nat(40),
    errors5xx: fc.nat(3),
    stage: fc.constantFrom('done', 'done', 'done', 'done', 'done', 'cancelled', null),
    lateMs: fc.constantFrom(0, 0, 0, 1_500, 70_000, 10_000_000),
  });
  const command = fc.record({ by: fc.string(), reason: fc.string() });
  return fc.oneof(
    {
      weight: 8,
      arbitrary: look.map(
        ({ lateMs, ...seen }): Step =>
          (state) => {
            const dueAt = win.lookAt(state, windowPolicy);
            return dueAt === null ? state : win.recordLook(state, windowPolicy, dueAt, { ...seen, at: dueAt + lateMs });
          },
      ),
    },
    command.map(
      (said): Step =>
        (state, at) =>
          messages.cancelled(state, 'cancelWindow', said, at),
    ),
    command.map(
      (said): Step =>
        (state, at) =>
          messages.closeRefusal(state) === null ? messages.closedEarly(state, said, at) : state,
    ),
    fc.tuple(command, fc.double({ min: 0.001, max: 100, noNaN: true })).map(
      ([said, minutes]): Step =>
        (state, at) =>
          messages.extendRefusal(state, windowPolicy, minutes) === null
            ? messages.extended(state, { ...said, minutes }, at)
            : state,
    ),
    fc.string().map(
      (text): Step =>
        (state, at) =>
          win.noted(state, text, at),
    ),
    fc.constantFrom('ALERT_ONLY' as const, 'ROLLBACK' as const).map(
      (kind): Step =>
        (state, at) =>
          state.degraded !== null && state.action === null ? win.actionStarted(state, kind, at) : state,
    ),
    fc.boolean().map(
      (ok): Step =>
        (state, at) =>
          state.action !== null && state.action.finishedAt === null
            ? win.rollbackFinished(state, windowPolicy, { ok, detail: '', at })
            : state,
    ),
    fc.constant<Step>((state) => {
      const wakeAt = win.wakeAt(state, windowPolicy);
      return wakeAt !== null && win.lookAt(state, windowPolicy) === null
        ? win.ranOut(state, windowPolicy, wakeAt)
        : state;
    }),
  );
};

test('messages and looks in any order: nothing throws, revisions grow, what is settled stays, stopped early is never healthy', () => {
  const policies = fc.constantFrom<Partial<WindowPolicy>>(
    {},
    { failThreshold: 1, action: 'rollback' },
    { windowMs: 60_000, confirmMs: 30_000 },
  );
  const runs = policies.chain((change) =>
    fc.tuple(fc.constant(change), fc.array(step(policy(change)), { maxLength: 60 })),
  );
  fc.assert(
    fc.property(runs, ([change, steps]) => {
      const given = input(change);
      let state = win.open(given, OPENED);
      steps.forEach((apply, n) => {
        const before = JSON.stringify(state);
        const next = apply(state, OPENED + n * 1_000);
        expect(JSON.stringify(state)).toBe(before);
        if (next !== state) expect(next.revision).toBeGreaterThan(state.revision);
        if (state.degraded !== null) expect(next.degraded).toEqual(state.degraded);
        if (state.ending !== null) expect(next.ending).toEqual(state.ending);
        expect(next.window.missed).toBeGreaterThanOrEqual(state.window.missed);
        state = next;

        const { policy: windowPolicy } = given;
        const { ticks, endsAt, openedAt } = state.window;
        expect(ticks.every(({ at }, index) => at > (ticks[index - 1]?.at ?? openedAt))).toBe(true);
        expect(Number.isInteger(endsAt) && endsAt - openedAt <= windowPolicy.maxWindowMs).toBe(true);
        const look = win.lookAt(state, windowPolicy);
        if (look !== null) expect(look).toBeGreaterThan(win.lastSeenAt(state));
        if (state.degraded === null && state.ending?.kind !== 'task_cancelled') {
          expect(classify(ticks, windowPolicy).verdict).toBe('HEALTHY');
        }
        const seen = view.report(state, given);
        expect(seen.coverage.made + seen.coverage.missed).toBeLessThanOrEqual(
          seen.plannedTicks + ticks.filter(({ confirming }) => confirming).length,
        );
        const outcome = view.outcome(state);
        if (state.ending !== null && state.ending.kind !== 'ran_out') expect(outcome).not.toBe('healthy');
        if (outcome === 'healthy') expect(state.degraded).toBeNull();
        expect(view.details(state, given)).toContain(`tick ${view.status(state, given).tick} of `);
        view.timerSummary(state, given);
        view.closingWords(seen);
      });
    }),
    { numRuns: 200 },
  );
});
