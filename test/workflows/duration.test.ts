import { expect, test } from 'vitest';
import { duration } from '../../workflows/duration.ts';

test.each([
  [-5_000, '0 s'],
  [45_400, '45 s'],
  [59_700, '1 min'],
  [60_000, '1 min'],
  [719_990, '12 min'],
  [245_000, '4 min 5 s'],
  [7_500_000, '2 h 5 min'],
  [266_400_000, '3 d 2 h'],
])('%d ms are %s', (ms, words) => {
  expect(duration(ms)).toBe(words);
});
