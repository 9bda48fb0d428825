import type { WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { WindowOutcome } from '../../activities/window-report.ts';
import {
  cancelWindowSignal,
  closeWindowUpdate,
  type DeployOutcome,
  HEAL_WORKFLOW,
  healWorkflowId,
  RECONCILE_WORKFLOW,
  REOPEN_WORKFLOW,
  rejectSignal,
  reopenWorkflowId,
  resolveDeploySignal,
  SET_STATUS_WORKFLOW,
} from '../../workflows/messages.ts';
import type { RealHarness } from './harness.ts';
import { fail, type Item, pass, plan, policy, shownAs, unknown } from './item.ts';

// Every ending that either workflow can reach, played on the real server: the shortest way to each.

/** Plays one ending. @returns the workflow that it is about. */
export type Play = (harness: RealHarness) => Promise<{ readonly workflowId: string; readonly runId?: string }>;

/** One tick decides; the dev server's timers take a second at least. */
const brief = policy({
  windowMs: 1_000,
  intervalMs: 1_000,
  confirmMs: 500,
  failThreshold: 1,
  rollbackWatchMs: 3_000,
});
const withRollback = policy({ ...brief, action: 'rollback' });
/** Open until somebody ends it. */
const still = policy({ windowMs: 600_000, intervalMs: 60_000 });

const OPS = { by: 'oncall', reason: 'seen enough' };
const approval = (timeoutMs: number) => plan({ settleMs: 50, approval: { required: true, timeoutMs } });
const HOUR_MS = 3_600_000;

const FAILS: Partial<Item> = { rollback: async () => ({ ok: false, detail: 'exit code 1' }) };

const UNHEALTHY: Partial<Item> = { checkHealth: async () => ({ ok: false, detail: '503 for 60 s', seen: 'fail' }) };
const LOST: Partial<Item> = {
  deploy: async () => {
    throw ApplicationFailure.retryable('the worker shut down', 'DeployInterrupted');
  },
};

const deploy =
  (change: Partial<Item>, meanwhile: (harness: RealHarness, item: Item) => Promise<unknown> = async () => {}): Play =>
  async (harness) => {
    const item = harness.add({ ...change, plan: change.plan ?? plan({ window: brief, settleMs: 50 }) });
    const handle = await harness.start(item, { version: 'v2', requestedBy: 'ci' });
    await meanwhile(harness, item);
    await handle.result();
    return handle;
  };

const window =
  (
    watched = brief,
    change: Partial<Item> = {},
    meanwhile: (harness: RealHarness, item: Item) => Promise<unknown> = async () => {},
  ): Play =>
  async (harness) => {
    const item = harness.add({ ...change, plan: plan({ window: watched, settleMs: 50 }) });
    const handle = await harness.watch(item);
    await meanwhile(harness, item);
    await handle.result();
    return handle;
  };

const stillWatched = { plan: plan({ window: still, settleMs: 50 }) };
const watching = (harness: RealHarness, item: Item) => harness.until(() => item.shown.status === 'monitoring');

/** `superseded` comes with a later issue. */
export const DEPLOY_ENDINGS: Record<Exclude<DeployOutcome, 'superseded'>, Play> = {
  done: deploy({}),
  already_done: deploy({ task: { repo: '', stage: 'done' } }),
  refused: deploy({ task: null }),
  rejected: deploy({ plan: approval(HOUR_MS) }, (harness, item) =>
    harness.deploy(item).signal(rejectSignal, { by: 'oncall', reason: 'freeze' }),
  ),
  approval_expired: deploy({ plan: approval(1_000) }),
  deploy_failed: deploy({ deploy: async () => ({ ok: false, detail: 'exit code 3' }) }),
  unhealthy_after_deploy: deploy({ checkHealth: async () => ({ ok: false, detail: '503 for 60 s' }) }),
  unhealthy_rolled_back: deploy({ ...UNHEALTHY, plan: plan({ window: withRollback, settleMs: 50 }) }),
  unhealthy_rollback_failed: deploy({ ...UNHEALTHY, ...FAILS, plan: plan({ window: withRollback, settleMs: 50 }) }),
  deploy_unknown: deploy(LOST, async (harness, item) => {
    await harness.until(() => item.alerts.length > 0 && item.comments.length > 0);
    await harness.deploy(item).cancel();
  }),
  task_cancelled: deploy({ task: { repo: '', stage: 'cancelled' } }),
  cancelled: deploy({ plan: approval(HOUR_MS) }, async (harness, item) => {
    await harness.until(() => item.shown.status === 'awaiting_deploy');
    await harness.deploy(item).cancel();
  }),
  degraded_alerted: deploy({ looks: [fail()] }),
  degraded_rolled_back: deploy({ looks: [fail(), pass()], plan: plan({ window: withRollback, settleMs: 50 }) }),
  rollback_failed: deploy({ ...FAILS, looks: [fail(), pass()], plan: plan({ window: withRollback, settleMs: 50 }) }),
  no_evidence: deploy({ looks: [unknown()] }),
  window_cancelled: deploy(stillWatched, async (harness, item) => {
    await watching(harness, item);
    await harness.deploy(item).cancel();
  }),
  closed_early: deploy(stillWatched, async (harness, item) => {
    await watching(harness, item);
    await harness.window(item).executeUpdate(closeWindowUpdate, { args: [OPS] });
  }),
  window_lost: deploy(stillWatched, async (harness, item) => {
    await watching(harness, item);
    await harness.window(item).terminate('an operator');
  }),
};

/** `superseded` comes with a later issue. */
export const WINDOW_ENDINGS: Record<Exclude<WindowOutcome, 'superseded'>, Play> = {
  healthy: window(policy({ ...brief, windowMs: 3_000 })),
  no_evidence: window(brief, { looks: [unknown()] }),
  degraded_alerted: window(policy({ ...brief, windowMs: 3_000 }), { looks: [fail(), fail(), pass()] }),
  degraded_rolled_back: window(withRollback, { looks: [fail(), fail(), pass()] }),
  rollback_failed: window(withRollback, { ...FAILS, looks: [fail(), pass()] }),
  cancelled: window(still, {}, async (harness, item) => {
    await harness.window(item).signal('nonsense', 42);
    await harness.window(item).signal(cancelWindowSignal, OPS);
  }),
  closed_early: window(still, {}, (harness, item) =>
    harness.window(item).executeUpdate(closeWindowUpdate, { args: [OPS] }),
  ),
  async task_cancelled(harness) {
    const item = harness.add({ plan: plan({ window: brief, settleMs: 50 }) });
    item.onLook = async () => {
      if (item.task !== null) item.task.stage = 'cancelled';
    };
    const handle = await harness.watch(item);
    await handle.result();
    return handle;
  },
};

/** What is no ending, but a way to one, or what follows it. */
export const OTHERS: Record<string, Play> = {
  'deployToDone.hands_over': async (harness) => (await handedOver(harness, (item) => harness.start(item))).handle,
  'postDeployMonitor.hands_over': async (harness) => (await handedOver(harness, (item) => harness.watch(item))).handle,
  'wrapUp.put_back': async (harness) => (await handedOver(harness, (item) => harness.start(item))).wrapUp,
  'wrapUp.settled': async (harness) => (await handedOver(harness, (item) => harness.watch(item))).wrapUp,
  'deployToDone.resolved': deploy(LOST, async (harness, item) => {
    await harness.until(() => item.alerts.length > 0 && item.comments.length > 0);
    await harness.deploy(item).signal(resolveDeploySignal, { deployed: true, ...OPS });
  }),
  'setDeployStatus.allowed': async (harness) => {
    const item = harness.add();
    const handle = await harness.client.workflow.start(SET_STATUS_WORKFLOW, {
      taskQueue: harness.taskQueue,
      workflowId: `set-status/${item.workItem}`,
      args: [{ repo: item.plan.repo, workItem: item.workItem, status: 'deploying', caller: 'ci' }],
    });
    await handle.result();
    return handle;
  },
  'reopenTask.reopened': async (harness) => {
    const item = harness.add();
    item.task = { repo: item.plan.repo, stage: 'done' };
    const handle = await harness.client.workflow.start(REOPEN_WORKFLOW, {
      taskQueue: harness.taskQueue,
      workflowId: reopenWorkflowId(harness.taskQueue, item.plan.repo, item.workItem),
      args: [{ repo: item.plan.repo, workItem: item.workItem, ...OPS }],
    });
    await handle.result();
    return handle;
  },
  /** Another item than any that a sweep finds: two healings of one would meet. */
  'healWorkItem.healed': async (harness) => {
    const item = driftedItem(harness, false);
    const handle = await harness.client.workflow.start(HEAL_WORKFLOW, {
      taskQueue: harness.taskQueue,
      workflowId: healWorkflowId(harness.taskQueue, item.workItem),
      args: [{ id: item.workItem, project: item.workItem, once: true }],
    });
    await handle.result();
    return handle;
  },
  'reconcileStatuses.healed': async (harness) => {
    const item = driftedItem(harness, true);
    const handle = await harness.client.workflow.start(RECONCILE_WORKFLOW, {
      taskQueue: harness.taskQueue,
      workflowId: `sweep/${item.workItem}`,
      args: [{ taskQueue: harness.taskQueue }],
    });
    await handle.result();
    return handle;
  },
  /** The run that went on, and that carries its window. */
  'postDeployMonitor.continued': async (harness) => {
    const item = harness.add({ plan: plan({ window: policy({ ...brief, windowMs: 3_000 }), settleMs: 50 }) });
    const handle = await harness.watch(item, { continueAfterEvents: 9 });
    await handle.result();
    return harness.window(item);
  },
  /** The run that it was carried from. */
  'postDeployMonitor.continues': async (harness) => {
    const item = harness.add({ plan: plan({ window: policy({ ...brief, windowMs: 3_000 }), settleMs: 50 }) });
    const handle = await harness.watch(item, { continueAfterEvents: 9 });
    await handle.result();
    return { workflowId: handle.workflowId, runId: handle.firstExecutionRunId };
  },
};

/** What ends while the sink and the tracker refuse everything, and its wrap-up. */
async function handedOver(harness: RealHarness, start: (item: Item) => Promise<WorkflowHandleWithFirstExecutionRunId>) {
  const refused = async () => {
    throw ApplicationFailure.nonRetryable('it is switched off', 'PlaneUnauthorized');
  };
  const item = harness.add({
    plan: plan({ window: brief, settleMs: 50 }),
    looks: [fail()],
    deploy: async () => ({ ok: false, detail: 'exit code 3' }),
    commenting: refused,
    sink: refused,
  });
  item.tracker = async () => {
    if (item.count.deploys > 0) await refused();
  };
  const handle = await start(item);
  await harness.resultOf(handle);
  for (const each of ['tracker', 'commenting', 'sink'] as const) item[each] = async () => {};
  await handle.result();
  return { handle, wrapUp: harness.wrapUpOf(item, handle.firstExecutionRunId) };
}

/** A done task whose item shows an old status again. */
const driftedItem = (harness: RealHarness, swept: boolean): Item => {
  const item = harness.add({ shown: shownAs('deploying'), swept });
  item.task = { repo: item.plan.repo, stage: 'done' };
  return item;
};
