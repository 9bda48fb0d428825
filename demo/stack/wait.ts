import { setTimeout as delay } from 'node:timers/promises';

export interface Wait {
  /** For the message, after "waited in vain": `until the window is open`. */
  readonly until: string;
  readonly withinMs: number;
  readonly signal: AbortSignal;
  /** Default 100 ms. */
  readonly everyMs?: number;
}

/**
 * Asks again and again until there is an answer other than `null`.
 * @throws where there is none in time, what `ask` throws, and the signal's reason.
 */
export async function waitFor<T>(
  ask: () => Promise<T | null> | T | null,
  { until, withinMs, signal, everyMs = 100 }: Wait,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    signal.throwIfAborted();
    const answer = await ask();
    if (answer !== null) return answer;
    if (Date.now() > deadline) throw new Error(`waited in vain ${until}, for ${Math.round(withinMs / 1_000)} s`);
    await pause(everyMs, signal);
  }
}

/** @throws the signal's reason. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
