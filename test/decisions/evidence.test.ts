import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { coverage, currentStreak, hasEvidence } from '../../decisions/index.ts';
import { call, looks, observation, traffic } from './builders.ts';
import { garbage } from './garbage.ts';

describe('currentStreak', () => {
  test.each<[string, 'pass' | 'fail' | null, number]>([
    ['', null, 0],
    ['uu', null, 0],
    ['p', 'pass', 1],
    ['f', 'fail', 1],
    ['fpp', 'pass', 2],
    ['ppfff', 'fail', 3],
    ['fffp', 'pass', 1],
    ['pff', 'fail', 2],
    ['fuf', 'fail', 2],
    ['ffu', 'fail', 2],
    ['fpuup', 'pass', 2],
    ['ufu', 'fail', 1],
  ])('%j ends with %s, %d long', (letters, health, length) => {
    expect(currentStreak(looks(letters))).toEqual({ health, length });
  });

  test('of observations in order of `at`, duplicates once', () => {
    expect(currentStreak([...looks('pff').reverse(), ...looks('pff')])).toEqual({ health: 'fail', length: 2 });
  });

  test('recovered: failThreshold passes in a row, and a broken probe between them is no matter', () => {
    expect(currentStreak(looks('fffppup'))).toEqual({ health: 'pass', length: 3 });
  });
});

describe('coverage', () => {
  test('counts looks, missed ones, unknown ones without traffic, and traffic', () => {
    const seen = [
      ...looks('pfu'),
      { ...traffic(2, 10, 1e6), health: 'unknown' as const },
      traffic(0.5, 1.5, 2e6),
      observation({ at: 3e6, health: 'unknown', errors5xx: 5 }),
    ];
    expect(coverage([...seen, ...seen], 4)).toEqual({ made: 6, missed: 4, unknown: 2, requests: 11.5, errors5xx: 2.5 });
  });

  test('of nothing', () => {
    expect(coverage([], 0)).toEqual({ made: 0, missed: 0, unknown: 0, requests: 0, errors5xx: 0 });
  });

  test.each<[unknown, number]>([
    [3, 3],
    [0.5, 0.5],
    [0, 0],
    [-1, 0],
    [Number.NaN, 0],
    [Number.POSITIVE_INFINITY, 0],
    ['3', 0],
    [null, 0],
    [3n, 0],
  ])('missed ticks that are no count are none (%#)', (missed, expected) => {
    expect(call(coverage, [], missed)).toMatchObject({ missed: expected });
  });
});

describe('no evidence is not health', () => {
  const seen = (made: number, missed: number, unknown: number) => ({
    made,
    missed,
    unknown,
    requests: 0,
    errors5xx: 0,
  });

  test.each<[string, number, number, number, boolean]>([
    ['everything seen', 30, 0, 0, true],
    ['W1: 8 of 30 missed', 22, 8, 0, true],
    ['exactly half missed', 15, 15, 0, true],
    ['more than half missed', 14, 16, 0, false],
    ['exactly half unknown', 30, 0, 15, true],
    ['more than half unknown', 30, 0, 16, false],
    ['missed and unknown together: half', 20, 10, 5, true],
    ['missed and unknown together: more', 20, 10, 6, false],
    ['half of an odd number', 3, 0, 2, false],
    ['one of one', 1, 0, 0, true],
    ['W13: all unknown', 30, 0, 30, false],
    ['an outage longer than the window', 0, 30, 0, false],
    ['W3: nothing was due yet', 0, 0, 0, false],
  ])('%s', (_, made, missed, unknown, expected) => {
    expect(hasEvidence(seen(made, missed, unknown))).toBe(expected);
  });

  test('W4: four unknowns in a row at the start are no evidence', () => {
    expect(hasEvidence(coverage(looks('uuuu'), 0))).toBe(false);
    expect(hasEvidence(coverage(looks('uuuupppp'), 0))).toBe(true);
  });

  test('requests that all fail are no evidence of health, however few they are', () => {
    const failing = Array.from({ length: 8 }, (_, tick) => traffic(1, 1, tick));
    expect(hasEvidence(coverage(failing, 0))).toBe(false);
    expect(hasEvidence(coverage([...failing.slice(0, 3), ...looks('ppppp')], 0))).toBe(true);
    const unwell = failing.map((look) => ({ ...look, health: 'fail' as const }));
    expect(hasEvidence(coverage(unwell, 0))).toBe(true); // of degradation
  });

  test('a broken health probe with traffic is evidence', () => {
    const look = { ...traffic(0, 5), health: 'unknown' as const };
    expect(hasEvidence(coverage([look], 0))).toBe(true);
  });
});

test('never throw, are total and deterministic, over anything at all', () => {
  fc.assert(
    fc.property(garbage, garbage, (makeList, makeMissed) => {
      const [list, missed] = [makeList(), makeMissed()];
      const counts = call(coverage, list, missed);
      expect(counts).toEqual({
        made: expect.any(Number),
        missed: expect.any(Number),
        unknown: expect.any(Number),
        requests: expect.any(Number),
        errors5xx: expect.any(Number),
      });
      expect(call(coverage, list, missed)).toEqual(counts);
      expect(typeof call(hasEvidence, list)).toBe('boolean');
      expect(typeof call(hasEvidence, counts)).toBe('boolean');
      const streak = call(currentStreak, list);
      expect(streak).toEqual({ health: expect.toBeOneOf(['pass', 'fail', null]), length: expect.any(Number) });
      expect(call(currentStreak, list)).toEqual(streak);
    }),
    { numRuns: 1_000 },
  );
});
