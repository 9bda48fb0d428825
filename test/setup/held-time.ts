import { onTestFinished, vi } from 'vitest';

/**
 * Holds what `setTimeout` waits for until the test lets the time pass, or ends: no time-out of the code under test expires because the
 * machine is slow. Sockets, child processes and `node:timers/promises` go on.
 * @param clock whether `performance.now()` is held as well
 */
export function holdTime({ clock = true } = {}): { readonly pass: (ms: number) => void } {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', ...(clock ? (['performance'] as const) : [])] });
  onTestFinished(() => void vi.useRealTimers());
  return { pass: (ms) => void vi.advanceTimersByTime(ms) };
}
