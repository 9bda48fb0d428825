import { expect, test } from 'vitest';
import { doubledTicks, lostTicks, shownTicks, unaccountedTicks } from '../../demo/scenarios/tick-numbers.ts';

const tick = (number: number, confirming?: boolean) => ({
  tick: number,
  at: number * 1_000 + (confirming === true ? 500 : 0),
  health: 'pass',
  confirming,
});
const record = (numbers: readonly ReturnType<typeof tick>[], missed = 0) => ({
  ticks: [...numbers],
  ticksAfterRollback: [],
  coverage: { made: numbers.length, missed, unknown: 0, requests: 0 },
});

test('a tick that was seen and is not on record is lost', () => {
  expect(lostTicks([tick(1), tick(2)], record([tick(1), tick(3)]))).toEqual([2]);
  expect(lostTicks([tick(1)], { ...record([]), ticksAfterRollback: [tick(1)] })).toEqual([]);
});

test('a number on record twice is doubled, unless the second look confirms a failure', () => {
  expect(doubledTicks(record([tick(1), tick(2), tick(2)]))).toEqual([2]);
  expect(doubledTicks(record([tick(2), tick(2, true)]))).toEqual([]);
});

test('every tick up to the last is made or missed', () => {
  expect(unaccountedTicks(record([tick(1), tick(4)], 2))).toBe(0);
  expect(unaccountedTicks(record([tick(1), tick(4)], 1))).toBe(1);
});

test('runs are folded, a plus marks a look that confirmed, and the numbers after a rollback begin anew', () => {
  expect(shownTicks([1, 2, 3, 7].map((number) => tick(number)))).toBe('1–3, 7');
  expect(shownTicks([tick(2), tick(3), tick(3, true), tick(4)])).toBe('2–3, 3+, 4');
  expect(shownTicks([tick(8), tick(9), tick(1), tick(2)])).toBe('8–9; after the rollback 1–2');
  expect(shownTicks([])).toBe('none');
});
