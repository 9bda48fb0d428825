import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applies, normaliseRepo, type Scope, sameRepo } from '../../decisions/index.ts';
import { call } from './builders.ts';
import { garbage } from './garbage.ts';

const OWN = 'acme/orchestrator';
const SHOP = 'acme/shop';
const scope = (named: Partial<Scope> = {}): Scope => ({ enabled: true, repos: [], selfHostingRepo: OWN, ...named });

describe('applies: switch x list x repository', () => {
  test.each<[boolean, readonly string[], string, boolean]>([
    [true, [], OWN, true],
    [true, [], SHOP, false],
    [true, [SHOP], SHOP, true],
    [true, [SHOP], OWN, false],
    [true, [OWN], OWN, true],
    [true, [OWN], SHOP, false],
    [true, [SHOP, OWN], OWN, true],
    [true, [SHOP, OWN], SHOP, true],
    [true, [SHOP, OWN], 'acme/else', false],
    [true, ['acme/else', SHOP], SHOP, true],
    [true, [''], OWN, true],
    [true, ['', '  '], SHOP, false],
    [true, ['', SHOP], OWN, false],
    [true, ['', SHOP], SHOP, true],
    [false, [], OWN, false],
    [false, [], SHOP, false],
    [false, [SHOP], SHOP, false],
    [false, [OWN], OWN, false],
    [false, [SHOP, OWN], OWN, false],
  ])('enabled %s, list %j, %s: %s', (enabled, repos, repo, expected) => {
    expect(applies(scope({ enabled, repos }), repo)).toBe(expected);
  });

  test.each(['acme/shop', ' acme/shop', 'ACME/Shop ', '\tAcme/SHOP\n'])(
    'names are compared trimmed and case-folded: %j',
    (spelling) => {
      expect(applies(scope({ repos: [SHOP] }), spelling)).toBe(true);
      expect(applies(scope({ repos: [spelling] }), SHOP)).toBe(true);
      expect(applies(scope({ selfHostingRepo: spelling }), SHOP)).toBe(true);
      expect(applies(scope({ selfHostingRepo: SHOP }), spelling)).toBe(true);
    },
  );

  test.each(['shop', 'acme/sho', 'acme/shops', 'acme /shop', 'acme'])(
    'a part of a name is another name: %j',
    (repo) => {
      expect(applies(scope({ repos: [SHOP] }), repo)).toBe(false);
    },
  );

  test.each(['', '  ', '\n'])('no name is no repository: %j', (repo) => {
    expect(applies(scope({ repos: [''], selfHostingRepo: '' }), repo)).toBe(false);
    expect(applies(scope({ repos: ['', SHOP], selfHostingRepo: '' }), repo)).toBe(false);
  });

  test.each([undefined, null, 1, 'true', 'on', {}])('anything but true is off (%#)', (enabled) => {
    expect(call(applies, { ...scope(), enabled }, OWN)).toBe(false);
  });

  test.each([undefined, null, 5, SHOP, { 0: SHOP, length: 1 }, [null, 5]])(
    'a list that names no repository is empty (%#)',
    (repos) => {
      expect(call(applies, { ...scope(), repos }, OWN)).toBe(true);
      expect(call(applies, { ...scope(), repos }, SHOP)).toBe(false);
    },
  );

  test.each([null, undefined, 5, 'scope', []])('a scope that cannot be read is off (%#)', (odd) => {
    expect(call(applies, odd, OWN)).toBe(false);
  });
});

describe('names of repositories', () => {
  test.each<[unknown, string]>([
    ['Acme/Shop', 'acme/shop'],
    ['  acme/SHOP\n', 'acme/shop'],
    ['', ''],
    [null, ''],
    [undefined, ''],
    [5, ''],
    [['acme/shop'], ''],
    [new String('acme/shop'), ''],
  ])('normaliseRepo %#', (repo, expected) => {
    expect(normaliseRepo(repo)).toBe(expected);
  });

  test.each<[unknown, unknown, boolean]>([
    [SHOP, SHOP, true],
    [SHOP, ' ACME/shop ', true],
    [SHOP, OWN, false],
    ['', '', false],
    [' ', '', false],
    [null, null, false],
    [SHOP, null, false],
    [null, SHOP, false],
  ])('sameRepo(%j, %j) is %s', (a, b, expected) => {
    expect(sameRepo(a, b)).toBe(expected);
  });
});

describe('properties over anything at all', () => {
  test('applies never throws, is total and deterministic', () => {
    fc.assert(
      fc.property(garbage, garbage, (makeScope, makeRepo) => {
        const args = [makeScope(), makeRepo()];
        const answer = call(applies, ...args);
        expect(typeof answer).toBe('boolean');
        expect(call(applies, ...args)).toBe(answer);
      }),
      { numRuns: 1_000 },
    );
  });

  test('normaliseRepo and sameRepo never throw; sameRepo is symmetric', () => {
    fc.assert(
      fc.property(garbage, garbage, (makeA, makeB) => {
        const [a, b] = [makeA(), makeB()];
        expect(typeof normaliseRepo(a)).toBe('string');
        expect(sameRepo(a, b)).toBe(sameRepo(b, a));
        expect(sameRepo(a, a)).toBe(normaliseRepo(a) !== '');
      }),
      { numRuns: 500 },
    );
  });

  test('what cannot be read in a list hides none of its other names', () => {
    fc.assert(
      fc.property(fc.array(garbage), fc.array(garbage), (before, after) => {
        const repos = [...before.map((make) => make()), ' Acme/Shop', ...after.map((make) => make())];
        expect(call(applies, { ...scope(), repos }, SHOP)).toBe(true);
      }),
    );
  });
});
