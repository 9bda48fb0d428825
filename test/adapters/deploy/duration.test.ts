import { expect, test } from 'vitest';
import { duration } from '../../../adapters/deploy/duration.ts';

test.each([
  [0, '0 ms'],
  [250, '250 ms'],
  [1_000, '1 s'],
  [1_500, '1.5 s'],
  [60_000, '1 min'],
  [90_000, '90 s'],
  [150_000, '2.5 min'],
  [900_000, '15 min'],
  [3_600_000, '1 h'],
  [3_660_000, '61 min'],
  [9_000_000, '2.5 h'],
])('%i ms reads %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});
