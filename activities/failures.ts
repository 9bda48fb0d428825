import { ApplicationFailure } from '@temporalio/common';
import { PlaneBudgetSpent } from '../adapters/plane/budget.ts';
import {
  PlaneAmbiguousState,
  PlaneForbidden,
  PlaneMisconfigured,
  PlaneNotFound,
  PlaneRateLimited,
  PlaneRejected,
  PlaneUnauthorized,
  PlaneUnknownState,
} from '../adapters/plane/errors.ts';
import { needsPerson } from '../adapters/postgres/querier.ts';
import { grpcMessage, isRefusal } from '../adapters/temporal/grpc-errors.ts';

/**
 * Every type of failure that activities hand to workflows, with what a workflow may make of it. docs/errors.md lists them.
 * `retry: false` is what only a person can mend.
 */
export const FAILURE_TYPES = {
  UnknownRepository: { retry: false },
  Refused: { retry: false },
  PlaneUnauthorized: { retry: false },
  PlaneForbidden: { retry: false },
  PlaneNotFound: { retry: false },
  PlaneMisconfigured: { retry: false },
  PlaneUnknownState: { retry: false },
  PlaneAmbiguousState: { retry: false },
  PlaneRejected: { retry: false },
  PlaneRateLimited: { retry: true },
  PlaneBudget: { retry: true },
  PlaneUnavailable: { retry: true },
  LockTimeout: { retry: true },
  DatabaseUnavailable: { retry: true },
  DatabaseRefused: { retry: false },
  TemporalRefused: { retry: false },
  DeployInterrupted: { retry: true },
  NotDescribedHere: { retry: true },
  AlertRejected: { retry: false },
  AlertUnavailable: { retry: true },
  LogRefused: { retry: false },
} as const satisfies Record<string, { readonly retry: boolean }>;

const FOR_A_PERSON = [
  PlaneUnauthorized,
  PlaneForbidden,
  PlaneNotFound,
  PlaneMisconfigured,
  PlaneUnknownState,
  PlaneAmbiguousState,
  PlaneRejected,
];

/** Attempts of an activity in which Plane may refuse a write for what was known from before. */
const STALE_ATTEMPTS = 3;

/**
 * An adapter's error as the failure that Temporal takes: what only a person can mend is not retried, and a rate limit is
 * retried when it is over, not waited out (invariant 4). Anything else stays as it is, and is retried.
 * @param attempt of the activity, from 1
 */
export function asFailure(error: unknown, attempt = 1): unknown {
  if (error instanceof PlaneRateLimited) {
    return ApplicationFailure.create({
      type: error.name,
      message: error.message,
      nextRetryDelay: error.retryAfterMs,
      cause: error,
    });
  }
  if (error instanceof PlaneBudgetSpent) {
    const { message, retryAfterMs: nextRetryDelay } = error;
    return ApplicationFailure.create({ type: 'PlaneBudget', message, nextRetryDelay });
  }
  if (needsPerson(error) && error instanceof Error) {
    const message = `Postgres refuses: ${error.message}`;
    return ApplicationFailure.create({ type: 'DatabaseRefused', message, nonRetryable: true, cause: error });
  }
  if (isRefusal(error) && error instanceof Error) {
    const message = `Temporal refuses: ${grpcMessage(error)}`;
    return ApplicationFailure.create({ type: 'TemporalRefused', message, nonRetryable: true, cause: error });
  }
  // A state that was made anew under its old name is refused by its old id (recording 120); the next attempt finds the new
  // one, as the client forgets what it knew of the project's states. What is refused again is refused for another reason.
  const stale =
    error instanceof PlaneRejected && error.method === 'PATCH' && error.status === 400 && attempt <= STALE_ATTEMPTS;
  const retriable = stale || (error instanceof PlaneRejected && error.writeMayHaveApplied);
  if (!retriable && FOR_A_PERSON.some((known) => error instanceof known) && error instanceof Error) {
    return ApplicationFailure.create({ type: error.name, message: error.message, nonRetryable: true, cause: error });
  }
  return error;
}
