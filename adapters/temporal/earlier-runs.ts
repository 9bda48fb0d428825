import type { Client } from '@temporalio/client';
import type { temporal as proto } from '@temporalio/proto';
import { z } from 'zod';
import { decoded } from './decoded.ts';
import { grpcMessage } from './grpc-errors.ts';
import { quoted } from './query-text.ts';

type HistoryEvent = proto.api.history.v1.IHistoryEvent;

/** A running activity sends no heartbeat meanwhile, and may be silent for 10 s. */
const ASK_MS = 8_000;

/** A deploy or rollback of a run. */
export interface AskedOperation {
  readonly kind: 'deploy' | 'rollback';
  readonly workflowId: string;
  readonly runId: string;
  /** Begins with the id of the first run of its workflow. */
  readonly operationId: string;
}

/** What came of an operation: its result, or why nobody knows that. */
export type EarlierOutcome = z.infer<typeof Ended> | { readonly unknown: string };

const Ended = z.object({ ok: z.boolean(), detail: z.string(), version: z.string().optional() });
const Unknown = z.object({ unknown: z.literal(true), detail: z.string() });
const Asked = z.object({ operationId: z.string() });

/**
 * Looks up what an earlier run of a workflow came to with the same operation, as their histories have it: after a reset the run
 * asks for it again. `null`: none has begun it. The other runs are looked up only where there was a reset: that needs the visibility index.
 */
export const createEarlierOutcome =
  (client: Client) =>
  async (operation: AskedOperation): Promise<EarlierOutcome | null> => {
    const [first = ''] = operation.operationId.split(':');
    if (first === operation.runId) return null;
    try {
      return await client.withDeadline(Date.now() + ASK_MS, async () => {
        if (!(await wasReset(client, operation, first))) return null;
        const outcomes = await outcomesOf(client, operation, first);
        return outcomes.find((each) => !('unknown' in each)) ?? outcomes[0] ?? null;
      });
    } catch (error) {
      return { unknown: `an earlier run of ${operation.workflowId} cannot be looked up: ${grpcMessage(error)}` };
    }
  };

/** Whether the run, or one that it was continued from, is the copy that a reset has made of another one. */
async function wasReset(client: Client, { workflowId, runId }: AskedOperation, first: string): Promise<boolean> {
  for (let run = runId; run !== first; ) {
    const { history } = await client.workflowService.getWorkflowExecutionHistory({
      ...{ namespace: client.options.namespace, execution: { workflowId, runId: run }, maximumPageSize: 1 },
    });
    const started = history?.events?.[0]?.workflowExecutionStartedEventAttributes;
    if (started?.originalExecutionRunId !== run || !started.continuedExecutionRunId) return true;
    run = started.continuedExecutionRunId;
  }
  return false;
}

async function outcomesOf(client: Client, operation: AskedOperation, first: string): Promise<EarlierOutcome[]> {
  const { workflowId, runId } = operation;
  const eventsOf = async (run: string): Promise<HistoryEvent[]> =>
    (await client.workflow.getHandle(workflowId, run).fetchHistory()).events ?? [];
  // A reset names the run that it goes back to alone; another one may have gone further. The index may not know one of the last second.
  const runs = new Set([first]);
  for await (const { runId: listed } of client.workflow.list({ query: `WorkflowId = ${quoted(workflowId)}` }))
    runs.add(listed);
  runs.delete(runId);
  const histories = await Promise.all([...runs].map(eventsOf));
  return histories.flatMap((events) => outcomesIn(events, operation));
}

/** What came of each time that a run has asked for the operation; of one that cannot be read, nobody knows whether it was that. */
function outcomesIn(events: readonly HistoryEvent[], { kind, operationId }: AskedOperation): EarlierOutcome[] {
  return events.flatMap(({ eventId, activityTaskScheduledEventAttributes: scheduled }) => {
    if (scheduled?.activityType?.name !== kind) return [];
    const asked = Asked.safeParse(decoded(scheduled.input)).data;
    if (asked !== undefined && asked.operationId !== operationId) return [];
    return outcomeOf(Number(eventId), events, kind);
  });
}

function outcomeOf(scheduledId: number, events: readonly HistoryEvent[], kind: string): EarlierOutcome[] {
  const of = (attributes: { readonly scheduledEventId?: unknown } | null | undefined): boolean =>
    attributes != null && Number(attributes.scheduledEventId) === scheduledId;
  const completed = events.find((event) => of(event.activityTaskCompletedEventAttributes));
  const result = decoded(completed?.activityTaskCompletedEventAttributes?.result);
  const ended = Ended.safeParse(result).data;
  if (ended !== undefined && !Unknown.safeParse(result).success) return [ended];
  const failed = events.find((event) => of(event.activityTaskFailedEventAttributes))?.activityTaskFailedEventAttributes;
  if (failed?.failure?.applicationFailureInfo?.type === 'NotDescribedHere') return [];
  return [{ unknown: `an earlier run may have begun the ${kind}, and its end is not on record` }];
}
