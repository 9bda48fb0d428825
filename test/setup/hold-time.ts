import { request } from 'undici';
import { onTestFinished, vi } from 'vitest';

// undici keeps one timer for its time-outs, from its first request on: a held one would never fire in any later test of the process.
await request('http://127.0.0.1:1').catch(() => {});

export interface HeldTime {
  /** Lets so much time pass, ms. */
  readonly pass: (ms: number) => void;
}

/**
 * Holds `setTimeout` until the test lets time pass, or ends. Sockets, child processes and `node:timers/promises` go on.
 */
export const holdTimers = (): HeldTime => hold('setTimeout', 'clearTimeout');

/** Holds `performance.now()` as well. */
export const holdTime = (): HeldTime => hold('setTimeout', 'clearTimeout', 'performance');

function hold(...toFake: ('setTimeout' | 'clearTimeout' | 'performance')[]): HeldTime {
  vi.useFakeTimers({ toFake });
  onTestFinished(() => void vi.useRealTimers());
  return { pass: (ms) => void vi.advanceTimersByTime(ms) };
}
