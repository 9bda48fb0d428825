import {
  type Client,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { z } from 'zod';

/** The id of the schedule of one task queue, and of the workflows that it starts (with the time behind it). */
export const sweepScheduleId = (taskQueue: string): string => `reconcile-statuses/${taskQueue}`;

export interface SweepSchedule {
  readonly taskQueue: string;
  /** 0: there is to be none. */
  readonly everyMs: number;
}

export type Applied = 'created' | 'updated' | 'removed' | 'none';

/** A sweep that is late by this much is left out: the next one reads what it would have read. */
const CATCH_UP = '1 minute';

/** One that lasts longer would keep all others from running. It ends by itself well before. */
const LONGEST = '3 hours';

/**
 * Makes the schedule of the sweeps what the settings say. Whoever has paused it finds it paused afterwards.
 * @throws what Temporal throws.
 */
export async function applySweepSchedule(client: Client, { taskQueue, everyMs }: SweepSchedule): Promise<Applied> {
  const scheduleId = sweepScheduleId(taskQueue);
  const handle = client.schedule.getHandle(scheduleId);
  if (everyMs === 0) return handle.delete().then(() => 'removed' as const, notThere);
  const wanted = {
    // Spread, so that many deployments do not ask one tracker at the same moment.
    spec: { intervals: [{ every: everyMs }], jitter: Math.round(everyMs / 10) },
    action: {
      type: 'startWorkflow',
      workflowType: 'reconcileStatuses', // an adapter imports no workflow; a test holds it against workflows/messages.ts
      workflowId: scheduleId,
      taskQueue,
      args: [{ taskQueue }],
      workflowExecutionTimeout: LONGEST,
      staticSummary: 'sweep: correct the statuses that should not stand',
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCH_UP },
  } satisfies Omit<ScheduleOptions, 'scheduleId'>;
  try {
    await client.schedule.create({ ...wanted, scheduleId });
    return 'created';
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await handle.update(({ state }) => ({ ...wanted, state }));
    return 'updated';
  }
}

/** What the sweeps of a task queue leave to be done, as far as the schedule and its last sweep that has ended tell. */
export interface SweepsSeen {
  readonly paused: boolean;
  readonly last: {
    readonly at: Date;
    /** `null`: nothing; otherwise in words. */
    readonly left: string | null;
  } | null;
}

const Swept = z.object({
  failed: z.number(),
  unread: z.array(z.object({ project: z.string(), why: z.string() })),
  /** Sweeps of earlier versions do not say. */
  orphaned: z.array(z.object({ workItem: z.string(), shown: z.string() })).nullish(),
});

/**
 * Looks at the schedule of the sweeps; `null`: there is none.
 * @throws what Temporal throws.
 */
export async function lookAtSweeps(client: Client, taskQueue: string): Promise<SweepsSeen | null> {
  const described = await client.schedule.getHandle(sweepScheduleId(taskQueue)).describe().catch(notThere);
  if (described === 'none') return null;
  const { info, state } = described;
  for (const { takenAt, action } of info.recentActions.toReversed()) {
    const { workflowId, firstExecutionRunId } = action.workflow;
    const sweep = client.workflow.getHandle(workflowId, firstExecutionRunId);
    const { status } = await sweep.describe().catch(notKept);
    if (status.name === 'RUNNING' || status.name === 'UNKNOWN') continue;
    const left = status.name === 'COMPLETED' ? leftBy(await sweep.result()) : `it is ${status.name.toLowerCase()}`;
    return { paused: state.paused, last: { at: takenAt, left } };
  }
  return { paused: state.paused, last: null };
}

function leftBy(result: unknown): string | null {
  const { failed, unread, orphaned } = Swept.parse(result);
  const left = [
    ...(failed === 0 ? [] : [`${failed} statuses could not be corrected`]),
    ...unread.map(({ project, why }) => `project ${project} was not read: ${why}`),
    ...(orphaned ?? []).map(
      ({ workItem, shown }) =>
        `orphaned: ${workItem} shows ${shown}, and nothing of it runs: needs a person, see d2d reconcile --dry-run`,
    ),
  ];
  return left.length === 0 ? null : left.join('; ');
}

/** The schedule remembers sweeps for longer than the server keeps them. */
function notKept(error: unknown): { readonly status: { readonly name: 'UNKNOWN' } } {
  if (error instanceof WorkflowNotFoundError) return { status: { name: 'UNKNOWN' } };
  throw error;
}

function notThere(error: unknown): 'none' {
  if (error instanceof ScheduleNotFoundError) return 'none';
  throw error;
}
