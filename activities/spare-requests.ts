import { ApplicationFailure } from '@temporalio/common';

/** How long a read waits where it must leave the rest of the requests to the writes of runs, ms. */
const SPARE_MS = 15_000;

/**
 * Keeps some of Plane's rate limit for the writes of runs: whoever could as well wait calls it before it reads.
 * @param left requests that are left this minute, whoever uses the key; `null`: nobody knows.
 * @param keep how many are kept.
 * @throws ApplicationFailure `PlaneBudget`, to be tried again a little later.
 */
export const createSpareRequests = (left: () => number | null, keep: number) => (): void => {
  const now = left();
  if (now === null || now > keep) return;
  throw ApplicationFailure.create({
    type: 'PlaneBudget',
    message: `${now} requests are left of Plane's rate limit, which are kept for the writes of runs (ORCH_SWEEP_KEEP_REQUESTS): it waits`,
    nextRetryDelay: SPARE_MS,
  });
};
