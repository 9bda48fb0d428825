import { type Client, QueryNotRegisteredError } from '@temporalio/client';
import {
  type DeployResult,
  type DeployStatus,
  deployStatusQuery,
  monitorWorkflowId,
  type WindowStatus,
  windowStatusQuery,
} from '../workflows/messages.ts';
import { describe, type Execution, locate } from './executions.ts';
import type { ResolvedWorkItem } from './resolve-work-item.ts';
import { isUnanswered, temporalError } from './temporal-errors.ts';
import { isItsOwnFailure, whyQueryFails, whyUnanswered } from './unanswered.ts';

/** A deploy as it stands. `status` is `null` where no worker answers; `unanswered` says so then. */
export interface DeployView {
  readonly execution: Execution;
  readonly status: DeployStatus | null;
  /** How it ended; `null` while it runs, and where it was terminated or failed. */
  readonly result: DeployResult | null;
  readonly unanswered: string | null;
}

/** A post-deploy window as it stands; the same as with a deploy. */
export interface WindowView {
  readonly execution: Execution;
  readonly status: WindowStatus | null;
  readonly unanswered: string | null;
}

/** All that is known of a work item. */
export interface WorkItemView {
  readonly workItem: string;
  readonly deploy: DeployView | null;
  readonly window: WindowView | null;
}

/** Longest wait for a worker to answer a query, ms; without any poller the server says so at once. */
const QUERY_MS = 5_000;
/** The result of a run that has ended stands in its history: no worker is needed. */
const RESULT_MS = 5_000;

async function answered<T>(
  temporal: Client,
  execution: Execution,
  ask: () => Promise<T>,
): Promise<{ status: T | null; unanswered: string | null }> {
  const askedAt = Date.now();
  try {
    return { status: await temporal.withDeadline(Date.now() + QUERY_MS, ask), unanswered: null };
  } catch (error) {
    if (error instanceof QueryNotRegisteredError)
      return { status: null, unanswered: await whyQueryFails(temporal, execution, error) };
    if (!isUnanswered(error)) throw temporalError(error);
    return { status: null, unanswered: await whyUnanswered(temporal, execution, askedAt) };
  }
}

/** @throws D2dError */
export async function deployView(temporal: Client, execution: Execution): Promise<DeployView> {
  const handle = temporal.workflow.getHandle(execution.workflowId, execution.runId);
  const { status, unanswered } = await answered(temporal, execution, () => handle.query(deployStatusQuery));
  const result = execution.status === 'COMPLETED' ? await resultOf(temporal, execution) : null;
  return { execution, status, result, unanswered };
}

/** @throws D2dError */
export async function windowView(temporal: Client, execution: Execution): Promise<WindowView> {
  // Without a run id: a window that has continued as new meanwhile answers all the same.
  const handle = temporal.workflow.getHandle(execution.workflowId);
  return { execution, ...(await answered(temporal, execution, () => handle.query(windowStatusQuery))) };
}

async function resultOf(temporal: Client, { workflowId, runId }: Execution): Promise<DeployResult | null> {
  const handle = temporal.workflow.getHandle<() => Promise<DeployResult>>(workflowId, runId);
  try {
    return await temporal.withDeadline(Date.now() + RESULT_MS, () => handle.result());
  } catch (error) {
    throw temporalError(error);
  }
}

/** A deploy and its window, or whichever of them there is. @throws D2dError */
export async function workItemView(
  temporal: Client,
  resolved: ResolvedWorkItem,
  repo: string | undefined,
): Promise<WorkItemView> {
  const execution = await locate(temporal, 'deploy', resolved, repo);
  if (execution !== null) return runView(temporal, execution);
  const window = await locate(temporal, 'window', resolved, repo);
  return {
    workItem: window?.workItem ?? resolved.workItem,
    deploy: null,
    window: window === null ? null : await windowView(temporal, window),
  };
}

/** One run and its window. @throws D2dError */
export async function runView(temporal: Client, execution: Execution): Promise<WorkItemView> {
  const deploy = await deployView(temporal, execution);
  const { repo, workItem, startedAt } = execution;
  const windowId = deploy.status?.windowId ?? monitorWorkflowId(repo, workItem);
  const window = await describe(temporal, windowId);
  // A window that an earlier run has opened is not this run's, unless it still runs.
  const its = window !== null && (window.running || window.startedAt >= startedAt) ? window : null;
  if (its === null) return { workItem, deploy, window: null };
  // Where no worker answers for the run, none does for its window: a person does not wait for that twice.
  const { unanswered } = deploy;
  const mayAnswer = unanswered === null || isItsOwnFailure(unanswered);
  const view = mayAnswer ? await windowView(temporal, its) : { execution: its, status: null, unanswered };
  return { workItem, deploy, window: view };
}
