import type { Client } from '@temporalio/client';
import { lastPollAt, POLLS_WITHIN_MS } from '../adapters/temporal/pollers.ts';
import { workflowTaskFailure } from '../adapters/temporal/workflow-tasks.ts';
import { oneLine } from '../decisions/shown-text.ts';
import { asking, type Execution } from './executions.ts';

const TASK_FAILS = 'its workflow task fails: ';
const QUERY_FAILS = 'its query fails: ';

/** A query that fails sooner was refused by the server, and offered to no worker; ms. */
const OFFERED_MS = 2_000;

/**
 * Why no worker has answered a query. A worker that polls takes a query at once, and polls again: where nobody has polled since the query
 * was sent, nobody was there, whatever older polls the server still knows.
 * @param askedAt when the query was sent, epoch ms
 * @throws D2dError
 */
export async function whyUnanswered(
  temporal: Client,
  { workflowId, running, taskQueue }: Execution,
  askedAt: number,
): Promise<string> {
  const now = Date.now();
  const since = now - askedAt < OFFERED_MS ? now - POLLS_WITHIN_MS : askedAt;
  const fails = running ? await taskFailure(temporal, workflowId) : null;
  if (fails !== null) return fails;
  const polledAt = await asking(temporal, () =>
    lastPollAt(temporal, temporal.options.namespace, taskQueue, 'workflow'),
  );
  return polledAt === null || polledAt < since ? `no worker is polling task queue ${taskQueue}` : 'no worker answers';
}

/**
 * Why a query has failed on its worker: where the code has changed, it does so before a workflow task does.
 * @throws D2dError
 */
export const whyQueryFails = async (temporal: Client, { workflowId }: Execution, error: Error): Promise<string> =>
  (await taskFailure(temporal, workflowId)) ?? `${QUERY_FAILS}${oneLine(error.message)}`;

/** `its workflow task fails: …`; `null`: it does not keep failing. @throws D2dError */
async function taskFailure(temporal: Client, workflowId: string): Promise<string | null> {
  const why = await asking(temporal, () => workflowTaskFailure(temporal, workflowId));
  return why === null ? null : `${TASK_FAILS}${oneLine(why)}`;
}

/** Whether the reason is one of this execution alone, so that a worker may answer for others. */
export const isItsOwnFailure = (unanswered: string | null): boolean =>
  [TASK_FAILS, QUERY_FAILS].some((start) => unanswered?.startsWith(start));
