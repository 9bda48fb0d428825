import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { GRPC, grpcCode } from './grpc-errors.ts';
import { quoted, RUNNING } from './query-text.ts';

// A CommonJS package: Node finds no named exports in it.
const { WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW: RESET } = proto.temporal.api.enums.v1.WorkflowTaskFailedCause;

/** Events that may follow a failure while the task is tried again: signals and timers. */
const TAIL = 50;

const LONGEST = 400;

/**
 * With which message the workflow task of an execution keeps failing; `null`: it does not. The server writes no event for the tries after
 * the first ones, so that the failure stays near the end of the history.
 * @throws what Temporal throws
 */
export async function workflowTaskFailure(client: Client, workflowId: string): Promise<string | null> {
  const { raw } = await client.workflow.getHandle(workflowId).describe();
  if ((raw.pendingWorkflowTask?.attempt ?? 0) < 2) return null;
  const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
    namespace: client.options.namespace,
    execution: { workflowId, runId: raw.workflowExecutionInfo?.execution?.runId ?? '' },
    maximumPageSize: TAIL,
  });
  for (const event of history?.events ?? []) {
    if (event.workflowTaskCompletedEventAttributes != null) return null;
    const failed = event.workflowTaskFailedEventAttributes;
    if (failed == null) continue;
    const message = failed.failure?.message ?? '';
    return failed.cause === RESET || message === '' ? null : message.slice(0, LONGEST);
  }
  return null;
}

/** The most executions that are looked at, how many side by side, and for how long, ms. */
const MOST = 1_000;
const AT_ONCE = 10;
const LOOK_MS = 20_000;

/**
 * Deploys and windows of a task queue whose workflow task keeps failing. They are found by the visibility index.
 * @throws what Temporal throws
 */
export async function failingRuns(client: Client, taskQueue: string): Promise<{ workflowId: string; why: string }[]> {
  const failing: { workflowId: string; why: string }[] = [];
  await client.withDeadline(Date.now() + LOOK_MS, async () => {
    const listed: string[] = [];
    for await (const { workflowId } of client.workflow.list({
      query: `${RUNNING} AND TaskQueue = ${quoted(taskQueue)}`,
    })) {
      listed.push(workflowId);
      if (listed.length >= MOST) break;
    }
    const lane = async (): Promise<void> => {
      for (let workflowId = listed.shift(); workflowId !== undefined; workflowId = listed.shift()) {
        const why = await workflowTaskFailure(client, workflowId).catch(gone);
        if (why !== null) failing.push({ workflowId, why });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  });
  return failing.toSorted((a, b) => (a.workflowId < b.workflowId ? -1 : 1));
}

/** The index is behind. */
function gone(error: unknown): null {
  if (grpcCode(error) === GRPC.NOT_FOUND) return null;
  throw error;
}
