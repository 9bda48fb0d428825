import { asyncLocalStorage, type Context } from '@temporalio/activity';
import type { Budget, Priority } from '../adapters/plane/budget.ts';

/** The most requests of one piece of work, as a rule. */
const REQUESTS = {
  /** The work item is read, and written; once in a while the project's states are asked for. */
  run: 3,
  /** Project, states, work item, and under the lock the work item again and its write. */
  correction: 5,
  sweep: 5,
} as const satisfies Record<Priority, number>;

/** How long a piece of work waits for its turn, ms: of the 45 s of its activity the rest must be enough for lock, read and write. */
const TURN_MS = 10_000;

/** What is left of the time of an activity then is of no use, ms. */
const TOO_SHORT_MS = 1_000;

/** How long the activity that runs may still wait, ms. */
function turnMs(context: Context | undefined): number {
  if (context === undefined) return TURN_MS;
  const { scheduledTimestampMs, scheduleToCloseTimeoutMs } = context.info;
  const endsInMs = scheduledTimestampMs + scheduleToCloseTimeoutMs - Date.now();
  return scheduleToCloseTimeoutMs > 0 ? Math.max(0, Math.min(TURN_MS, endsInMs - TOO_SHORT_MS)) : TURN_MS;
}

/**
 * Runs work that asks the tracker in its turn: it begins once its requests are left of the rate limit, and before it holds any lock.
 * @throws PlaneBudgetSpent where that is not soon, and what the work throws
 */
export type InTurn = <T>(priority: Priority, work: () => Promise<T>) => Promise<T>;

export const createInTurn =
  (within: Budget['within']): InTurn =>
  (priority, work) => {
    const context = asyncLocalStorage.getStore();
    const limits = { withinMs: turnMs(context), signal: context?.cancellationSignal };
    return within({ priority, requests: REQUESTS[priority], ...limits }, work);
  };
