import { sleep } from '@temporalio/workflow';

/** How far a worker's clock may be ahead of Temporal's, ms. Machines that ask a time server are much closer. */
const AHEAD_MS = 10_000;

/**
 * What a worker has seen, with its time by Temporal's clock where the worker's own is ahead: a clock that jumps would cut a window short.
 * What comes on time is taken as it is. What comes late may be so because no worker ran; the workflow's time is old then, and only a
 * task that a timer begins has the time of now.
 *
 * @param dueAt when it was due, or a moment before it
 */
export async function byTemporalsClock<T extends { readonly at?: number }>(
  seen: T,
  dueAt: number,
  note: (text: string) => void,
): Promise<T> {
  if (seen.at === undefined || seen.at <= dueAt + AHEAD_MS) return seen;
  await sleep(1, { summary: 'was it late, or is the clock of its worker ahead?' });
  const now = Date.now();
  const aheadMs = seen.at - now;
  if (aheadMs <= AHEAD_MS) return seen;
  const minutes = Math.max(1, Math.round(aheadMs / 60_000)); // rounded, so that each look says the same
  note(`the clock of a worker is some ${minutes} min ahead of Temporal's: what it sees counts by Temporal's time`);
  return { ...seen, at: now };
}
