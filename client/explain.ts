import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { tsToMs } from '@temporalio/common/lib/time.js';
import type { temporal as proto } from '@temporalio/proto';
import { z } from 'zod';
import { decoded } from '../adapters/temporal/decoded.ts';
import { decide, type GuardVerdict, sameRepo } from '../decisions/index.ts';
import { healWorkflowId } from '../workflows/messages.ts';
import { asking, executionOf, oneOf } from './executions.ts';
import type { KnownTask, ResolvedWorkItem } from './resolve-work-item.ts';

type HistoryEvent = proto.api.history.v1.IHistoryEvent;
type Payloads = proto.api.common.v1.IPayloads;

/** One wish for a status, and what became of it. Times are epoch ms. */
export interface StatusWish {
  /** When it was asked for. */
  readonly at: number;
  /** When it was answered, or given up; `null`: it is being tried. */
  readonly answeredAt: number | null;
  /** Whether it was given up. */
  readonly failed: boolean;
  readonly workflowType: string;
  readonly workflowId: string;
  /** Who asked, and why. */
  readonly caller: string;
  readonly reason: string | null;
  /** The status that was asked for, or `what should stand` where the authorities were to say. */
  readonly wanted: string;
  /** What the authorities said; `null`: they were not asked, or it failed before. */
  readonly evidence: z.infer<typeof Evidence> | null;
  readonly verdict: string | null;
  /** What the tracker showed before; `null`: it was not read. */
  readonly shown: string | null;
  /** What was sent, and was seen in its answer; `null`: nothing was. */
  readonly wrote: string | null;
  readonly attempts: number;
  /** Why the last attempt failed, or why all of it did; `null`: nothing failed. */
  readonly failure: string | null;
  /** Writes that were sent before: by tries that failed, or in doubt. */
  readonly earlier: readonly EarlierWrite[];
}

/** A write that was sent, whatever came of it. */
export interface EarlierWrite {
  readonly at: number;
  readonly evidence: z.infer<typeof Evidence>;
  readonly verdict: GuardVerdict;
  readonly sent: string;
  /** `taken`, or why there was no good answer; `null`: none is known. */
  readonly answer: string | null;
}

/** Everything that was asked of a work item's status, in the order in which it was answered, as Temporal has it on record. */
export interface Explanation {
  readonly workItem: string;
  /** `null` where the tasks are not known here, or have none. */
  readonly task: KnownTask | null;
  readonly wishes: readonly StatusWish[];
  /** Whether there are more executions than were read. */
  readonly more: boolean;
}

/** The activities that decide on a status, and what each asks for. */
const WANTED: Readonly<Record<string, string>> = {
  setAwaitingDeploy: 'Awaiting Deploy',
  setDeploying: 'Deploying',
  setMonitoring: 'Monitoring',
  convergeDone: 'Done',
  restoreStatus: 'the one from before',
  settleStatus: 'what should stand',
  healWorkItem: 'what should stand',
};

const SHOWN: Readonly<Record<string, string>> = {
  awaiting_deploy: 'Awaiting Deploy',
  deploying: 'Deploying',
  monitoring: 'Monitoring',
  done: 'Done',
  degraded: 'Degraded',
  cancelled: 'Cancelled',
};

/** The most executions of one work item that are read where nobody says otherwise. */
const MOST_EXECUTIONS = 200;

/** A history may be long. */
const HISTORY_MS = 30_000;

const Asked = z.object({ caller: z.string().optional(), reason: z.string().optional() });

const Evidence = z.object({
  inForce: z.boolean(),
  dbStage: z.string().nullable(),
  windowActive: z.boolean(),
  /** Where degraded work has a state of its own: what the last deploy came to. */
  lastDeploy: z.enum(['under_way', 'degraded', 'over']).optional(),
});

const SentWrites = z
  .array(z.object({ at: z.number(), status: z.string(), evidence: Evidence, answer: z.string().nullable() }))
  .catch([]);

const Answered = z
  .object({
    evidence: Evidence.nullish(),
    earlier: SentWrites.optional(),
    verdict: z.string().nullish(),
    shown: z.string().nullish(),
    status: z.string().nullish(),
    wrote: z.boolean(),
  })
  .nullable();

/**
 * Reads who wanted which status of a work item, on what evidence it was decided, and what came of it, from the histories of all its
 * deploys, windows, single writes and healings. What Temporal does not keep (docs/status-protocol.md, "Shown by") is not told.
 * @param limit the most executions, of which the newest are read; default 200.
 * @param planeId Plane's own id of the work item: a healing that an event has started bears no other name until it has looked.
 * @throws D2dError
 */
export async function explain(
  temporal: Client,
  taskQueue: string,
  { workItem, task, spellings }: ResolvedWorkItem,
  {
    limit = MOST_EXECUTIONS,
    planeId = null,
  }: { readonly limit?: number | undefined; readonly planeId?: string | null } = {},
): Promise<Explanation> {
  const executions: { readonly workflowId: string; readonly runId: string }[] = [];
  let more = false;
  await asking(temporal, async () => {
    const named = `D2dWorkItem IN ${oneOf(spellings)}`;
    const healing = planeId === null ? null : healWorkflowId(taskQueue, planeId);
    const query = healing === null ? named : `${named} OR WorkflowId IN ${oneOf([healing])}`;
    for await (const info of temporal.workflow.list({ query, pageSize: 100 })) {
      const { workflowId, runId, repo } = executionOf(info);
      const anothers = workflowId !== healing && task !== null && !sameRepo(repo, task.repo);
      if (anothers) continue; // of that name
      if (executions.length === limit) {
        more = true;
        break;
      }
      executions.push({ workflowId, runId });
    }
  });
  const wishes: StatusWish[] = [];
  for (const { workflowId, runId } of executions) wishes.push(...(await wishesOf(temporal, workflowId, runId)));
  const when = ({ answeredAt }: StatusWish): number => answeredAt ?? Number.POSITIVE_INFINITY;
  return { workItem, task, wishes: wishes.toSorted((a, b) => when(a) - when(b) || a.at - b.at), more };
}

async function wishesOf(temporal: Client, workflowId: string, runId: string): Promise<StatusWish[]> {
  const handle = temporal.workflow.getHandle(workflowId, runId);
  const { events } = await asking(temporal, () => handle.fetchHistory(), HISTORY_MS);
  const description = await asking(temporal, () => handle.describe());
  const about = { workflowType: description.type, workflowId };
  return (events ?? []).flatMap((event) => {
    const scheduled = event.activityTaskScheduledEventAttributes;
    const wanted = WANTED[scheduled?.activityType?.name ?? ''];
    if (scheduled == null || wanted === undefined) return [];
    const asked = Asked.safeParse(decoded(scheduled.input)).data ?? {};
    return {
      ...about,
      at: timeOf(event),
      caller: asked.caller ?? (scheduled.activityType?.name === 'healWorkItem' ? 'healWorkItem' : 'unknown'),
      reason: asked.reason ?? null,
      wanted,
      ...outcomeOf(Number(event.eventId), events ?? [], description, scheduled.activityId ?? ''),
    };
  });
}

type Came = Pick<
  StatusWish,
  'answeredAt' | 'failed' | 'evidence' | 'verdict' | 'shown' | 'wrote' | 'attempts' | 'failure' | 'earlier'
>;

/** What came of an activity: by its own events, or by what the server knows of one that is still tried. */
function outcomeOf(
  scheduledId: number,
  events: readonly HistoryEvent[],
  { raw }: WorkflowExecutionDescription,
  activityId: string,
): Came {
  const nothing = { failed: false, evidence: null, verdict: null, shown: null, wrote: null };
  const of = (attributes: { readonly scheduledEventId?: unknown } | null | undefined): boolean =>
    attributes != null && Number(attributes.scheduledEventId) === scheduledId;
  const started = events.find((event) =>
    of(event.activityTaskStartedEventAttributes),
  )?.activityTaskStartedEventAttributes;
  const attempts = started?.attempt ?? 1;
  const earlier = started?.lastFailure?.message ?? null;

  const completed = events.find((event) => of(event.activityTaskCompletedEventAttributes));
  if (completed !== undefined) {
    const result = Answered.safeParse(decoded(completed.activityTaskCompletedEventAttributes?.result)).data ?? null;
    const sent = result?.wrote === true && result.status != null ? shownAs(result.status) : null;
    return {
      answeredAt: timeOf(completed),
      failed: false,
      evidence: result?.evidence ?? null,
      verdict: result?.verdict ?? null,
      shown: result?.shown ?? null,
      wrote: sent,
      attempts,
      failure: earlier,
      earlier: earlierOf(result?.earlier),
    };
  }
  const failed = events.find(
    (event) =>
      of(event.activityTaskFailedEventAttributes) ||
      of(event.activityTaskTimedOutEventAttributes) ||
      of(event.activityTaskCanceledEventAttributes),
  );
  if (failed !== undefined) {
    const { activityTaskFailedEventAttributes: fault, activityTaskTimedOutEventAttributes: late } = failed;
    const why = fault?.failure ?? late?.failure;
    const text = deepest(why) ?? earlier ?? 'it was cancelled';
    const sent = SentWrites.parse(decoded(why?.applicationFailureInfo?.details ?? lastHeartbeat(why)));
    return {
      ...nothing,
      ...{ failed: true, answeredAt: timeOf(failed), attempts, failure: text, earlier: earlierOf(sent) },
    };
  }
  const pending = raw.pendingActivities?.find((activity) => activity.activityId === activityId);
  return {
    ...nothing,
    answeredAt: null,
    attempts: pending?.attempt ?? attempts,
    failure: pending?.lastFailure?.message ?? null,
    earlier: earlierOf(SentWrites.parse(decoded(pending?.heartbeatDetails))),
  };
}

const earlierOf = (sent: z.infer<typeof SentWrites> = []): readonly EarlierWrite[] =>
  sent.map(({ at, evidence, status, answer }) => ({
    ...{ at, evidence, verdict: decide(evidence), sent: shownAs(status), answer },
  }));

const shownAs = (status: string): string => SHOWN[status] ?? status;

/** The last words of a try whose time ran out, or whose worker was lost. */
const lastHeartbeat = (failure: Failure | null | undefined): Payloads | null | undefined =>
  failure?.timeoutFailureInfo?.lastHeartbeatDetails ?? failure?.cause?.applicationFailureInfo?.details;

type Failure = proto.api.failure.v1.IFailure;

/** What was behind a failure, in its own words. */
const deepest = (failure: Failure | null | undefined): string | null =>
  failure == null ? null : (deepest(failure.cause) ?? failure.message ?? null);

const timeOf = ({ eventTime }: HistoryEvent): number => (eventTime == null ? 0 : tsToMs(eventTime));
