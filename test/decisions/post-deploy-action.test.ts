import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decideAction, type PostDeployAction } from '../../decisions/index.ts';
import { call } from './builders.ts';
import { garbage } from './garbage.ts';

test.each<['HEALTHY' | 'DEGRADED', 'alert' | 'rollback', boolean, PostDeployAction]>([
  ['HEALTHY', 'alert', false, 'NONE'],
  ['HEALTHY', 'alert', true, 'NONE'],
  ['HEALTHY', 'rollback', false, 'NONE'],
  ['HEALTHY', 'rollback', true, 'NONE'],
  ['DEGRADED', 'alert', false, 'ALERT_ONLY'],
  ['DEGRADED', 'alert', true, 'ALERT_ONLY'],
  ['DEGRADED', 'rollback', false, 'ROLLBACK'],
  ['DEGRADED', 'rollback', true, 'ALERT_ONLY'],
])('%s, configured %s, self-hosting %s: %s', (verdict, configured, selfHosting, action) => {
  expect(decideAction({ verdict, configured, selfHosting })).toBe(action);
});

test.each([undefined, null, 0, 1, '', 'false', 'no', {}])(
  'BR-5: where it is not certain that a repository is another one, it counts as its own (%#)',
  (selfHosting) => {
    expect(call(decideAction, { verdict: 'DEGRADED', configured: 'rollback', selfHosting })).toBe('ALERT_ONLY');
  },
);

test.each(['ROLLBACK', ' rollback', '', null, undefined, true])(
  'an action that is not rollback is an alert: %j',
  (configured) => {
    expect(call(decideAction, { verdict: 'DEGRADED', configured, selfHosting: false })).toBe('ALERT_ONLY');
  },
);

test.each(['degraded', ' DEGRADED', '', null, undefined, true])(
  'a verdict that is not DEGRADED asks for nothing: %j',
  (verdict) => {
    expect(call(decideAction, { verdict, configured: 'rollback', selfHosting: false })).toBe('NONE');
  },
);

test('never throws, is total and deterministic, over anything at all', () => {
  fc.assert(
    fc.property(garbage, (make) => {
      const value = make();
      const action = call(decideAction, value);
      expect(['NONE', 'ALERT_ONLY', 'ROLLBACK']).toContain(action);
      expect(call(decideAction, value)).toBe(action);
    }),
    { numRuns: 1_000 },
  );
});

test('BR-5, AC-8: self-hosting never yields ROLLBACK, whatever else is given', () => {
  fc.assert(
    fc.property(garbage, garbage, garbage, (verdict, configured, selfHosting) => {
      const own = selfHosting();
      fc.pre(own !== false);
      for (const worst of [verdict(), 'DEGRADED'])
        for (const set of [configured(), 'rollback'])
          expect(call(decideAction, { verdict: worst, configured: set, selfHosting: own })).not.toBe('ROLLBACK');
    }),
  );
});

test('ROLLBACK is only for DEGRADED, configured rollback and another repository', () => {
  fc.assert(
    fc.property(garbage, garbage, garbage, (verdict, configured, selfHosting) => {
      const input = { verdict: verdict(), configured: configured(), selfHosting: selfHosting() };
      const all = input.verdict === 'DEGRADED' && input.configured === 'rollback' && input.selfHosting === false;
      expect(call(decideAction, input) === 'ROLLBACK').toBe(all);
    }),
    { numRuns: 500 },
  );
});
