import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { beginning, bytesOf, firstOf } from '../../workflows/bounded.ts';

/** Units of every kind, also halves of a character, which JSON writes as six bytes. */
const text = fc.string({
  unit: fc.constantFrom('a', '"', '\n', '\u0001', 'é', '語', '🚀', '\ud83d', '\ude80'),
  maxLength: 60,
});

test.each([
  ['a', 3],
  ['é', 4],
  ['語', 5],
  ['🚀', 6],
  ['"', 4],
  ['\ud83d', 8],
  [{ a: null }, 10],
])('bytesOf: %j takes %i', (value, bytes) => {
  expect(bytesOf(value)).toBe(bytes);
  expect(bytesOf(value)).toBe(Buffer.byteLength(JSON.stringify(value)));
});

describe('beginning', () => {
  test.each([
    ['what fits stays as it is', 'was away', 8, 'was away'],
    ['what is longer ends with an ellipsis', 'was away!', 8, 'was a…'],
    ['by bytes, not by characters', '語語語', 8, '語…'],
    ['between characters', 'a🚀🚀', 8, 'a🚀…'],
    ['of as many as there may be', 'x'.repeat(3_000_000), 8, 'xxxxx…'],
  ])('%s', (_, given, mostBytes, expected) => {
    expect(beginning(given, mostBytes)).toBe(expected);
  });

  test('never more bytes than asked for, and the same text where it fits', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 3, max: 80 }), (given, mostBytes) => {
        const short = beginning(given, mostBytes);
        expect(bytesOf(short) - 2).toBeLessThanOrEqual(mostBytes);
        if (bytesOf(given) - 2 <= mostBytes) expect(short).toBe(given);
        else expect(given.startsWith(short.slice(0, -1))).toBe(true);
      }),
    );
  });
});

test('firstOf: as many as fit, in their order', () => {
  fc.assert(
    fc.property(fc.array(text, { maxLength: 9 }), fc.integer({ min: 0, max: 200 }), (all, mostBytes) => {
      const first = firstOf(all, mostBytes);
      expect(first).toEqual(all.slice(0, first.length));
      if (first.length > 0) expect(bytesOf(first)).toBeLessThanOrEqual(mostBytes);
      if (first.length < all.length) expect(bytesOf(all.slice(0, first.length + 1))).toBeGreaterThan(mostBytes);
    }),
  );
});
