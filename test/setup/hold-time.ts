import { onTestFinished, vi } from 'vitest';

export interface HeldTime {
  /** Lets so much time pass, ms. */
  readonly pass: (ms: number) => void;
}

/** Holds `setTimeout` until the test lets time pass, or ends. Sockets, child processes and `node:timers/promises` go on. */
export const holdTimers = (): HeldTime => hold('setTimeout', 'clearTimeout');

/** Holds `performance.now()` as well. */
export const holdTime = (): HeldTime => hold('setTimeout', 'clearTimeout', 'performance');

function hold(...toFake: ('setTimeout' | 'clearTimeout' | 'performance')[]): HeldTime {
  vi.useFakeTimers({ toFake });
  onTestFinished(() => void vi.useRealTimers());
  return { pass: (ms) => void vi.advanceTimersByTime(ms) };
}
