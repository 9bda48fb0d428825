import { sleep } from '@temporalio/workflow';
import type { WorkerTime } from '../activities/worker-clock.ts';
import { duration } from './duration.ts';
import { hasRules, type WindowState } from './window-state.ts';

/** How far a worker's clock may be ahead of Temporal's, ms: a request takes as long. */
const AHEAD_MS = 1_000;

/** In windows of earlier versions. */
const AHEAD_MS_BEFORE_4 = 10_000;

/** What every note about a clock begins with. */
export const CLOCK_NOTE = 'the clock of a worker is some ';

interface Seen extends Partial<WorkerTime> {
  /** How long it took. */
  readonly ms?: number;
}

/**
 * Whether the clock of the worker that has seen something may differ from Temporal's. A check of its own, without a promise: each slows replays.
 * @param dueAt when it was due, or a moment before it
 */
export function mayDiffer({ at, aheadMs = 0 }: Seen, dueAt: number, state: WindowState): boolean {
  if (hasRules(state, 4)) return aheadMs !== 0;
  return hasRules(state, 3) && at !== undefined && at > dueAt + AHEAD_MS_BEFORE_4;
}

/**
 * What a worker has seen, where its clock may differ, with its time by Temporal's clock if its own is ahead: a clock that jumps would cut
 * a window short. What comes late may be so because no worker ran; the workflow's time is old then, and only a task that a timer begins
 * has the time of now. Where the worker's clock is behind, the worker has taken Temporal's time itself.
 */
export async function byTemporalsClock<T extends Seen>(
  seen: T,
  state: WindowState,
  note: (text: string) => void,
): Promise<T> {
  const { at, ms = 0, aheadMs = 0 } = seen;
  const rules4 = hasRules(state, 4);
  if (rules4 && aheadMs < 0) note(noteOf(-aheadMs, 'behind'));
  if (at === undefined || (rules4 && aheadMs <= 0)) return seen;
  await sleep(1, { summary: 'was it late, or is the clock of its worker ahead?' });
  const byTemporal = Date.now() - (rules4 ? ms : 0);
  if (at - byTemporal <= (rules4 ? AHEAD_MS : AHEAD_MS_BEFORE_4)) return seen;
  note(noteOf(at - byTemporal, 'ahead of'));
  return { ...seen, at: byTemporal };
}

const noteOf = (ms: number, where: 'behind' | 'ahead of'): string =>
  `${CLOCK_NOTE}${duration(Math.round(ms / 1_000) * 1_000)} ${where} Temporal's: what it sees counts by Temporal's time`;
