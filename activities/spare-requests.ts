import { ApplicationFailure } from '@temporalio/common';
import { oneAtATime } from '../adapters/one-at-a-time.ts';

/** The most requests of one look, as a rule: project, states, work item, and under the lock the work item again and its write. */
const LOOK_REQUESTS = 5;

/** So many may wait for their turn: each holds an activity slot of its worker, which runs need, too. */
const MOST_WAITING = 4;

/** Whose turn comes later than this, ms, looks no more: of the 45 s of its activity the rest would be too short. */
const TURN_MS = 10_000;

/** How long it is until the next try, ms: for the others, and where too few requests are left. */
const RETRY_MS = { turn: 5_000, spare: 15_000 };

/**
 * Keeps some of Plane's rate limit for the writes of runs: whoever could as well wait looks at Plane through it. In one process one looks
 * at a time, so that each knows what those before it have used.
 * @param left requests that are left this minute, whoever uses the key; `null`: nobody knows, and a look finds out.
 * @param keep how many are kept.
 * @returns what runs a look; it throws ApplicationFailure `PlaneBudget`, to be tried again a little later, and what the look throws.
 */
export function createSpareRequests(left: () => number | null, keep: number) {
  const inTurn = oneAtATime();
  let begun = 0;
  return async <T>(look: () => Promise<T>): Promise<T> => {
    if (begun > MOST_WAITING) throw putOff(`${MOST_WAITING} looks at Plane wait for their turn`, RETRY_MS.turn);
    const since = performance.now();
    begun += 1;
    return inTurn('looks', async () => {
      if (performance.now() - since > TURN_MS)
        throw putOff(`the looks at Plane before it took more than ${TURN_MS / 1_000} s`, RETRY_MS.turn);
      const now = left();
      if (now !== null && now - LOOK_REQUESTS < keep)
        throw putOff(
          `${now} requests are left of Plane's rate limit, a look takes up to ${LOOK_REQUESTS}, and ${keep} are kept for the writes of runs (ORCH_SWEEP_KEEP_REQUESTS)`,
          RETRY_MS.spare,
        );
      return look();
    }).finally(() => {
      begun -= 1;
    });
  };
}

const putOff = (why: string, nextRetryDelay: number): ApplicationFailure =>
  ApplicationFailure.create({ type: 'PlaneBudget', message: `${why}: it waits`, nextRetryDelay });
