import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '@temporalio/activity';
import {
  ActivityCancelledError,
  ActivityNotFoundError,
  ActivityPausedError,
  ActivityResetError,
} from '@temporalio/client';
import { duration } from '../adapters/deploy/duration.ts';
import { FENCE_MARGIN_MS } from '../workflows/driver-time-outs.ts';

/** Between two heartbeats, ms, at the most. */
const ASK_EVERY_MS = 2_000;

/** How long one answer is waited for, ms. */
const ANSWER_MS = 5_000;

/** Whether Temporal still counts on this worker for the activity that it runs. */
export interface Fence {
  /** Aborted when Temporal has not answered for so long that it may soon give the activity to another worker. */
  readonly signal: AbortSignal;
  /** Tells how far the activity is. */
  readonly heartbeat: (detail: string) => void;
  /**
   * Resolves once Temporal has answered again, or does not want the result any more. The SDK repeats the answer of an activity
   * for some 10 s only: one that ends in an outage would be lost.
   */
  answered(): Promise<void>;
  release(): void;
}

/**
 * Heartbeats that are acknowledged, beside those of the SDK, which bring cancels but do not tell whether they arrived.
 * An activity with a heartbeat time-out of no more than `FENCE_MARGIN_MS` gets a fence that never closes.
 */
export function createFence(context: Context): Fence {
  const { info, cancellationSignal, heartbeat } = context;
  const limitMs = (info.heartbeatTimeoutMs ?? 0) - FENCE_MARGIN_MS;
  const fenced = new AbortController();
  if (limitMs <= 0) return { signal: fenced.signal, heartbeat, answered: async () => {}, release: () => {} };

  const askEveryMs = Math.min(ASK_EVERY_MS, limitMs / 4);
  const released = new AbortController();
  let said = '';
  let unwanted = false;
  const close = (): void => fenced.abort(new Error(`its worker could not reach Temporal for ${duration(limitMs)}`));
  let timer = setTimeout(close, limitMs);

  /** @throws where Temporal did not answer. */
  async function ask(): Promise<void> {
    const sentAt = performance.now();
    try {
      const { client } = context;
      await client.withDeadline(Date.now() + ANSWER_MS, () => client.activity.heartbeat(info.taskToken, said));
    } catch (error) {
      if (error instanceof ActivityNotFoundError)
        unwanted = true; // the SDK's own heartbeat is told so, too
      else if (!isAnswer(error)) throw error;
    }
    clearTimeout(timer);
    if (!released.signal.aborted) timer = setTimeout(close, limitMs - (performance.now() - sentAt));
  }

  const pause = (): Promise<void> => sleep(askEveryMs, undefined, { signal: released.signal });
  void (async () => {
    while (!unwanted) {
      await pause();
      await ask().catch(() => {});
    }
  })().catch(() => {}); // it was released

  return {
    signal: fenced.signal,
    heartbeat(detail) {
      said = detail;
      heartbeat(detail);
    },
    async answered() {
      for (;;) {
        if (unwanted || cancellationSignal.aborted) return;
        try {
          return await ask();
        } catch {
          await sleep(askEveryMs);
        }
      }
    },
    release() {
      released.abort();
      clearTimeout(timer);
    },
  };
}

const isAnswer = (error: unknown): boolean =>
  [ActivityCancelledError, ActivityPausedError, ActivityResetError].some((kind) => error instanceof kind);
