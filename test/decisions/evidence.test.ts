import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { coverage, currentStreak, type Doubt, doubtOfHealth, hasEvidence } from '../../decisions/index.ts';
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

  test('where health is looked at, a look without it is unknown, whatever traffic it saw', () => {
    const seen = [
      ...looks('pfu'),
      { ...traffic(0, 10, 1e6), health: 'unknown' as const },
      { ...traffic(2, 2, 2e6), health: 'fail' as const },
      traffic(2, 2, 3e6),
      traffic(1, 2, 4e6),
    ];
    expect(coverage(seen, 0, true)).toMatchObject({ made: 7, unknown: 3, requests: 16, errors5xx: 5 });
    expect(coverage(seen, 0)).toMatchObject({ unknown: 2 });
    const blind = seen.slice(3, 4);
    expect(doubtOfHealth(blind, blind, 0, true)).toBe('too_little_seen');
    expect(doubtOfHealth(blind, blind, 0)).toBeNull();
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

describe('doubtOfHealth', () => {
  const doubt = (letters: string, missed = 0) => doubtOfHealth(looks(letters), looks(letters), missed);

  test.each<[string, number, Doubt | null]>([
    ['pppp', 0, null],
    ['p', 0, null],
    ['pp', 2, null],
    ['pp', 3, 'too_little_seen'],
    ['', 0, 'too_little_seen'],
    ['uuuu', 0, 'too_little_seen'],
    ['uupp', 0, null],
    ['uuup', 0, 'too_little_seen'],
    ['f', 0, 'ended_failing'],
    ['ff', 0, 'ended_failing'],
    ['pppppppf', 0, 'ended_failing'],
    ['ppppppff', 0, 'ended_failing'],
    ['ppppfuuu', 0, 'ended_failing'],
    ['ffppp', 0, null],
    ['fp', 0, null],
    ['ffp', 0, 'too_few_passed'],
    ['ffpffp', 0, 'too_few_passed'],
    ['fupfup', 0, 'too_few_passed'],
    ['fppfpp', 0, null],
    ['ffpp', 1, 'too_few_passed'],
    ['ffpp', 9, 'too_little_seen'],
  ])('looks %j, %d missed: %s', (letters, missed, expected) => {
    expect(doubt(letters, missed)).toBe(expected);
  });

  test('a look at which every request failed has failed, whatever its health', () => {
    for (const health of ['pass', 'unknown'] as const) {
      const look = (at: number, errors5xx: number) => ({ ...traffic(errors5xx, 2, at), health });
      const ofAll = (...errors: number[]) => {
        const seen = errors.map((count, at) => look(at, count));
        return doubtOfHealth(seen, seen, 0);
      };
      expect(ofAll(0, 0, 2)).toBe('ended_failing');
      expect(ofAll(0, 2, 0)).toBeNull();
      expect(ofAll(0, 1, 1)).toBeNull(); // not all of them: that is for the error ratio
      expect(ofAll(2, 2, 0)).toBe('too_little_seen');
    }
  });

  test('good traffic does not end a streak of failed health checks', () => {
    const seen = [...looks('ppf'), { ...traffic(0, 5, 1e6), health: 'unknown' as const }];
    expect(doubtOfHealth(seen, seen, 0)).toBe('ended_failing');
  });

  test('a look that confirms a failure ends the window, but is no tick', () => {
    const onGrid = looks('ppf');
    const confirming = (health: 'pass' | 'fail') => observation({ at: 70_000, health });
    expect(doubtOfHealth([...onGrid, confirming('pass')], onGrid, 0)).toBeNull();
    expect(doubtOfHealth([...onGrid.slice(0, 2), confirming('fail')], onGrid.slice(0, 2), 0)).toBe('ended_failing');
    const passes = Array.from({ length: 9 }, (_, at) => observation({ at: 1e6 + at }));
    expect(doubtOfHealth([...looks('fff'), ...passes], looks('fff'), 0)).toBe('too_few_passed');
  });

  const some = fc.array(
    fc.record({
      at: fc.nat(100),
      health: fc.constantFrom('pass' as const, 'fail' as const, 'unknown' as const),
      requests: fc.nat(2),
      errors5xx: fc.nat(2),
    }),
    { maxLength: 12 },
  );

  test('property: there is never less doubt than without evidence, and none where all looks pass', () => {
    fc.assert(
      fc.property(some, fc.nat(12), (seen, missed) => {
        const found = doubtOfHealth(seen, seen, missed);
        if (!hasEvidence(coverage(seen, missed))) expect(found).not.toBeNull();
        if (found === null) expect(currentStreak(seen).health).not.toBe('fail');
        expect(doubtOfHealth(seen.toReversed(), seen.toReversed(), missed)).toBe(found);
        const well = seen.map(({ at }) => observation({ at }));
        expect(doubtOfHealth(well, well, 0)).toBe(well.length === 0 ? 'too_little_seen' : null);
      }),
    );
  });

  test('property: where every look fails there is doubt', () => {
    fc.assert(
      fc.property(some, (seen) => {
        const sick = seen.map((look) => ({ ...look, health: 'fail' as const }));
        expect(doubtOfHealth(sick, sick, 0)).not.toBeNull();
      }),
    );
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
      expect(call(doubtOfHealth, list, list, missed)).toBeOneOf([
        null,
        'ended_failing',
        'too_little_seen',
        'too_few_passed',
      ]);
      expect(typeof call(hasEvidence, list)).toBe('boolean');
      expect(typeof call(hasEvidence, counts)).toBe('boolean');
      const streak = call(currentStreak, list);
      expect(streak).toEqual({ health: expect.toBeOneOf(['pass', 'fail', null]), length: expect.any(Number) });
      expect(call(currentStreak, list)).toEqual(streak);
    }),
    { numRuns: 1_000 },
  );
});
