import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { onceInAllRuns } from '../../activities/once-in-all-runs.ts';
import {
  type DeployDriver,
  type DeployOperation,
  DeployOutcomeUnknown,
  type DriverConfig,
} from '../../adapters/deploy/driver.ts';
import type { EarlierOutcome } from '../../adapters/temporal/earlier-runs.ts';
import { activityEnvironment, inActivity } from '../adapters/deploy/in-activity.ts';
import { recordingLog } from '../adapters/deploy/operation.ts';

const operation: DeployOperation = {
  kind: 'deploy',
  operationId: `${randomUUID()}:deploy`,
  repo: 'shop',
  workItem: 'ORCH-61',
  version: 'v2',
};

async function run(earlier: EarlierOutcome | null, idempotent = false) {
  const asked: unknown[] = [];
  let ran = 0;
  const driver: DeployDriver = {
    run: async () => {
      ran += 1;
      return { ok: true, detail: 'it ran' };
    },
  };
  const config: DriverConfig = {
    ...{ driver: 'command', command: ['true'], cwd: null, env: {}, timeoutMs: 1_000 },
    idempotent,
  };
  const once = onceInAllRuns(
    () => driver,
    async (of) => {
      asked.push(of);
      return earlier;
    },
  )(config);
  const environment = activityEnvironment(1, {
    workflowExecution: { workflowId: 'deploy/shop/ORCH-61', runId: 'run-2' },
  });
  const context = { signal: new AbortController().signal, heartbeat: () => {}, callSomebody: async () => {} };
  const result = await inActivity(
    async () => once?.run(operation, { ...context, log: recordingLog() }),
    environment,
  ).catch((error: unknown) => error);
  return { result, ran, asked };
}

test('where no earlier run has begun it, the driver runs', async () => {
  const { operationId } = operation;
  expect(await run(null)).toEqual({
    result: { ok: true, detail: 'it ran' },
    ran: 1,
    asked: [{ kind: 'deploy', workflowId: 'deploy/shop/ORCH-61', runId: 'run-2', operationId }],
  });
});

test('what an earlier run has done is not done again', async () => {
  expect(await run({ ok: true, detail: 'up', version: 'v2' })).toMatchObject({
    result: { ok: true, detail: 'up (it ran before the reset of its workflow, and not again)', version: 'v2' },
    ran: 0,
  });
});

test('what nobody knows is for a person, and is not tried again', async () => {
  const { result, ran } = await run({ unknown: 'nobody knows' });
  expect(result).toBeInstanceOf(DeployOutcomeUnknown);
  expect(result).toMatchObject({ message: 'nobody knows', retryable: false });
  expect(ran).toBe(0);
});

test('what is declared idempotent runs again, and nobody is asked', async () => {
  expect(await run({ unknown: 'nobody knows' }, true)).toMatchObject({ ran: 1, asked: [] });
});
