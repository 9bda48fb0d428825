import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hasRecovered, type Observation, recoveryIsUnknown } from '../../decisions/index.ts';
import { call, looks, observation, policy, traffic } from './builders.ts';
import { garbage } from './garbage.ts';

/** `seen('p0/10 f p1/10')`: health and failed requests of requests, a tick apart. */
const seen = (text: string): Observation[] =>
  text.split(' ').map((look, index) => {
    const [, letter = 'u', errors = '0', requests = '0'] = /^([pfu])(?:(\d+)\/(\d+))?$/.exec(look) ?? [];
    const [{ health } = { health: 'unknown' as const }] = looks(letter);
    return observation({ at: index * 30_000, health, requests: Number(requests), errors5xx: Number(errors) });
  });

describe('from what health proved', () => {
  test.each<[string, boolean]>([
    ['p p', false],
    ['p p p', true],
    ['p f p p', false],
    ['p f p p p', true],
    ['p u p u p', true],
    ['u u u', false],
    ['p0/10 p p', true],
    ['p p10/10 p p', false], // requests that fail are bad, whatever health says
    ['p p10/10 p p p', true],
  ])('%s: %s', (text, recovered) => {
    expect(hasRecovered(seen(text), policy(), 'health')).toBe(recovered);
  });
});

describe('from what failed requests proved', () => {
  test.each<[string, boolean]>([
    ['p p p p p', false], // health says nothing about the requests
    ['p0/10 p0/10', false],
    ['p0/10 p0/10 p0/10', true],
    ['p0/5 p0/5 p0/5', false], // fewer than minRequests
    ['p0/5 p0/5 p0/5 p0/5', true],
    ['p0/10 p p0/10 p p0/10', true],
    ['u0/10 u0/10 u0/10', true],
    ['p0/20 p2/20 p0/20 p0/20', false], // 10 % exceeds the threshold
    ['p0/20 p1/20 p0/20', true], // 5 % does not
    ['p0/20 f0/20 p0/20 p0/20', false],
  ])('%s: %s', (text, recovered) => {
    expect(hasRecovered(seen(text), policy(), 'errors')).toBe(recovered);
  });
});

describe('nobody knows', () => {
  test.each<[string, 'health' | 'errors', boolean]>([
    ['p p p p', 'errors', true], // no traffic
    ['p0/5 p0/5 p0/5', 'errors', true], // fewer than minRequests
    ['u u u', 'health', true],
    ['p p', 'health', true],
    ['p0/10 p0/10 p0/10', 'errors', false], // it has recovered
    ['p p p', 'health', false],
    ['p f p', 'health', false],
    ['p0/5 p5/5 p0/5', 'errors', false],
    ['f p p', 'errors', false],
  ])('%s (%s): %s', (text, trigger, expected) => {
    expect(recoveryIsUnknown(seen(text), policy(), trigger)).toBe(expected);
  });

  test('where nothing was seen', () => {
    expect(recoveryIsUnknown([], policy(), 'health')).toBe(true);
  });
});

test('a policy that makes no sense never recovers', () => {
  const well = seen('p0/50 p0/50 p0/50 p0/50');
  expect(hasRecovered(well, policy({ failThreshold: 0 }), 'health')).toBe(false);
  expect(hasRecovered(well, policy({ failThreshold: Number.NaN }), 'health')).toBe(false);
  expect(hasRecovered(well, policy({ minRequests: Number.NaN }), 'errors')).toBe(false);
});

test('the order of the observations is no matter', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('p', 'f', 'u', 'p0/10', 'p3/10'), { minLength: 1 }), (words) => {
      const all = seen(words.join(' '));
      for (const trigger of ['health', 'errors'] as const) {
        expect(hasRecovered(all.toReversed(), policy(), trigger)).toBe(hasRecovered(all, policy(), trigger));
      }
    }),
  );
});

test('it never throws, whatever it is given', () => {
  fc.assert(
    fc.property(garbage, garbage, garbage, (list, by, trigger) => {
      expect(typeof call(hasRecovered, list(), by(), trigger())).toBe('boolean');
    }),
    { numRuns: 1_000 },
  );
  expect(hasRecovered([traffic(0, 50)], policy({ failThreshold: 1 }), 'errors')).toBe(true);
});
