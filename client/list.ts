import type { Client } from '@temporalio/client';
import { quoted } from '../adapters/temporal/query-text.ts';
import { DEPLOY_WORKFLOW, MONITOR_WORKFLOW, type WindowStatus } from '../workflows/messages.ts';
import { asking, type Execution, executionOf, oneOf } from './executions.ts';
import type { Outcome } from './exit-codes.ts';
import { isItsOwnFailure } from './unanswered.ts';
import { deployView, windowView } from './views.ts';

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
  /** Why no worker answers for what runs; `null` where one does, or was not asked. */
  readonly unanswered: string | null;
}

export interface Listing {
  readonly rows: readonly ListRow[];
  /** Whether there are more than were asked for. */
  readonly more: boolean;
}

/** The most that are asked how far they are, so that a list of hundreds comes at once. */
const ASKED = 100;

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

type Answer = Pick<ListRow, 'window' | 'unanswered'>;

async function withProgress(temporal: Client, executions: readonly Execution[]): Promise<ListRow[]> {
  const answers = new Map<Execution, Answer>();
  for (const those of byTaskQueue(executions.filter(({ running }) => running))) {
    const [first, ...others] = those;
    const answer = await ask(temporal, first);
    answers.set(first, answer);
    // One is asked first: without a worker the others would only wait as long as it did.
    if (answer.unanswered === null || isItsOwnFailure(answer.unanswered))
      await Promise.all(others.slice(0, ASKED).map(async (other) => answers.set(other, await ask(temporal, other))));
    else for (const other of others) answers.set(other, answer);
  }
  return executions.map((execution) => ({ ...execution, ...(answers.get(execution) ?? NO_ANSWER) }));
}

const NO_ANSWER: Answer = { window: null, unanswered: null };

function byTaskQueue(executions: readonly Execution[]): readonly [Execution, ...Execution[]][] {
  const queues = new Map<string, [Execution, ...Execution[]]>();
  for (const execution of executions) {
    const those = queues.get(execution.taskQueue);
    if (those === undefined) queues.set(execution.taskQueue, [execution]);
    else those.push(execution);
  }
  return [...queues.values()];
}

async function ask(temporal: Client, execution: Execution): Promise<Answer> {
  try {
    if (execution.kind === 'deploy') {
      const { unanswered } = await deployView(temporal, execution);
      return { window: null, unanswered };
    }
    const { status, unanswered } = await windowView(temporal, execution);
    if (status === null) return { window: null, unanswered };
    const { tick, plannedTicks, endsAt, outcome } = status;
    return { window: { tick, plannedTicks, endsAt, outcome }, unanswered: null };
  } catch {
    return NO_ANSWER; // it may have ended since it was listed
  }
}
