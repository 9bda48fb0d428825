import type { Client } from '@temporalio/client';
import { quoted } from '../adapters/temporal/query-text.ts';
import { DEPLOY_WORKFLOW, MONITOR_WORKFLOW, type WindowStatus } from '../workflows/messages.ts';
import { asking, type Execution, executionOf, oneOf } from './executions.ts';
import type { Outcome } from './exit-codes.ts';
import { windowView } from './views.ts';

export interface ListFilter {
  /** Spellings of one repository; left out: all of them. */
  readonly repos?: readonly string[];
  /** Only what runs, or what has ended too. */
  readonly which: 'running' | 'all';
  readonly outcome?: Outcome | undefined;
  /** Only what was started then or later, epoch ms. */
  readonly since?: number | undefined;
  /** The most executions that are listed, newest first. */
  readonly limit: number;
}

/** A deploy or a window in a list. */
export interface ListRow extends Execution {
  /** For a window that runs, where a worker answers. */
  readonly window: Pick<WindowStatus, 'tick' | 'plannedTicks' | 'endsAt' | 'outcome'> | null;
}

export interface Listing {
  readonly rows: readonly ListRow[];
  /** Whether there are more than were asked for. */
  readonly more: boolean;
}

/** The most windows that are asked how far they are, so that a list of hundreds comes at once. */
const ASKED = 40;

/**
 * Deploys and windows, newest first, by the visibility index (which lags by a second or so).
 * @throws D2dError
 */
export async function listExecutions(
  temporal: Client,
  { repos, which, outcome, since, limit }: ListFilter,
): Promise<Listing> {
  const conditions = [`WorkflowType IN ${oneOf([DEPLOY_WORKFLOW, MONITOR_WORKFLOW])}`];
  if (which === 'running') conditions.push(`ExecutionStatus = 'Running'`);
  if (repos !== undefined) conditions.push(`D2dRepo IN ${oneOf(repos)}`);
  if (outcome !== undefined) conditions.push(`D2dOutcome = ${quoted(outcome)}`);
  if (since !== undefined) conditions.push(`StartTime >= ${quoted(new Date(since).toISOString())}`);
  const found: Execution[] = [];
  await asking(temporal, async () => {
    for await (const info of temporal.workflow.list({ query: conditions.join(' AND '), pageSize: 200 })) {
      found.push(executionOf(info));
      if (found.length > limit) break;
    }
  });
  const listed = found.slice(0, limit).toSorted((a, b) => b.startedAt - a.startedAt);
  return { rows: await withProgress(temporal, listed), more: found.length > limit };
}

async function withProgress(temporal: Client, executions: readonly Execution[]): Promise<ListRow[]> {
  const open = executions.filter(({ kind, running }) => kind === 'window' && running).slice(0, ASKED);
  const progress = new Map<string, ListRow['window']>();
  const [first, ...others] = open;
  // One is asked first: without a worker the others would only wait as long as it did.
  if (first !== undefined && (await ask(temporal, first, progress))) {
    await Promise.all(others.map((execution) => ask(temporal, execution, progress)));
  }
  return executions.map((execution) => ({ ...execution, window: progress.get(execution.workflowId) ?? null }));
}

async function ask(temporal: Client, execution: Execution, into: Map<string, ListRow['window']>): Promise<boolean> {
  const view = await windowView(temporal, execution).catch(() => null); // it may have ended since it was listed
  if (view === null) return true;
  if (view.status === null) return false;
  const { tick, plannedTicks, endsAt, outcome } = view.status;
  into.set(execution.workflowId, { tick, plannedTicks, endsAt, outcome });
  return true;
}
