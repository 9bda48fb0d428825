import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describe as describeExecution } from '../../client/executions.ts';
import { closedGate } from '../../demo/gate.ts';
import { closeWindowUpdate, WRAP_UP_WORKFLOW, wrapUpWorkflowId } from '../../workflows/messages.ts';
import { eventually } from '../setup/eventually.ts';
import { completedTasks, resetRun } from '../setup/reset-run.ts';
import { type RealHarness, startRealHarness } from './harness.ts';
import { expectActivityCancelRequested } from './histories.ts';
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
    await eventually(async () => {
      const { wrapUps, retries } = (await describeExecution(harness.client, run.workflowId)) ?? {};
      expect(wrapUps).toEqual([wrapUpWorkflowId(item.plan.repo, item.workItem, run.firstExecutionRunId)]);
      expect(retries).toMatchObject([{ activity: 'restoreStatus', message: expect.stringContaining(AWAY.message) }]);
    });
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

    const deployed = closedGate();
    item.shown = shownAs('awaiting_deploy'); // for the second deploy the tracker is there
    item.deploy = async () => {
      await deployed.passed;
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
    deployed.open();
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
  await eventually(() => expectActivityCancelRequested(watching));
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
  await eventually(() => expectActivityCancelRequested(watching));
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
  await resetRun(harness.client, run.workflowId, (events) => completedTasks(events).at(-1)?.eventId);
  expect(await harness.deploy(item).result()).toMatchObject({ outcome: 'done' });
});

test('a run that is reset to before its hand-over, while its wrap-up runs, has another one', async () => {
  const item = harness.add({ plan: brief });
  const gate = closedGate();
  item.tracker = async () => {
    if (inWrapUp()) await gate.passed;
  };
  const run = await harness.start(item);
  expect(await harness.resultOf(run)).toMatchObject({ outcome: 'done' });
  await resetRun(harness.client, run.workflowId, (events) => {
    const children = events.map((event) => event.startChildWorkflowExecutionInitiatedEventAttributes);
    return children.find((child) => child != null)?.workflowTaskCompletedEventId;
  });
  const { runId } = await harness.deploy(item).describe();
  await harness.client.workflow.getHandle(run.workflowId, runId).result();
  gate.open();
  await harness.wrapUpOf(item, run.firstExecutionRunId).result();
  await harness.wrapUpOf(item, `${run.firstExecutionRunId}/2`).result();
});

test('a window that is reset tells of its new end, under another key', async () => {
  const window = policy({ windowMs: 600_000, intervalMs: 60_000 });
  const item = harness.add({ plan: plan({ window, settleMs: 50 }) });
  const watching = await harness.watch(item);
  const close = () =>
    harness.window(item).executeUpdate(closeWindowUpdate, { args: [{ by: 'oncall', reason: 'seen' }] });
  await close();
  await watching.result();
  await resetRun(harness.client, watching.workflowId, (events) => completedTasks(events)[0]?.eventId);
  await close().catch(() => {}); // the reset may have brought the first close with it
  await eventually(() => expect(item.comments).toHaveLength(2));
  expect(new Set(item.comments.map(({ key }) => key)).size).toBe(2);
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
