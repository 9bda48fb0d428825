import { expect, test } from 'vitest';
import { exitCodeOf } from '../../client/commands/context.ts';
import { EXIT_CODE_TABLE, FAILURE_EXIT_CODES, OUTCOME_EXIT_CODES, WINDOW_EXIT_CODES } from '../../client/exit-codes.ts';
import { EXIT_BAD_SETTINGS } from '../../settings.ts';
import type { DeployOutcome } from '../../workflows/messages.ts';
import { deployStatus, deployView, execution, windowStatus, windowView } from './builders.ts';

/** The design's table; a new outcome without a row does not compile. */
const DESIGN: Record<DeployOutcome, number> = {
  done: 0,
  already_done: 0,
  refused: 2,
  rejected: 10,
  approval_expired: 11,
  deploy_failed: 12,
  unhealthy_after_deploy: 13,
  deploy_unknown: 14,
  task_cancelled: 15,
  cancelled: 16,
  unhealthy_rolled_back: 17,
  unhealthy_rollback_failed: 18,
  degraded_alerted: 20,
  degraded_rolled_back: 21,
  rollback_failed: 22,
  no_evidence: 23,
  window_cancelled: 24,
  closed_early: 24,
  superseded: 24,
  window_lost: 24,
};

test('each outcome has the exit code of the design, and no other', () => {
  expect(OUTCOME_EXIT_CODES).toEqual(DESIGN);
});

test('the table explains every code once, and names every outcome', () => {
  const codes = EXIT_CODE_TABLE.map(({ code }) => code);
  expect(codes).toEqual([...new Set(codes)].toSorted((a, b) => a - b));
  const used = [
    ...Object.values(OUTCOME_EXIT_CODES),
    ...Object.values(WINDOW_EXIT_CODES),
    ...Object.values(FAILURE_EXIT_CODES),
  ];
  expect(used.filter((code) => !codes.includes(code))).toEqual([]);
  expect(EXIT_CODE_TABLE.flatMap(({ outcomes }) => outcomes).toSorted()).toEqual(Object.keys(DESIGN).toSorted());
});

test('bad settings end d2d as they end the worker', () => {
  expect(FAILURE_EXIT_CODES.bad_settings).toBe(EXIT_BAD_SETTINGS);
});

test.each([
  ['the result of the run', { deploy: deployView({ result: { outcome: 'rejected', reason: '' } }), window: null }, 10],
  ['its status', { deploy: deployView({ status: deployStatus({ outcome: 'no_evidence' }) }), window: null }, 23],
  [
    'its window, where the run was terminated',
    {
      deploy: deployView({ execution: execution({ running: false, status: 'TERMINATED' }) }),
      window: windowView({ status: windowStatus({ outcome: 'healthy' }) }),
    },
    0,
  ],
  [
    'nothing at all',
    { deploy: deployView({ execution: execution({ running: false, status: 'FAILED' }) }), window: null },
    1,
  ],
] as const)('what was followed to its end exits by %s', (_, view, code) => {
  expect(exitCodeOf({ workItem: 'ORCH-61', ...view })).toBe(code);
});
