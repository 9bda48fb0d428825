import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Assessment,
  type ClassifyPolicy,
  classify,
  type Observation,
  orderedObservations,
} from '../../decisions/index.ts';
import { call, HEALTHS } from './builders.ts';
import { garbage } from './garbage.ts';

const runs = { numRuns: 500 };

/** Counts in quarters: their sums are exact, so that no order of adding them up matters. */
const quarters = fc.nat(400).map((count) => count / 4);
const healths = fc.constantFrom(...HEALTHS);

const observations: fc.Arbitrary<Observation> = fc
  .record({ at: fc.integer({ min: -3, max: 12 }), health: healths, a: quarters, b: quarters })
  .map(({ at, health, a, b }) => ({ at, health, requests: Math.max(a, b), errors5xx: Math.min(a, b) }));

const windows = fc.array(observations, { maxLength: 14 });

const policies: fc.Arbitrary<ClassifyPolicy> = fc.record({
  failThreshold: fc.integer({ min: 1, max: 6 }),
  errorRatioThreshold: fc.oneof(fc.constantFrom(0, 0.25, 0.5, 0.75, 1), fc.double({ min: 0, max: 1, noNaN: true })),
  minRequests: fc.oneof(fc.integer({ min: 1, max: 400 }), fc.double({ min: 1, max: 400, noNaN: true })),
});

const NEAR = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  -1,
  -0,
  0,
  0.5,
  1,
  1.5,
  null,
  undefined,
  '1',
  'fail',
  2n,
  true,
  {},
  [],
];

/** A value of the contract, or now and then one that is nearly one. */
const nearly = <T>(valid: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 8, arbitrary: valid }, { weight: 1, arbitrary: fc.constantFrom(...NEAR) });

const nearObservations = nearly(
  observations.chain((seen) =>
    fc.record(
      {
        at: nearly(fc.constant(seen.at)),
        health: nearly(fc.constant(seen.health)),
        requests: nearly(fc.constant(seen.requests)),
        errors5xx: nearly(fc.constant(seen.errors5xx)),
      },
      { requiredKeys: ['at', 'health'] },
    ),
  ),
);

const nearPolicies = nearly(
  policies.chain((valid) =>
    fc.record({
      failThreshold: nearly(fc.constant(valid.failThreshold)),
      errorRatioThreshold: nearly(fc.constant(valid.errorRatioThreshold)),
      minRequests: nearly(fc.constant(valid.minRequests)),
    }),
  ),
);

const shuffled = <T>(list: readonly T[]): fc.Arbitrary<T[]> =>
  fc.shuffledSubarray([...list], { minLength: list.length, maxLength: list.length });

test('never throws, is total and deterministic, over anything at all', () => {
  fc.assert(
    fc.property(garbage, garbage, (makeList, makePolicy) => {
      const [list, policy] = [makeList(), makePolicy()];
      const assessment = call(classify, list, policy);
      expect(assessment).toEqual({
        verdict: expect.toBeOneOf(['HEALTHY', 'DEGRADED']),
        trigger: expect.toBeOneOf(['health', 'errors', null]),
        longestFailureStreak: expect.any(Number),
        errorRatio: expect.toSatisfy((ratio) => ratio === null || (ratio >= 0 && ratio <= 1)),
      });
      expect(call(classify, list, policy)).toEqual(assessment);
      expect(call(orderedObservations, list)).toBeInstanceOf(Array);
    }),
    { numRuns: 2_000 },
  );
});

test('DEGRADED iff there is a trigger', () => {
  fc.assert(
    fc.property(windows, policies, (window, policy) => {
      const { verdict, trigger } = classify(window, policy);
      expect(verdict === 'DEGRADED').toBe(trigger !== null);
    }),
    runs,
  );
});

test('permutation and duplication of observations do not matter', () => {
  const cases = fc.array(nearObservations, { maxLength: 12 }).chain((window) =>
    fc.record({
      window: fc.constant(window),
      other: fc.subarray(window).chain((again) => shuffled([...window, ...again])),
    }),
  );
  fc.assert(
    fc.property(cases, nearPolicies, ({ window, other }, policy) => {
      expect(call(classify, other, policy)).toEqual(call(classify, window, policy));
      expect(JSON.stringify(call(orderedObservations, other))).toBe(JSON.stringify(call(orderedObservations, window)));
    }),
    runs,
  );
});

test('permutation does not matter where sums are rounded either', () => {
  const rounded = fc
    .record({ at: fc.nat(5), health: healths, requests: fc.double({ min: 0, max: 1e6, noNaN: true }) })
    .map((seen) => ({ ...seen, errors5xx: seen.requests / 3 }));
  const cases = fc.array(rounded, { maxLength: 12 }).chain((window) => fc.tuple(fc.constant(window), shuffled(window)));
  fc.assert(
    fc.property(cases, policies, ([window, other], policy) => {
      expect(classify(other, policy)).toEqual(classify(window, policy));
    }),
    runs,
  );
});

test('classify looks at ordered observations as at the ones they came from', () => {
  fc.assert(
    fc.property(fc.array(nearObservations), policies, (window, policy) => {
      const ordered = call(orderedObservations, window);
      expect(call(classify, ordered, policy)).toEqual(call(classify, window, policy));
      expect(call(orderedObservations, ordered)).toEqual(ordered);
    }),
    runs,
  );
});

const apart = fc.uniqueArray(observations, { selector: ({ at }) => at, maxLength: 14 });

test('a superset of failures never turns DEGRADED into HEALTHY at the same ratio: passes and unknowns become failures', () => {
  fc.assert(
    fc.property(apart, fc.infiniteStream(fc.boolean()), policies, (window, turns, policy) => {
      const worse = window.map((seen) => (turns.next().value === true ? { ...seen, health: 'fail' as const } : seen));
      const [before, now] = [classify(window, policy), classify(worse, policy)];
      expect(now.errorRatio).toBe(before.errorRatio);
      expect(now.longestFailureStreak).toBeGreaterThanOrEqual(before.longestFailureStreak);
      if (before.verdict === 'DEGRADED') expect(now.verdict).toBe('DEGRADED');
    }),
    runs,
  );
});

test('a superset of failures never turns DEGRADED into HEALTHY at the same ratio: failures are added', () => {
  const added = fc.array(fc.record({ at: fc.integer({ min: -5, max: 15 }) }));
  fc.assert(
    fc.property(windows, added, policies, (window, times, policy) => {
      const failures = times.map(({ at }): Observation => ({ at, health: 'fail', requests: 0, errors5xx: 0 }));
      const [before, now] = [classify(window, policy), classify([...window, ...failures], policy)];
      expect(now.errorRatio).toBe(before.errorRatio);
      if (before.verdict === 'DEGRADED') expect(now.verdict).toBe('DEGRADED');
    }),
    runs,
  );
});

test('DEGRADED by health stays so, whatever is seen afterwards', () => {
  fc.assert(
    fc.property(windows, windows, policies, (window, later, policy) => {
      fc.pre(classify(window, policy).trigger === 'health');
      const after = later.map((seen) => ({ ...seen, at: seen.at + 100 }));
      expect(classify([...window, ...after], policy).trigger).toBe('health');
      const passes = after.map((seen): Observation => ({ ...seen, health: 'pass', requests: 0, errors5xx: 0 }));
      expect(classify([...window, ...passes], policy)).toEqual(classify(window, policy));
    }),
    { numRuns: 300 },
  );
});

test('fewer failures in a row are asked for, or a lower ratio, or fewer requests: DEGRADED stays DEGRADED', () => {
  fc.assert(
    fc.property(windows, policies, policies, (window, a, b) => {
      const stricter = {
        failThreshold: Math.min(a.failThreshold, b.failThreshold),
        errorRatioThreshold: Math.min(a.errorRatioThreshold, b.errorRatioThreshold),
        minRequests: Math.min(a.minRequests, b.minRequests),
      };
      if (classify(window, a).verdict === 'DEGRADED') expect(classify(window, stricter).verdict).toBe('DEGRADED');
    }),
    runs,
  );
});

/**
 * The words of the design again, in another shape: moments and letters instead of a fold over a sorted list. Knows
 * nothing of hostile objects.
 */
function oracle(given: unknown, policy: unknown): Assessment {
  const own = (value: unknown, key: string): unknown =>
    value !== null && typeof value === 'object' ? Object.entries(value).find(([name]) => name === key)?.[1] : undefined;
  const finite = (value: unknown): number | null =>
    typeof value === 'number' && Number.isFinite(value) ? value : null;

  // What is no observation at all (null, no finite `at`) is dropped. Exact duplicates count once.
  const distinct = new Map<string, { at: number; letter: string; requests: number; errors: number }>();
  for (const raw of Array.isArray(given) ? given : []) {
    const at = finite(own(raw, 'at'));
    if (at === null) continue;
    // A bad health value is `unknown`.
    const health = own(raw, 'health');
    const letter = health === 'pass' ? 'P' : health === 'fail' ? 'X' : 'U'; // in the order of the alphabet: P, U, X
    // Bad counts (not finite, negative, more errors than requests) void that observation's counts.
    let requests = finite(own(raw, 'requests'));
    let errors = finite(own(raw, 'errors5xx'));
    if (requests === null || errors === null || requests < 0 || errors < 0 || errors > requests) requests = errors = 0;
    const look = { at: at + 0, letter, requests: requests + 0, errors: errors + 0 };
    distinct.set(JSON.stringify(look), look);
  }
  const counted = [...distinct.values()];

  // In order of `at`; different ones with the same `at` all count, ordered pass, unknown, fail.
  const moments = [...new Set(counted.map(({ at }) => at))].sort((a, b) => a - b);
  const story = moments
    .map((moment) =>
      counted
        .filter(({ at }) => at === moment)
        .map(({ letter }) => letter)
        .sort()
        .join(''),
    )
    .join('');
  // Unknown neither counts as a failure nor ends a streak; a streak counts wherever it stood.
  const streak = Math.max(
    ...story
      .replaceAll('U', '')
      .split('P')
      .map((failures) => failures.length),
  );

  const sum = (part: 'requests' | 'errors') => counted.reduce((total, look) => total + look[part], 0);
  const asked = own(policy, 'minRequests');
  const enough = typeof asked === 'number' && asked >= 1 && sum('requests') >= asked;
  const errorRatio = enough ? sum('errors') / sum('requests') : null;

  const threshold = own(policy, 'errorRatioThreshold');
  const within = typeof threshold === 'number' && threshold >= 0 && threshold <= 1;
  const rules: [boolean, 'health' | 'errors'][] = [
    [Number.isInteger(own(policy, 'failThreshold')) && failures(streak, own(policy, 'failThreshold')), 'health'],
    [within && errorRatio !== null && errorRatio > threshold, 'errors'],
  ];
  const trigger = rules.find(([holds]) => holds)?.[1] ?? null;
  return { verdict: trigger ? 'DEGRADED' : 'HEALTHY', trigger, longestFailureStreak: streak, errorRatio };
}

const failures = (streak: number, asked: unknown): boolean =>
  typeof asked === 'number' && asked >= 1 && streak >= asked;

test('the oracle agrees on valid input', () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(windows, policies, (window, policy) => {
      const assessment = classify(window, policy);
      expect(assessment).toEqual(oracle(window, policy));
      seen.set(String(assessment.trigger), (seen.get(String(assessment.trigger)) ?? 0) + 1);
    }),
    { numRuns: 3_000 },
  );
  for (const trigger of ['health', 'errors', 'null']) expect(seen.get(trigger) ?? 0).toBeGreaterThan(100);
});

test('the oracle agrees on nearly valid input', () => {
  fc.assert(
    fc.property(nearly(fc.array(nearObservations, { maxLength: 14 })), nearPolicies, (window, policy) => {
      expect(call(classify, window, policy)).toEqual(oracle(window, policy));
    }),
    { numRuns: 5_000 },
  );
});
