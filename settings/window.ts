import { type Cadence, MAX_TICKS, mostTicks } from '../decisions/index.ts';

/** A time as it was given, with what a message calls it. */
export interface GivenTime {
  /** Milliseconds; `null`: not given; `NaN`: given wrong, and told already (no comparison with it is ever true). */
  readonly ms: number | null;
  /** What a fault in it begins with: a variable, or a place in a file with its path. */
  readonly subject: string;
  /** What it is called in a fault in another one. */
  readonly called: string;
  /** In the repositories file, which is nearer to the mistake than what all repositories share. */
  readonly inFile: boolean;
}

export type GivenTimes = Readonly<Record<'window' | 'interval' | 'confirm' | 'maxWindow' | 'rollbackWatch', GivenTime>>;

export interface WindowTimes extends Cadence {
  readonly maxWindowMs: number;
  readonly rollbackWatchMs: number;
}

const DEFAULT_MS = { window: 900_000, interval: 30_000, confirm: 5_000, maxWindow: 3_600_000, rollbackWatch: 300_000 };

/** What holds where a time is not given is never in conflict with those that are: it makes way. */
export function windowTimes(given: GivenTimes): WindowTimes {
  const windowMs = given.window.ms ?? DEFAULT_MS.window;
  const intervalMs = given.interval.ms ?? Math.min(DEFAULT_MS.interval, windowMs);
  const confirmMs = given.confirm.ms ?? Math.min(DEFAULT_MS.confirm, intervalMs);
  const longest = Math.floor(MAX_TICKS / Math.ceil(intervalMs / confirmMs)) * intervalMs;
  const maxWindowMs = given.maxWindow.ms ?? Math.max(windowMs, Math.min(DEFAULT_MS.maxWindow, longest));
  return {
    windowMs,
    intervalMs,
    confirmMs,
    maxWindowMs,
    rollbackWatchMs: given.rollbackWatch.ms ?? DEFAULT_MS.rollbackWatch,
  };
}

const inSeconds = (ms: number): string => String(ms / 1_000);

/** `shorter` must not be longer than `longer`: told of the one that is nearer to the mistake. */
function atMost(shorter: GivenTime, shorterMs: number, longer: GivenTime, longerMs: number): string[] {
  if (!(shorterMs > longerMs)) return [];
  return longer.inFile && !shorter.inFile
    ? [`${longer.subject} must be at least ${shorter.called} (${inSeconds(shorterMs)}), got ${inSeconds(longerMs)}`]
    : [`${shorter.subject} must be at most ${longer.called} (${inSeconds(longerMs)}), got ${inSeconds(shorterMs)}`];
}

function tooManyLooks(of: GivenTime, cadence: Cadence): string[] {
  const looks = mostTicks(cadence);
  if (Object.values(cadence).some(Number.isNaN) || looks <= MAX_TICKS) return [];
  return [
    `${of.subject} must take at most ${MAX_TICKS} looks, got ${inSeconds(cadence.windowMs)}, which may take ${looks} (one every ${inSeconds(cadence.intervalMs)} s, or ${inSeconds(cadence.confirmMs)} s while health fails): make it shorter, or those longer`,
  ];
}

/** What is wrong between the times of a window: confirm <= interval <= window <= max window, and not too many looks. */
export function windowFaults(given: GivenTimes): string[] {
  const { windowMs, intervalMs, confirmMs, maxWindowMs, rollbackWatchMs } = windowTimes(given);
  const cadence = { windowMs, intervalMs, confirmMs };
  const order = [
    ...atMost(given.confirm, confirmMs, given.interval, intervalMs),
    ...atMost(given.interval, intervalMs, given.window, windowMs),
    ...atMost(given.window, windowMs, given.maxWindow, maxWindowMs),
  ];
  if (order.length > 0) return order; // the number of looks says nothing then
  const inWindow = tooManyLooks(given.window, cadence);
  return [
    ...inWindow,
    ...(inWindow.length > 0 ? [] : tooManyLooks(given.maxWindow, { ...cadence, windowMs: maxWindowMs })),
    // After a rollback production is looked at as often as a failure is confirmed.
    ...tooManyLooks(given.rollbackWatch, { windowMs: rollbackWatchMs, intervalMs: confirmMs, confirmMs }),
  ];
}
