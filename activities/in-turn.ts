import { asyncLocalStorage } from '@temporalio/activity';
import type { Budget, Priority } from '../adapters/plane/budget.ts';

/** The most requests of one piece of work, as a rule. */
const REQUESTS = {
  /** The work item is read, and written. */
  run: 2,
  /** Project, states, work item, and under the lock the work item again and its write. */
  correction: 5,
  sweep: 5,
} as const satisfies Record<Priority, number>;

/** How long a piece of work waits for its turn, ms: of the 45 s of its activity the rest must be enough. */
const TURN_MS = { run: 20_000, correction: 10_000, sweep: 10_000 } as const satisfies Record<Priority, number>;

/**
 * Runs work that asks the tracker in its turn: it begins once its requests are left of the rate limit, and before it holds any lock.
 * @throws PlaneBudgetSpent where that is not soon, and what the work throws
 */
export type InTurn = <T>(priority: Priority, work: () => Promise<T>) => Promise<T>;

export const createInTurn =
  (within: Budget['within']): InTurn =>
  (priority, work) => {
    const signal = asyncLocalStorage.getStore()?.cancellationSignal;
    return within({ priority, requests: REQUESTS[priority], withinMs: TURN_MS[priority], signal }, work);
  };
