import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type DeployRecord,
  lastDeploy,
  lastSay,
  type WindowRecord,
  windowOutcomeOnRecord,
} from '../../decisions/index.ts';
import { call } from './builders.ts';
import { garbage } from './garbage.ts';

/** A run that has ended. */
const run = (change: Partial<DeployRecord> = {}): DeployRecord => ({
  runId: 'run-2',
  running: false,
  phase: 'finished',
  outcome: 'done',
  ...change,
});

/** A run that is on its way. */
const going = (phase: string | null): DeployRecord => run({ running: true, phase, outcome: null });

/** The closed window of that run. */
const window = (outcome: string | null, change: Partial<WindowRecord> = {}): WindowRecord => ({
  parentRunId: 'run-2',
  running: false,
  phase: 'closed',
  outcome,
  verdict: 'DEGRADED',
  ...change,
});

const before = { parentRunId: 'run-1' };

test.each([
  ['degraded_alerted', false, 'degraded'],
  ['degraded_alerted', true, 'over'],
  ['degraded_rolled_back', true, 'degraded'],
  ['degraded_rolled_back', false, 'degraded'],
  ['rollback_failed', false, 'degraded'],
  ['rollback_failed', true, 'degraded'],
  ['healthy', null, 'over'],
  ['no_evidence', null, 'over'],
  ['cancelled', null, 'over'],
  ['closed_early', null, 'over'],
  ['superseded', null, 'over'],
])('a done task whose window ended %s, recovered %j: %s', (outcome, recovered, expected) => {
  const closed = window(windowOutcomeOnRecord(outcome, recovered));
  expect(lastDeploy('done', run(), closed)).toBe(expected);
  expect(lastDeploy(' DONE ', going('monitoring'), { ...closed, running: true }), 'while it settles').toBe(expected);
  expect(lastDeploy('done', null, closed), 'its run is not kept any more').toBe(expected);
});

test.each([
  ['an open window says nothing yet', { phase: 'open', running: true }, 'over'],
  ['a window that was terminated after it proved degraded', { phase: 'open' }, 'degraded'],
  ['a window that was terminated during its rollback', { phase: 'acting' }, 'degraded'],
  ['a window that was terminated before', { phase: 'open', verdict: null }, 'over'],
  ['a window of an earlier version', {}, 'over'],
] as const)('%s', (_name, change, expected) => {
  expect(lastDeploy('done', run({ outcome: 'window_lost' }), window(null, change))).toBe(expected);
});

test.each<[DeployRecord, string]>([
  ...['already_done', 'refused', 'rejected', 'approval_expired', 'task_cancelled', 'cancelled'].map(
    (outcome): [DeployRecord, string] => [run({ outcome }), 'degraded'],
  ),
  [going(null), 'degraded'],
  [going('awaiting_approval'), 'degraded'],
  [run({ phase: 'awaiting_approval', outcome: null }), 'degraded'],
  [going('deploying'), 'under_way'],
  [going('checking'), 'under_way'],
  [going('monitoring'), 'under_way'],
  [run({ outcome: 'done' }), 'over'],
  [run({ outcome: 'deploy_failed' }), 'over'],
  [run({ outcome: 'window_lost' }), 'over'],
])('of a done task: the degraded window of the run before, and then %j: %s', (later, expected) => {
  expect(lastDeploy('done', later, window('degraded_alerted', before))).toBe(expected);
});

test.each<[string | null, DeployRecord | null, string]>([
  ['deploy', run({ outcome: 'unhealthy_after_deploy' }), 'degraded'],
  ['deploy', run({ outcome: 'unhealthy_rolled_back' }), 'degraded'],
  ['deploy', run({ outcome: 'unhealthy_rollback_failed', running: true }), 'degraded'],
  [null, run({ outcome: 'unhealthy_after_deploy' }), 'degraded'],
  ['deploy', run({ outcome: 'deploy_failed' }), 'over'],
  ['deploy', run({ outcome: 'rejected' }), 'over'],
  ['deploy', going('awaiting_approval'), 'under_way'],
  ['deploy', going(null), 'under_way'],
  ['deploy', going('deploying'), 'under_way'],
  ['deploy', null, 'over'],
])('of a task at %j with the run %j, whatever its window was: %s', (stage, deploy, expected) => {
  expect(lastDeploy(stage, deploy, window('degraded_alerted', before))).toBe(expected);
});

test('never throws, is total and deterministic, over anything at all', () => {
  fc.assert(
    fc.property(garbage, garbage, garbage, (...make) => {
      const values = make.map((one) => one());
      const found = call(lastDeploy, ...values);
      expect(['under_way', 'degraded', 'over']).toContain(found);
      expect(call(lastDeploy, ...values)).toBe(found);
    }),
    { numRuns: 500 },
  );
});

describe('lastSay: whether a run that has ended may put a status back', () => {
  test.each([
    ['there is no other', null, 'has'],
    ['it is the latest', run({ runId: 'run-1' }), 'has'],
    ['the latest runs', going('awaiting_approval'), 'waits'],
    ['the latest has ended, and still closes', run({ running: true }), 'lost'],
    ['the latest took the task to done', run(), 'lost'],
    ['the latest was refused', run({ outcome: 'refused' }), 'has'],
    ['the latest was terminated', run({ phase: 'deploying', outcome: null }), 'lost'],
  ] as const)('%s', (_, latest, say) => {
    expect(lastSay('run-1', latest)).toBe(say);
  });

  test('any input', () => {
    fc.assert(
      fc.property(garbage, garbage, (...make) => {
        expect(['has', 'waits', 'lost']).toContain(call(lastSay, ...make.map((each) => each())));
      }),
    );
  });
});
