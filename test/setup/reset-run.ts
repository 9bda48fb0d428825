import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** The events of completed workflow tasks: the points to which a run can be reset. */
export const completedTasks = (events: readonly HistoryEvent[]): HistoryEvent[] =>
  events.filter((event) => event.workflowTaskCompletedEventAttributes != null);

/**
 * Resets a run, as `temporal workflow reset` does.
 * @param pointIn the id of the completed workflow task after which the new run goes on
 * @returns the id of the new run
 */
export async function resetRun(
  client: Client,
  workflowId: string,
  pointIn: (events: readonly HistoryEvent[]) => HistoryEvent['eventId'],
  runId?: string,
): Promise<string> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const reset = await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId, ...(runId === undefined ? {} : { runId }) },
    workflowTaskFinishEventId: pointIn(events ?? []) ?? null,
    reason: 'a test',
    requestId: randomUUID(),
  });
  return reset.runId;
}
