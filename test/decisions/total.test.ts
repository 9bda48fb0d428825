import fc from 'fast-check';
import { expect, test } from 'vitest';
import { field, items, numberIn } from '../../decisions/total.ts';
import { garbage } from './garbage.ts';

test.each<[unknown, unknown]>([
  [{ at: 5 }, 5],
  [Object.create({ at: 6 }), 6],
  [[1], Array.prototype.at],
  ['text', String.prototype.at],
  [null, undefined],
  [undefined, undefined],
  [5, undefined],
  [{}, undefined],
])('field: the field of anything, undefined where there is none (%#)', (value, expected) => {
  expect(field(value, 'at')).toBe(expected);
});

test('field: undefined where reading it fails', () => {
  const { proxy, revoke } = Proxy.revocable({ at: 5 }, {});
  expect(field(proxy, 'at')).toBe(5);
  revoke();
  expect(field(proxy, 'at')).toBe(undefined);
});

test.each<[unknown, number]>([
  [0, 0],
  [-1.5, -1.5],
  [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  ['5', Number.NaN],
  [5n, Number.NaN],
  [null, Number.NaN],
  [true, Number.NaN],
  [new Number(5), Number.NaN],
])('numberIn: numbers only (%#)', (at, expected) => {
  expect(numberIn({ at }, 'at')).toBe(expected);
});

test('items: of a list only', () => {
  expect(items([1, 'b', null])).toEqual([1, 'b', null]);
  expect(items(Array.from({ length: 120 }, (_, index) => index))).toEqual(
    Array.from({ length: 120 }, (_, index) => index),
  );
  for (const none of [null, undefined, 5, 'ab', { 0: 'a', length: 1 }, new Set([1]), { length: -1 }])
    expect(items(none)).toEqual([]);
});

test('items: holes and named properties are none, and an endless list is not walked through', () => {
  const odd = Object.assign([1], { named: 'a', x1: 'b', '1x': 'c', length: 2 ** 32 - 1 });
  odd[7] = 2;
  expect(items(odd)).toEqual([1, 2]);
});

test('items: one that cannot be read spoils no other', () => {
  const list = Object.defineProperty([1, 2, 3], '1', {
    get: () => {
      throw new Error('hostile');
    },
    enumerable: true,
  });
  expect(items(list)).toEqual([1, undefined, 3]);
});

test('items: none where the list itself cannot be read', () => {
  const { proxy, revoke } = Proxy.revocable([1], {});
  expect(items(proxy)).toEqual([1]);
  revoke();
  expect(items(proxy)).toEqual([]);
});

test('never throw, over anything at all', () => {
  fc.assert(
    fc.property(garbage, fc.string(), (make, key) => {
      const value = make();
      field(value, key);
      expect(typeof numberIn(value, key)).toBe('number');
      expect(items(value)).toBeInstanceOf(Array);
    }),
    { numRuns: 1_000 },
  );
});
