import { sleep } from '@temporalio/workflow';
import { duration } from './duration.ts';
import { hasRules, type WindowState } from './window-state.ts';

/** How far a worker's clock may be ahead of Temporal's, ms: a request takes as long. In windows of earlier versions it was 10 s. */
const AHEAD_MS = 1_000;
const AHEAD_MS_BEFORE_4 = 10_000;

/** What every note about a clock begins with. */
export const CLOCK_NOTE = 'the clock of a worker is some ';

interface Seen {
  /** By the clock of its worker, or by Temporal's where that is known to be later. */
  readonly at?: number;
  /** How long it took. */
  readonly ms?: number;
  /** How far the worker's clock was behind Temporal's, where that is more than a second. */
  readonly behindMs?: number;
}

/**
 * What a worker has seen, with its time by Temporal's clock where the worker's own is ahead: a clock that jumps would cut a window short.
 * What comes on time is taken as it is. What comes late may be so because no worker ran; the workflow's time is old then, and only a
 * task that a timer begins has the time of now.
 *
 * @param dueAt when it was due, or a moment before it
 */
export async function byTemporalsClock<T extends Seen>(
  seen: T,
  dueAt: number,
  state: WindowState,
  note: (text: string) => void,
): Promise<T> {
  const rules4 = hasRules(state, 4);
  const toleranceMs = rules4 ? AHEAD_MS : AHEAD_MS_BEFORE_4;
  if (seen.behindMs !== undefined) note(noteOf(seen.behindMs, 'behind'));
  if (seen.at === undefined || seen.at <= dueAt + toleranceMs) return seen;
  await sleep(1, { summary: 'was it late, or is the clock of its worker ahead?' });
  const at = Date.now() - (rules4 ? (seen.ms ?? 0) : 0);
  const aheadMs = seen.at - at;
  if (aheadMs <= toleranceMs) return seen;
  note(noteOf(aheadMs, 'ahead of'));
  return { ...seen, at };
}

const noteOf = (ms: number, where: 'behind' | 'ahead of'): string =>
  `${CLOCK_NOTE}${duration(Math.round(ms / 1_000) * 1_000)} ${where} Temporal's: what it sees counts by Temporal's time`;
