import { describe, expect, test } from 'vitest';
import { classify, orderedObservations } from '../../decisions/index.ts';
import { call, looks, observation, policy, traffic } from './builders.ts';

const HEALTHY = { verdict: 'HEALTHY', trigger: null };
const BY_HEALTH = { verdict: 'DEGRADED', trigger: 'health' };
const BY_ERRORS = { verdict: 'DEGRADED', trigger: 'errors' };

describe('the health rule', () => {
  test.each<[string, number, object]>([
    ['', 0, HEALTHY],
    ['ppp', 0, HEALTHY],
    ['ff', 2, HEALTHY],
    ['fff', 3, BY_HEALTH],
    ['ffff', 4, BY_HEALTH],
    ['ffpff', 2, HEALTHY],
    ['fpfpfpfpf', 1, HEALTHY],
    ['pppfff', 3, BY_HEALTH],
    ['fffppp', 3, BY_HEALTH],
    ['pfffppppppp', 3, BY_HEALTH],
    ['fffpf', 3, BY_HEALTH],
    ['fpfffpff', 3, BY_HEALTH],
    ['ufuuffu', 3, BY_HEALTH],
    ['ffuf', 3, BY_HEALTH],
    ['ffu', 2, HEALTHY],
    ['uuuuuu', 0, HEALTHY],
    ['ffupf', 2, HEALTHY],
  ])('at least failThreshold (3) consecutive failures: %j has a streak of %d', (letters, streak, expected) => {
    expect(classify(looks(letters), policy())).toEqual({ ...expected, longestFailureStreak: streak, errorRatio: null });
  });

  test('failThreshold 1: the first failure proves it', () => {
    expect(classify(looks('pf'), policy({ failThreshold: 1 }))).toMatchObject(BY_HEALTH);
    expect(classify(looks('pu'), policy({ failThreshold: 1 }))).toMatchObject(HEALTHY);
  });

  test('a streak counts wherever in the window it stood', () => {
    for (const letters of ['fffpppp', 'ppfffpp', 'ppppfff', 'pufuffp'])
      expect(classify(looks(letters), policy())).toMatchObject(BY_HEALTH);
  });

  test('unknown neither counts as a failure nor ends a streak', () => {
    expect(classify(looks('fufuf'), policy())).toMatchObject({ ...BY_HEALTH, longestFailureStreak: 3 });
    expect(classify(looks('fufu'), policy())).toMatchObject({ ...HEALTHY, longestFailureStreak: 2 });
  });

  test('a bad health value is unknown', () => {
    for (const health of ['FAIL', 'fail ', '', null, undefined, 0, true, new String('fail'), ['fail']]) {
      const odd = { ...observation({ at: 1 }), health };
      expect(call(classify, [odd], policy({ failThreshold: 1 }))).toMatchObject(HEALTHY);
      const between = [observation({ at: 0, health: 'fail' }), odd, observation({ at: 2, health: 'fail' })];
      expect(call(classify, between, policy({ failThreshold: 2 }))).toMatchObject(BY_HEALTH);
    }
  });

  test('W2: the same tick twice in the history does not double the streak, nor lose it', () => {
    const [first, second] = looks('ff');
    expect(call(classify, [first, first, second, second], policy())).toMatchObject({ longestFailureStreak: 2 });
    expect(classify([...looks('fff'), ...looks('fff')], policy())).toMatchObject({ longestFailureStreak: 3 });
  });

  test('W6: DEGRADED is proved in the tick that makes the streak, not in the next', () => {
    const verdicts = [...'pffufp'].map((_, made) => classify(looks('pffufp'.slice(0, made + 1)), policy()).verdict);
    expect(verdicts).toEqual(['HEALTHY', 'HEALTHY', 'HEALTHY', 'HEALTHY', 'DEGRADED', 'DEGRADED']);
  });

  test('W12: 120 ticks, and 3,000, all count', () => {
    expect(classify(looks(`fff${'p'.repeat(117)}`), policy())).toMatchObject(BY_HEALTH);
    expect(classify(looks(`fff${'p'.repeat(2_997)}`), policy())).toMatchObject(BY_HEALTH);
    expect(classify(looks('f'.repeat(3_000)), policy({ failThreshold: 3_000 }))).toMatchObject(BY_HEALTH);
  });

  test('W13: no requests and all unknown is no degradation', () => {
    expect(classify(looks('u'.repeat(30)), policy())).toEqual({
      ...HEALTHY,
      longestFailureStreak: 0,
      errorRatio: null,
    });
  });
});

describe('the error rule', () => {
  test.each<[string, number, number, number, object]>([
    ['greater than the threshold', 6, 100, 0.05, BY_ERRORS],
    ['equal to it, not greater', 5, 100, 0.05, HEALTHY],
    ['less', 4, 100, 0.05, HEALTHY],
    ['threshold 0: no error', 0, 100, 0, HEALTHY],
    ['threshold 0: any error', 1, 100, 0, BY_ERRORS],
    ['threshold 1 is never exceeded', 100, 100, 1, HEALTHY],
    ['all errors', 100, 100, 0.999, BY_ERRORS],
  ])('%s: %d of %d against %d', (_, errors, requests, errorRatioThreshold, expected) => {
    expect(classify([traffic(errors, requests)], policy({ errorRatioThreshold }))).toEqual({
      ...expected,
      longestFailureStreak: 0,
      errorRatio: errors / requests,
    });
  });

  test.each([
    [15, 22],
    [13, 23],
    [29, 100],
    [57, 100],
    [58, 100],
  ])('the ratio is compared as a quotient: %d of %d is not greater than itself', (errors, requests) => {
    const errorRatioThreshold = errors / requests;
    expect(errorRatioThreshold * requests).toBeLessThan(errors); // compared as a product it would be greater
    expect(classify([traffic(errors, requests)], policy({ errorRatioThreshold }))).toMatchObject(HEALTHY);
  });

  test('the ratio is of the sums, over all observations of the window', () => {
    const window = [traffic(0, 90, 1), traffic(8, 10, 2)];
    expect(classify(window, policy({ errorRatioThreshold: 0.07 }))).toMatchObject({ ...BY_ERRORS, errorRatio: 0.08 });
    expect(classify(window, policy({ errorRatioThreshold: 0.08 }))).toMatchObject({ ...HEALTHY, errorRatio: 0.08 });
  });

  test.each<[number, number, number | null]>([
    [19, 20, null],
    [20, 20, 1],
    [21, 20, 1],
    [19.5, 20, null],
    [0, 1, null],
    [1, 1, 1],
  ])('%d requests with minRequests %d', (requests, minRequests, errorRatio) => {
    expect(classify([traffic(requests, requests)], policy({ minRequests }))).toEqual({
      verdict: errorRatio === null ? 'HEALTHY' : 'DEGRADED',
      trigger: errorRatio === null ? null : 'errors',
      longestFailureStreak: 0,
      errorRatio,
    });
  });

  test('minRequests is reached in sum', () => {
    expect(classify([traffic(10, 10, 1), traffic(9, 9, 2)], policy())).toMatchObject({ errorRatio: null });
    expect(classify([traffic(10, 10, 1), traffic(10, 10, 2)], policy())).toMatchObject(BY_ERRORS);
  });

  test('one 5xx in the first request after a restart rolls nothing back', () => {
    expect(classify([traffic(1, 1)], policy())).toEqual({ ...HEALTHY, longestFailureStreak: 0, errorRatio: null });
  });

  test('counts may be fractions', () => {
    expect(classify([traffic(0.75, 10.5, 1), traffic(0.5, 9.5, 2)], policy())).toMatchObject({
      ...BY_ERRORS,
      errorRatio: 0.0625,
    });
  });

  test('traffic counts whatever the health of its look', () => {
    for (const health of ['pass', 'unknown', 'fail'] as const)
      expect(classify([{ ...traffic(10, 20), health }], policy())).toMatchObject({ errorRatio: 0.5 });
  });

  test.each<[string, unknown, unknown]>([
    ['requests not finite', Number.POSITIVE_INFINITY, 30],
    ['both not finite', Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    ['requests not a number', Number.NaN, 0],
    ['errors not a number', 30, Number.NaN],
    ['errors negative', 30, -1],
    ['requests negative', -30, -40],
    ['requests negative, no errors', -30, 0],
    ['more errors than requests', 30, 30.5],
    ['requests a string', '30', 30],
    ['errors a string', 30, '30'],
    ['bigints', 30n, 30n],
    ['missing', undefined, undefined],
    ['errors null', 30, null],
  ])('bad counts void that observation’s counts, its health still stands: %s', (_, requests, errors5xx) => {
    const bad = (at: number) => ({ at, health: 'fail', requests, errors5xx });
    const good = traffic(1, 100, 9);
    expect(call(classify, [bad(1), bad(2), good], policy())).toEqual({
      ...HEALTHY,
      longestFailureStreak: 2,
      errorRatio: 0.01,
    });
    expect(call(classify, [bad(1), bad(2), bad(3), good], policy())).toMatchObject(BY_HEALTH);
  });

  test('a sum beyond all numbers is no ratio', () => {
    const much = Number.MAX_VALUE;
    expect(classify([traffic(much, much, 1), traffic(0, much, 2)], policy())).toMatchObject({ errorRatio: null });
    expect(classify([traffic(much, much, 1), traffic(much, much, 2)], policy())).toMatchObject({ errorRatio: null });
    expect(classify([traffic(much, much)], policy())).toMatchObject({ ...BY_ERRORS, errorRatio: 1 });
  });
});

describe('both rules', () => {
  test('where both hold, the trigger is health', () => {
    expect(classify([...looks('fff'), traffic(50, 100, 1e6)], policy())).toEqual({
      ...BY_HEALTH,
      longestFailureStreak: 3,
      errorRatio: 0.5,
    });
  });

  test('each holds without the other', () => {
    expect(classify([...looks('ff'), traffic(50, 100, 1e6)], policy())).toMatchObject(BY_ERRORS);
    expect(classify([...looks('fff'), traffic(5, 100, 1e6)], policy())).toMatchObject(BY_HEALTH);
  });
});

describe('each bad policy value voids only its rule', () => {
  const bothHold = [...looks('fff'), traffic(50, 100, 1e6)];
  const BAD = [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    null,
    undefined,
    'x',
    '3',
    '0.01',
    true,
    1n,
    {},
    [3],
  ];

  test.each([...BAD, 0, -1, 1.5, 2.999])('failThreshold (%#): the error rule still holds', (failThreshold) => {
    expect(call(classify, bothHold, { ...policy(), failThreshold })).toEqual({
      ...BY_ERRORS,
      longestFailureStreak: 3,
      errorRatio: 0.5,
    });
    expect(call(classify, looks('fff'), { ...policy(), failThreshold })).toMatchObject(HEALTHY);
    expect(call(classify, [], { ...policy(), failThreshold })).toMatchObject(HEALTHY);
  });

  test.each([...BAD, -0.01, -1, 1.01, 5])(
    'errorRatioThreshold (%#): the health rule still holds',
    (errorRatioThreshold) => {
      expect(call(classify, bothHold, { ...policy(), errorRatioThreshold })).toMatchObject(BY_HEALTH);
      expect(call(classify, [traffic(100, 100)], { ...policy(), errorRatioThreshold })).toMatchObject({
        ...HEALTHY,
        errorRatio: 1,
      });
      expect(call(classify, [traffic(0, 100)], { ...policy(), errorRatioThreshold })).toMatchObject(HEALTHY);
    },
  );

  test.each([...BAD, 0, -0, -1, 0.999])('minRequests (%#): the health rule still holds', (minRequests) => {
    expect(call(classify, bothHold, { ...policy(), minRequests })).toEqual({
      ...BY_HEALTH,
      longestFailureStreak: 3,
      errorRatio: null,
    });
    expect(call(classify, [traffic(50, 100)], { ...policy(), minRequests })).toMatchObject(HEALTHY);
  });

  test('the edges are good values', () => {
    expect(classify(looks('f'), policy({ failThreshold: 1 }))).toMatchObject(BY_HEALTH);
    expect(classify([traffic(1, 1)], policy({ minRequests: 1, errorRatioThreshold: 0 }))).toMatchObject(BY_ERRORS);
    expect(classify([traffic(2, 2)], policy({ minRequests: 1.5, errorRatioThreshold: -0 }))).toMatchObject(BY_ERRORS);
  });

  test.each([null, undefined, 5, 'policy', []])('no policy at all: HEALTHY (%#)', (none) => {
    expect(call(classify, bothHold, none)).toEqual({ ...HEALTHY, longestFailureStreak: 3, errorRatio: null });
  });
});

describe('what the rules are given', () => {
  test.each([null, undefined, 5, 'fff', {}, { 0: looks('f'), length: 1 }, new Set(looks('fff'))])(
    'what is no list holds no observations (%#)',
    (none) => {
      expect(call(classify, none, policy({ failThreshold: 1 }))).toEqual({
        ...HEALTHY,
        longestFailureStreak: 0,
        errorRatio: null,
      });
    },
  );

  test('what is no observation at all (null, no finite `at`) is dropped', () => {
    const fail = { health: 'fail', requests: 100, errors5xx: 100 };
    const bad = [null, undefined, 5, 'fail', true, [], {}, fail];
    const badTimes = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, null, '1', 1n, new Date(0)];
    const none = [...bad, ...badTimes.map((at) => ({ ...fail, at }))];
    expect(call(classify, none, policy({ failThreshold: 1 }))).toEqual({
      ...HEALTHY,
      longestFailureStreak: 0,
      errorRatio: null,
    });
    expect(call(orderedObservations, none)).toEqual([]);
    expect(call(classify, [...none, ...looks('fff')], policy())).toMatchObject({
      ...BY_HEALTH,
      longestFailureStreak: 3,
    });
  });

  test('observations are taken in order of `at`', () => {
    const [first, pass, third, fourth] = looks('fpff');
    expect(call(classify, [pass, first, fourth, third], policy())).toMatchObject({ longestFailureStreak: 2 });
    expect(call(classify, [first, third, fourth, pass], policy())).toMatchObject(HEALTHY);
  });

  test('times before the epoch and far apart keep their order', () => {
    const times = [-Number.MAX_VALUE, -1, 0, 0.5, Number.MAX_VALUE];
    const shuffled = [times[3], times[0], times[4], times[2], times[1]].map((at) =>
      observation({ at: at ?? Number.NaN }),
    );
    expect(orderedObservations(shuffled).map(({ at }) => at)).toEqual(times);
  });

  test('exact duplicates count once', () => {
    const fail = observation({ at: 1, health: 'fail', requests: 10, errors5xx: 1 });
    expect(classify([fail, { ...fail }, fail], policy({ minRequests: 1 }))).toEqual({
      ...BY_ERRORS,
      longestFailureStreak: 1,
      errorRatio: 0.1,
    });
    expect(classify([fail, { ...fail }], policy({ minRequests: 11 }))).toMatchObject({ errorRatio: null });
  });

  test('duplicates count once when others of the same moment stand between them', () => {
    const a = observation({ at: 1, health: 'fail', requests: 10, errors5xx: 1 });
    const others = [
      { ...a, errors5xx: 2 },
      { ...a, requests: 11 },
      { ...a, health: 'pass' as const },
    ];
    const twice = [a, ...others, a, ...others];
    expect(orderedObservations(twice)).toEqual([others[2], a, others[0], others[1]]);
  });

  test('different ones with the same `at` all count', () => {
    const [a, b, c] = [1, 2, 3].map((requests) => observation({ at: 1, health: 'fail', requests }));
    expect(call(classify, [a, b, c], policy({ minRequests: 6 }))).toEqual({
      ...BY_HEALTH,
      longestFailureStreak: 3,
      errorRatio: 0,
    });
  });

  test('different ones with the same `at` are ordered pass, unknown, fail', () => {
    const same = (['fail', 'unknown', 'pass'] as const).map((health) => observation({ at: 5, health }));
    expect(orderedObservations(same).map(({ health }) => health)).toEqual(['pass', 'unknown', 'fail']);
    const before = observation({ at: 4, health: 'fail' });
    const after = observation({ at: 6, health: 'fail' });
    expect(classify([before, ...same, after], policy())).toMatchObject({ longestFailureStreak: 2 });
  });

  test('a policy or an observation that throws when it is read is none', () => {
    const hostile = Object.defineProperty({ at: 1, requests: 5, errors5xx: 5 }, 'health', {
      get: () => {
        throw new Error('hostile');
      },
    });
    expect(call(classify, [hostile], policy({ failThreshold: 1, minRequests: 1 }))).toMatchObject(BY_ERRORS);
    expect(call(classify, looks('fff'), hostile)).toMatchObject(HEALTHY);
  });

  test('the input is left as it was', () => {
    const given = Object.freeze(
      looks('fpf')
        .reverse()
        .map((look) => Object.freeze(look)),
    );
    const copy = structuredClone(given);
    classify(given, Object.freeze(policy()));
    expect(given).toEqual(copy);
  });
});
