import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseSince } from '../../client/since.ts';
import { NOON } from './builders.ts';

test.each([
  ['90s', NOON - 90_000],
  ['30min', NOON - 30 * 60_000],
  ['30m', NOON - 30 * 60_000],
  ['1.5 h', NOON - 90 * 60_000],
  ['7d', NOON - 7 * 86_400_000],
  ['2W', NOON - 14 * 86_400_000],
  ['2026-03-14', NOON - 12 * 3_600_000],
  ['2026-03-14T11:30', NOON - 30 * 60_000],
  ['2026-03-14 11:59:30Z', NOON - 30_000],
  ['2026-03-14T12:00+02:00', NOON - 2 * 3_600_000],
])('--since %s', (text, at) => {
  expect(parseSince(text, NOON)).toBe(at);
});

test.each([
  ['', 'must be a duration'],
  ['yesterday', 'got "yesterday"'],
  ['7', 'must be a duration'],
  ['-7d', 'must be a duration'],
  ['7 fortnights', 'must be a duration'],
  ['2026-02-30', 'must be a duration'],
  ['2026-13-01', 'must be a duration'],
  ['2026-03-13T25:00', 'must be a duration'],
  ['14.03.2026', 'must be a duration'],
  ['2026-03-15', 'must be in the past'],
  ['9999999d', 'must be 1970 or later'],
])('--since %j is refused: %s', (text, says) => {
  expect(() => parseSince(text, NOON)).toThrow(says);
});

test('whatever is given is a moment in the past, or refused', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.double({ min: 0 }).map((amount) => `${amount}d`),
      ),
      (text) => {
        try {
          const at = parseSince(text, NOON);
          expect(at >= 0 && at <= NOON).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ kind: 'refused' });
        }
      },
    ),
  );
});
