import { expect, test } from 'vitest';
import { doubledTicks, shownTicks, unaccountedTicks } from '../../demo/scenarios/tick-numbers.ts';

const tick = (number: number, confirming?: boolean) => ({
  tick: number,
  at: number * 1_000 + (confirming === true ? 500 : 0),
  confirming,
});
const ticks = (...numbers: readonly number[]) => numbers.map((number) => tick(number));

test('a number on record twice is doubled, unless the second look confirms a failure', () => {
  expect(doubledTicks(ticks(1, 2, 2))).toEqual([2]);
  expect(doubledTicks([tick(2), tick(2, true)])).toEqual([]);
});

test('the numbers after a rollback begin anew', () => {
  expect(doubledTicks(ticks(1, 2, 3, 1, 2))).toEqual([]);
  expect(doubledTicks(ticks(1, 2, 3, 1, 1))).toEqual([1]);
});

test('every tick up to the last is made or missed', () => {
  expect(unaccountedTicks(ticks(1, 4), 2)).toBe(0);
  expect(unaccountedTicks(ticks(1, 4), 1)).toBe(1);
  expect(unaccountedTicks(ticks(1, 4, 1, 2), 2)).toBe(0);
  expect(unaccountedTicks([], 0)).toBe(0);
});

test('runs are folded, a plus marks a look that confirmed, and the numbers after a rollback begin anew', () => {
  expect(shownTicks(ticks(1, 2, 3, 7))).toBe('1–3, 7');
  expect(shownTicks([tick(2), tick(3), tick(3, true), tick(4)])).toBe('2–3, 3+, 4');
  expect(shownTicks(ticks(8, 9, 1, 2))).toBe('8–9; after the rollback 1–2');
  expect(shownTicks([])).toBe('none');
});
