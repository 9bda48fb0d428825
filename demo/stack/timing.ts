import type { DemoOptions } from '../options.ts';

/** The times of a demo. */
export interface Timing {
  /** The `window` block of the repositories file, but for the action; what it leaves out is the settings' default. */
  readonly window: Readonly<Record<string, number>>;
  readonly windowMs: number;
  readonly intervalMs: number;
  /** How long after the last write a status is read back; `null`: the settings' default. */
  readonly settleSeconds: number | null;
  readonly settleMs: number;
  /** Between two sweeps, where nothing else finds what others have written. */
  readonly sweepSeconds: number;
  /** Longest wait for anything that should happen by itself within moments. */
  readonly patienceMs: number;
}

/** A worker that was killed is followed by its next one 5 to 10 s later: a window must outlast that. */
const CRASH_WINDOW_SECONDS = 60;

export function timingOf({ time, scenario }: DemoOptions): Timing {
  if (time === 'real') {
    return {
      window: {},
      windowMs: 900_000,
      intervalMs: 30_000,
      settleSeconds: null,
      settleMs: 60_000,
      sweepSeconds: 60,
      patienceMs: 120_000,
    };
  }
  const seconds = scenario === 'crash' ? CRASH_WINDOW_SECONDS : 15;
  return {
    // Ten looks at two pages each: enough requests for the error ratio to count. Timers of Temporal take a second at the least.
    window: { seconds, intervalSeconds: 1.5, confirmSeconds: 1, minRequests: 10, rollbackWatchSeconds: 30 },
    windowMs: seconds * 1_000,
    intervalMs: 1_500,
    // Plane is on this machine and answers in milliseconds; in earnest a write can be in flight for most of a minute.
    settleSeconds: 2,
    settleMs: 2_000,
    sweepSeconds: 5,
    patienceMs: 30_000,
  };
}
