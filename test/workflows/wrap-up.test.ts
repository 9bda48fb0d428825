import { randomUUID } from 'node:crypto';
import { Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { closedGate } from '../../demo/gate.ts';
import { closeWindowUpdate, WRAP_UP_WORKFLOW } from '../../workflows/messages.ts';
import { eventually } from '../setup/eventually.ts';
import { type RealHarness, startRealHarness } from './harness.ts';
import { fail, plan, policy, shownAs } from './item.ts';

// What a run owes when it has ended is done by its wrap-up, and keeps nobody from the next deploy of the work item.

let harness: RealHarness;
beforeAll(async () => {
  harness = await startRealHarness();
});
afterAll(() => harness.close());

const FAILED = async () => ({ ok: false, detail: 'exit code 3' });
const brief = plan({ window: null, settleMs: 50 });
const AWAY = new Error('the tracker is away');
const inWrapUp = () => Context.current().info.workflowType === WRAP_UP_WORKFLOW;

/** A call that is refused at first, which ends the first tries, and whose next try is held until the gate opens, and fails then. */
function refusedThenHeld() {
  const gate = closedGate();
  let tries = 0;
  const fails = async (): Promise<void> => {
    if (inWrapUp()) return;
    tries += 1;
    if (tries === 1) throw ApplicationFailure.nonRetryable('it is refused');
    await gate.passed;
    throw AWAY;
  };
  return { gate, tries: () => tries, fails };
}

async function hasCancelledAnActivity(workflow: WorkflowHandle): Promise<void> {
  const { events } = await workflow.fetchHistory();
  expect(events?.some((event) => event.activityTaskCancelRequestedEventAttributes != null)).toBe(true);
}

describe('the tracker is away at the end of a run', () => {
  test('the work item is free at once, and the status from before is put back once the tracker is there again', async () => {
    let away = false;
    const item = harness.add({ plan: brief, deploy: FAILED });
    item.tracker = async () => {
      if (item.count.deploys > 0) away = true;
      if (away) throw AWAY;
    };
    const run = await harness.start(item);
    expect(await harness.resultOf(run)).toMatchObject({ outcome: 'deploy_failed' });
    expect(item.shown.status).toBe('deploying');
    item.tracker = async () => {};
    await run.result(); // with its wrap-up
    expect(item.writes.at(-1)).toMatchObject({ status: 'before' });
    expect(item.comments).toHaveLength(1);
  });

  test('the next deploy of it begins, and what the one before owed is not written any more', async () => {
    const item = harness.add({ plan: brief, deploy: FAILED });
    item.tracker = async () => {
      if (item.count.deploys === 1 && (inWrapUp() || item.shown.status === 'deploying')) throw AWAY;
    };
    const first = await harness.start(item);
    expect(await harness.resultOf(first)).toMatchObject({ outcome: 'deploy_failed' });

    let finish = (): void => {};
    const deployed = new Promise<void>((resolve) => {
      finish = resolve;
    });
    item.shown = shownAs('awaiting_deploy'); // for the second deploy the tracker is there
    item.deploy = async () => {
      await deployed;
      return { ok: true, detail: 'it worked' };
    };
    const second = await harness.start(item);
    await harness.until(() => item.count.deploys === 2);
    const wrapUp = harness.wrapUpOf(item, first.firstExecutionRunId);
    await eventually(async () => {
      const { events } = await wrapUp.fetchHistory();
      const waits = events?.some((event) => event.timerStartedEventAttributes != null);
      expect(waits, 'it has met the second deploy').toBe(true);
    });
    expect(item.shown.status).toBe('deploying');
    finish();
    expect(await second.result()).toMatchObject({ outcome: 'done' });
    await first.result();
    expect(item.shown.status).toBe('done');
    expect(item.writes).not.toContainEqual(expect.objectContaining({ status: 'before' }));
  });
});

test('a deploy that is refused meanwhile does not keep the status from being put back', async () => {
  const item = harness.add({ plan: brief, deploy: FAILED });
  item.tracker = async () => {
    if (item.count.deploys > 0) throw AWAY;
  };
  const first = await harness.start(item);
  expect(await harness.resultOf(first)).toMatchObject({ outcome: 'deploy_failed' });
  harness.busy.set(item.plan.repo, [
    { workflowId: 'x', workItem: 'OTHER-1', type: 'deployToDone', phase: 'deploying' },
  ]);
  expect(await harness.resultOf(await harness.start(item))).toMatchObject({ outcome: 'refused' });
  item.tracker = async () => {};
  await harness.wrapUpOf(item, first.firstExecutionRunId).result();
  expect(item.writes.at(-1)).toMatchObject({ status: 'before' });
});

test('a comment that is on its way when its window ends, and fails, is left to the wrap-up', async () => {
  const window = policy({ windowMs: 600_000, intervalMs: 1_000, failThreshold: 1 });
  const item = harness.add({ plan: plan({ window, settleMs: 50 }), looks: [fail()] });
  const { gate, tries, fails } = refusedThenHeld();
  item.commenting = fails;
  const watching = await harness.watch(item);
  await harness.until(() => tries() === 2);
  await watching.executeUpdate(closeWindowUpdate, { args: [{ by: 'oncall', reason: 'seen enough' }] });
  await eventually(() => hasCancelledAnActivity(watching));
  gate.open();
  expect(await watching.result()).toMatchObject({ outcome: 'degraded_alerted' });
  expect(item.comments.map(({ key }) => key.split(':').at(-1)).toSorted()).toEqual(['closed', 'degraded']);
});

test('a close that comes while a window is about to continue as new is answered', async () => {
  const window = policy({ windowMs: 600_000, intervalMs: 1_000, failThreshold: 1 });
  const item = harness.add({ plan: plan({ window, settleMs: 50 }), looks: [fail()] });
  const { gate, fails } = refusedThenHeld();
  item.sink = fails;
  const watching = await harness.watch(item, { continueAfterEvents: 30 });
  await eventually(() => hasCancelledAnActivity(watching));
  const command = { by: 'oncall', reason: 'seen enough' };
  const closing = await watching.startUpdate(closeWindowUpdate, { args: [command], waitForStage: 'ACCEPTED' });
  gate.open();
  expect(await closing.result()).toMatchObject({ outcome: 'degraded_alerted', endedBy: command });
  await watching.result();
  expect(item.alerts).toHaveLength(1);
});

test('a run that is reset to its last task, after it has handed over, ends as before', async () => {
  const item = harness.add({ plan: brief });
  const run = await harness.start(item);
  expect(await run.result()).toMatchObject({ outcome: 'done' });
  const { events } = await run.fetchHistory();
  const last = events?.findLast((event) => event.workflowTaskCompletedEventAttributes != null);
  await harness.client.workflowService.resetWorkflowExecution({
    ...{ namespace: 'default', reason: 'a test', requestId: randomUUID() },
    workflowExecution: { workflowId: run.workflowId, runId: run.firstExecutionRunId },
    workflowTaskFinishEventId: last?.eventId ?? null,
  });
  expect(await harness.deploy(item).result()).toMatchObject({ outcome: 'done' });
});

test('an operator may give it up: a cancel ends it', async () => {
  const item = harness.add({ plan: brief, deploy: FAILED });
  item.tracker = async () => {
    if (item.count.deploys > 0) throw AWAY;
  };
  const run = await harness.start(item);
  await harness.resultOf(run);
  const wrapUp = harness.wrapUpOf(item, run.firstExecutionRunId);
  await wrapUp.cancel();
  await eventually(async () => expect((await wrapUp.describe()).status.name).toBe('CANCELLED'));
});
