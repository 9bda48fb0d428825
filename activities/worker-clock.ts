/** Two clocks that differ by so much, ms, count as one. */
const SAME_CLOCK_MS = 1_000;

/** A moment, as a worker tells it. */
export interface WorkerTime {
  /** By the worker's clock, or by Temporal's where that is known to be later, epoch ms. */
  readonly at: number;
  /**
   * How far the worker's clock is from the time that it knew of Temporal's, ms; absent where that is a second at most. Negative: it is
   * behind. Positive: it is ahead, or the time that it knew was old.
   */
  readonly aheadMs?: number;
}

/** Now. @param temporalMs a moment by Temporal's clock that has passed, epoch ms */
export function workerTime(temporalMs: number): WorkerTime {
  const own = Date.now();
  const aheadMs = own - temporalMs;
  return { at: Math.max(own, temporalMs), ...(Math.abs(aheadMs) > SAME_CLOCK_MS ? { aheadMs } : {}) };
}

/** For workflows: `tellTime` is `workerTime`. */
export const workerClock = { tellTime: async (temporalMs: number): Promise<WorkerTime> => workerTime(temporalMs) };

export type WorkerClock = typeof workerClock;
