import type { Client, WorkflowExecutionDescription, WorkflowExecutionInfo } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { quoted } from '../adapters/temporal/query-text.ts';
import { wrapUpsOf } from '../adapters/temporal/wrap-ups.ts';
import { sameRepo } from '../decisions/index.ts';
import {
  D2dOutcome,
  D2dPhase,
  D2dRepo,
  D2dVerdict,
  D2dVersion,
  D2dWorkItem,
  DEPLOY_WORKFLOW,
  deployWorkflowId,
  MONITOR_WORKFLOW,
  monitorWorkflowId,
} from '../workflows/messages.ts';
import { notFound, refused } from './errors.ts';
import type { ResolvedWorkItem } from './resolve-work-item.ts';
import { isGone, temporalError } from './temporal-errors.ts';

export type ExecutionKind = 'deploy' | 'window';

/** An activity that has failed and is tried again. */
export interface Retry {
  readonly activity: string;
  /** The one that runs or comes next, from 2. */
  readonly attempt: number;
  /** Of the last failure. */
  readonly message: string;
}

/** One execution, as Temporal's own record has it; no worker is asked. Times are epoch ms. */
export interface Execution {
  readonly kind: ExecutionKind;
  readonly repo: string;
  readonly workItem: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly taskQueue: string;
  readonly running: boolean;
  /** Temporal's word: `RUNNING`, `COMPLETED`, `FAILED`, `CANCELLED`, `TERMINATED`, `TIMED_OUT` … */
  readonly status: string;
  readonly phase: string | null;
  readonly verdict: string | null;
  /** How it ended; `null` while it runs, and of an execution from before there was the attribute. */
  readonly outcome: string | null;
  readonly version: string | null;
  readonly startedAt: number;
  readonly closedAt: number | null;
  /** What it, or its wrap-up, tries again; empty in a listing. */
  readonly retries: readonly Retry[];
  /** Workflows that do what it has left undone, while they run; empty in a listing. */
  readonly wrapUps: readonly string[];
}

/** A work item by any of its names; the repository where it is known or matters. */
export interface WorkItemRef {
  readonly workItem: string;
  readonly repo?: string | undefined;
}

/** Longest time of one question to Temporal, ms: a person waits for the answer. */
const CALL_MS = 10_000;

/** Runs calls to Temporal with a limit. @throws D2dError */
export async function asking<T>(temporal: Client, call: () => Promise<T>, withinMs: number = CALL_MS): Promise<T> {
  try {
    return await temporal.withDeadline(Date.now() + withinMs, call);
  } catch (error) {
    throw temporalError(error);
  }
}

const TYPES = { deploy: DEPLOY_WORKFLOW, window: MONITOR_WORKFLOW } as const;
const IDS = { deploy: deployWorkflowId, window: monitorWorkflowId } as const;

export const oneOf = (texts: readonly string[]): string => `(${texts.map(quoted).join(', ')})`;

type ExecutionInfo = Pick<
  WorkflowExecutionInfo,
  'type' | 'workflowId' | 'runId' | 'taskQueue' | 'status' | 'startTime' | 'typedSearchAttributes'
> & { readonly closeTime?: Date | undefined };

/**
 * An execution as a listing or a description of it shows it.
 * @param pending its activities that have not ended; a listing has none
 */
export function executionOf(
  info: ExecutionInfo,
  pending: readonly temporal.api.workflow.v1.IPendingActivityInfo[] = [],
): Execution {
  const [, repo = '', workItem = ''] = /^[^/]*\/(.*)\/([^/]*)$/.exec(info.workflowId) ?? [];
  const attributes = info.typedSearchAttributes;
  return {
    kind: info.type === MONITOR_WORKFLOW ? 'window' : 'deploy',
    repo: attributes.get(D2dRepo) ?? repo,
    workItem: attributes.get(D2dWorkItem) ?? workItem,
    workflowId: info.workflowId,
    runId: info.runId,
    taskQueue: info.taskQueue,
    running: info.status.name === 'RUNNING',
    status: info.status.name,
    phase: attributes.get(D2dPhase) ?? null,
    verdict: attributes.get(D2dVerdict) ?? null,
    outcome: attributes.get(D2dOutcome) ?? null,
    version: attributes.get(D2dVersion) ?? null,
    startedAt: info.startTime.getTime(),
    closedAt: info.closeTime?.getTime() ?? null,
    retries: retriesOf(pending),
    wrapUps: [],
  };
}

const retriesOf = (pending: readonly temporal.api.workflow.v1.IPendingActivityInfo[]): Retry[] =>
  pending.flatMap(({ activityType, attempt, lastFailure }) =>
    lastFailure == null
      ? []
      : [{ activity: activityType?.name ?? '', attempt: attempt ?? 0, message: lastFailure.message ?? '' }],
  );

/** Whether the deploy of a run that runs is over, and its window too, so that it only has its status or comment to write. @throws D2dError */
export async function onlyWrites(temporal: Client, { repo, workItem, phase }: Execution): Promise<boolean> {
  if (phase !== 'monitoring') return phase === 'finished';
  const window = await describe(temporal, monitorWorkflowId(repo, workItem));
  return window === null || !window.running || window.phase === 'closed';
}

/** The latest execution with that id, from the server's own state; `null`: there is none. @throws D2dError */
export function describe(temporal: Client, workflowId: string, runId?: string): Promise<Execution | null> {
  const description = async (id: string, run?: string): Promise<WorkflowExecutionDescription | null> => {
    try {
      return await temporal.workflow.getHandle(id, run).describe();
    } catch (error) {
      if (isGone(error)) return null;
      throw error;
    }
  };
  return asking(temporal, async () => {
    const found = await description(workflowId, runId);
    if (found === null) return null;
    const execution = executionOf(found, found.raw.pendingActivities ?? []);
    if (execution.running) return execution;
    const wrapUps = (await wrapUpsOf(found, description)).filter(({ status }) => status.name === 'RUNNING');
    return {
      ...execution,
      retries: wrapUps.flatMap(({ raw }) => retriesOf(raw.pendingActivities ?? [])),
      wrapUps: wrapUps.map((wrapUp) => wrapUp.workflowId),
    };
  });
}

/**
 * The deploy or the window of a work item: the one that runs, else the latest. `null`: there is none.
 *
 * By its id first, which is never behind; the visibility index, which lags, only where the repository is not known.
 * @throws D2dError; `refused` where it runs in several repositories.
 */
export async function locate(
  temporal: Client,
  kind: ExecutionKind,
  { spellings, task }: ResolvedWorkItem,
  givenRepo: string | undefined,
): Promise<Execution | null> {
  const repo = givenRepo?.trim() ?? task?.repo;
  if (repo !== undefined) {
    for (const workItem of spellings) {
      const found = await describe(temporal, IDS[kind](repo, workItem));
      if (found !== null) return found;
    }
  }
  const query = `WorkflowType = ${quoted(TYPES[kind])} AND D2dWorkItem IN ${oneOf(spellings)}`;
  const found: Execution[] = [];
  await asking(temporal, async () => {
    for await (const info of temporal.workflow.list({ query, pageSize: 50 })) {
      const execution = executionOf(info);
      if (givenRepo === undefined || sameRepo(execution.repo, givenRepo)) found.push(execution);
      if (found.length >= 50) break;
    }
  });
  const running = found.filter((execution) => execution.running);
  const repos = [...new Set(running.map((execution) => execution.repo))];
  if (repos.length > 1) {
    throw refused(
      `${spellings[0]} runs in several repositories: ${repos.join(', ')}`,
      `say which one: --repo ${repos[0]}`,
    );
  }
  const latest = (running.length > 0 ? running : found).toSorted((a, b) => b.startedAt - a.startedAt)[0];
  // The index may be behind: what is told is the server's own record.
  return latest === undefined ? null : ((await describe(temporal, latest.workflowId)) ?? latest);
}

/** The same. @throws D2dError; `not_found` where there is none. */
export async function mustLocate(
  temporal: Client,
  kind: ExecutionKind,
  resolved: ResolvedWorkItem,
  repo: string | undefined,
): Promise<Execution> {
  const found = await locate(temporal, kind, resolved, repo);
  if (found !== null) return found;
  const what = kind === 'deploy' ? 'no deploy' : 'no post-deploy window';
  const where = repo === undefined ? '' : ` in repository ${repo}`;
  throw notFound(
    `${resolved.workItem}: ${what} is known${where}${taskNote(resolved)}`,
    'd2d list shows what runs, d2d list --all what ran',
  );
}

/** What `tasks` says, for a work item that Temporal does not know. */
export const taskNote = ({ task }: ResolvedWorkItem): string =>
  task === null ? '' : ` (its task, of repository ${task.repo}, stands at stage ${task.stage.trim()})`;
