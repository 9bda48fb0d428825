import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AskedOperation, createEarlierOutcome } from '../../../adapters/temporal/earlier-runs.ts';
import { approveSignal, deployWorkflowId } from '../../../workflows/messages.ts';
import { eventually } from '../../setup/eventually.ts';
import { completedTasks, resetRun } from '../../setup/reset-run.ts';
import { unique } from '../../setup/temporal.ts';
import { type RealHarness, startRealHarness } from '../../workflows/harness.ts';
import { expectActivityEnded } from '../../workflows/histories.ts';
import { fail, type Item, plan, policy } from '../../workflows/item.ts';

let harness: RealHarness;
beforeAll(async () => {
  harness = await startRealHarness();
});
afterAll(() => harness.close());

const earlierOutcome = (operation: AskedOperation) => createEarlierOutcome(harness.client)(operation);

const toFirstTask = (workflowId: string, runId: string): Promise<string> =>
  resetRun(harness.client, workflowId, (events) => completedTasks(events)[0]?.eventId, runId);

/** Resets a run once its deploy has ended so. @returns the operation as the new run asks for it */
async function reset(deploy: Item['deploy'], ending: 'Completed' | 'Failed'): Promise<AskedOperation> {
  const item = harness.add({ plan: plan({ window: null, settleMs: 50 }), deploy });
  const { workflowId, firstExecutionRunId } = await harness.start(item);
  const handle = harness.deploy(item);
  await eventually(() => expectActivityEnded(handle, 'deploy', ending));
  // The new run gets no further than to its approval.
  item.plan = { ...item.plan, approval: { required: true, timeoutMs: 3_600_000 } };
  const runId = await toFirstTask(workflowId, firstExecutionRunId);
  return { kind: 'deploy', workflowId, runId, operationId: `${firstExecutionRunId}:deploy` };
}

test('the result of the run before is what counts; of another operation there is none', async () => {
  const operation = await reset(async () => ({ ok: false, detail: 'exit code 1' }), 'Completed');
  expect(await earlierOutcome(operation)).toEqual({ ok: false, detail: 'exit code 1' });
  expect(await earlierOutcome({ ...operation, kind: 'rollback' })).toBeNull();
  expect(await earlierOutcome({ ...operation, operationId: `${randomUUID()}:deploy` })).toMatchObject({
    unknown: expect.stringMatching(/^an earlier run of deploy\/.* cannot be looked up: /),
  });
});

test('a run between them that was reset away counts, too: nothing but the index leads to it', async () => {
  const waits = { required: true, timeoutMs: 3_600_000 };
  const item = harness.add({ plan: plan({ window: null, settleMs: 50, approval: waits }) });
  const { workflowId, firstExecutionRunId: first } = await harness.start(item);
  await eventually(() => expect(item.shown.status).toBe('awaiting_deploy'));
  await toFirstTask(workflowId, first);
  await harness.deploy(item).signal(approveSignal, { by: 'oncall', reason: 'go' });
  expect(await harness.deploy(item).result()).toMatchObject({ outcome: 'done' });
  const runId = await toFirstTask(workflowId, first);
  const operation = { kind: 'deploy', workflowId, runId, operationId: `${first}:deploy` } as const;
  await eventually(async () => expect(await earlierOutcome(operation)).toEqual({ ok: true, detail: 'it worked' }));
});

const failing = (type: string) => async () => {
  throw ApplicationFailure.nonRetryable('so', type);
};

test.each([
  ['DeployInterrupted', { unknown: 'an earlier run may have begun the deploy, and its end is not on record' }],
  ['NotDescribedHere', null],
])('a deploy of the run before that ended %s', async (type, outcome) => {
  expect(await earlierOutcome(await reset(failing(type), 'Failed'))).toEqual(outcome);
});

test('a rollback of which nobody knows stays one', async () => {
  const quick = { windowMs: 20_000, intervalMs: 200, confirmMs: 100, rollbackWatchMs: 200 };
  const item = harness.add({ plan: plan({ window: policy({ ...quick, action: 'rollback' }), settleMs: 50 }) });
  Object.assign(item, { looks: [fail()], rollback: async () => ({ ok: false, unknown: true, detail: 'lost' }) });
  const { workflowId, firstExecutionRunId: first } = await harness.watch(item);
  expect(await harness.window(item).result()).toMatchObject({ outcome: 'rollback_failed' });
  const runId = await toFirstTask(workflowId, first);
  const operation = { kind: 'rollback', workflowId, runId, operationId: `${first}:rollback` } as const;
  expect(await earlierOutcome(operation)).toMatchObject({ unknown: expect.stringContaining('begun the rollback') });
});

test('a window that has continued as new needs no index', async () => {
  const item = harness.add({ plan: plan({ window: policy({ windowMs: 600_000, intervalMs: 1_000 }), settleMs: 50 }) });
  const { workflowId, firstExecutionRunId: first } = await harness.watch(item, { continueAfterEvents: 9 });
  const latest = async () => (await harness.window(item).describe()).runId;
  const second = await eventually(async () => {
    const runId = await latest();
    expect(runId).not.toBe(first);
    return runId;
  });
  await eventually(async () => expect([first, second]).not.toContain(await latest()));
  const blind = Object.create(harness.client, { workflow: { value: Object.create(harness.client.workflow) } });
  blind.workflow.list = () => {
    throw new Error('the index is away');
  };
  const operation = { kind: 'rollback', workflowId, runId: await latest(), operationId: `${first}:rollback` } as const;
  expect(await createEarlierOutcome(blind)(operation)).toBeNull();
  await harness.window(item).terminate();
});

test('a first run asks nobody; what Temporal does not tell is unknown', async () => {
  const nowhere = {
    kind: 'deploy',
    workflowId: deployWorkflowId('shop', unique('ORCH')),
    runId: randomUUID(),
  } as const;
  expect(await earlierOutcome({ ...nowhere, operationId: `${nowhere.runId}:deploy` })).toBeNull();
  expect(await earlierOutcome({ ...nowhere, operationId: `${randomUUID()}:deploy` })).toHaveProperty('unknown');
});
