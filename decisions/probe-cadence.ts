import { numberIn } from './total.ts';

/** When a window looks at production. All times in whole milliseconds. */
export interface Cadence {
  readonly windowMs: number;
  /** Distance of the ticks on the grid. */
  readonly intervalMs: number;
  /** Distance of the looks that confirm a failure, until its streak breaks. */
  readonly confirmMs: number;
}

/** The most looks that one window may take: its observations are kept whole, in the workflow (design, `classify`). */
export const MAX_TICKS = 3_000;

/**
 * The most looks that a cadence can lead to: at every tick, and at every confirmation of a failure between two ticks (an
 * interval of 30 s with 25 s to confirm takes two looks an interval, 25 s and 5 s apart). `Infinity` for a cadence that
 * makes no sense, so that no limit lets it pass. Never throws.
 */
export function mostTicks(cadence: Cadence): number {
  const intervalMs = numberIn(cadence, 'intervalMs');
  const confirmMs = numberIn(cadence, 'confirmMs');
  const most = Math.floor(numberIn(cadence, 'windowMs') / intervalMs) * Math.ceil(intervalMs / confirmMs);
  return Math.min(intervalMs, confirmMs) > 0 && most >= 0 ? most : Number.POSITIVE_INFINITY;
}

/**
 * When the n-th look is due, ms after the opening, in a window whose health fails from its first look on. `Infinity` for what makes
 * no sense, so that no window is long enough for it. Never throws.
 */
export function failuresTakeMs(cadence: Pick<Cadence, 'intervalMs' | 'confirmMs'>, failures: number): number {
  const intervalMs = numberIn(cadence, 'intervalMs');
  const confirmMs = numberIn(cadence, 'confirmMs');
  const anInterval = Math.ceil(intervalMs / confirmMs);
  const before = failures - 1;
  const ms = intervalMs * (1 + Math.floor(before / anInterval)) + confirmMs * (before % anInterval);
  return Math.min(intervalMs, confirmMs) > 0 && before >= 0 && Number.isFinite(ms) ? ms : Number.POSITIVE_INFINITY;
}

/** The looks of a window whose health fails from its first look on: its longest possible streak. Never throws. */
export function longestStreak(cadence: Cadence): number {
  const intervalMs = numberIn(cadence, 'intervalMs');
  const confirmMs = numberIn(cadence, 'confirmMs');
  const windowMs = numberIn(cadence, 'windowMs');
  const ticks = Math.floor(windowMs / intervalMs);
  const sinceLastTick = Math.floor((windowMs - ticks * intervalMs) / confirmMs);
  const looks = (ticks - 1) * Math.ceil(intervalMs / confirmMs) + 1 + sinceLastTick;
  return Math.min(intervalMs, confirmMs) > 0 && ticks >= 1 && Number.isFinite(looks) ? looks : 0;
}

/** The ticks of a window: one at each whole interval after its opening, the last one at its end at the latest. */
export interface Grid {
  readonly openedAt: number;
  readonly endsAt: number;
  readonly intervalMs: number;
}

/** The whole intervals between a grid's opening and a moment; 0 before the first, or where there is no telling. */
function intervalsUntil(grid: Grid, at: number | null): number {
  const intervalMs = numberIn(grid, 'intervalMs');
  if (typeof at !== 'number' || !(intervalMs > 0)) return 0;
  const intervals = Math.floor((at - numberIn(grid, 'openedAt')) / intervalMs);
  return Number.isFinite(intervals) ? Math.max(0, intervals) : 0;
}

/** How many ticks a grid holds. Never throws. */
export const plannedTicks = (grid: Grid): number => intervalsUntil(grid, numberIn(grid, 'endsAt'));

/** The number of the last tick at or before a moment, counting on past the window's end; 0 before the first. Never throws. */
export const tickAt = (grid: Grid, at: number): number => intervalsUntil(grid, at);

/**
 * When to look next, on the absolute grid, so that lateness never accumulates: the first tick after the last look, or
 * `confirmMs` after it while a streak of failures stands, whichever comes first. `null`: the window ends before, or the
 * grid makes no sense. Never throws, and never answers a moment that is not after the last look: that would be a loop.
 */
export function nextLookAt(
  grid: Grid,
  last: { readonly at: number; readonly confirmAfterMs: number | null } | null,
): number | null {
  const openedAt = numberIn(grid, 'openedAt');
  const from = last === null ? openedAt : numberIn(last, 'at');
  const onGrid = openedAt + (tickAt(grid, from) + 1) * numberIn(grid, 'intervalMs');
  const confirmAfterMs = numberIn(last, 'confirmAfterMs');
  const next = confirmAfterMs > 0 ? Math.min(onGrid, from + confirmAfterMs) : onGrid;
  return next > from && next <= numberIn(grid, 'endsAt') ? next : null;
}

/**
 * What a look taken now stands for: the number of its tick, and how many ticks before it were missed since the last look
 * because no worker ran (they are recorded, not made up for). `null`: the last tick of the window, too, is over by an
 * interval or more, so that what is seen now says nothing about the window. Never throws.
 */
export function lookNow(
  grid: Grid,
  lastAt: number | null,
  now: number,
): { readonly tick: number; readonly missed: number } | null {
  const tick = tickAt(grid, now);
  if (tick > plannedTicks(grid)) return null;
  return { tick, missed: Math.max(0, tick - intervalsUntil(grid, lastAt) - 1) };
}

/**
 * How many of the ticks that were missed after a look passed while that look was still running: a worker was there, but busy.
 * Never throws.
 */
export function skippedDuring(
  grid: Grid,
  last: { readonly at: number; readonly tookMs?: number } | null,
  missed: number,
): number {
  const at = numberIn(last, 'at');
  const during = intervalsUntil(grid, at + numberIn(last, 'tookMs')) - intervalsUntil(grid, at);
  return Math.max(0, Math.min(Number.isFinite(missed) ? missed : 0, during));
}

/** Ticks that a window which ends now has missed since its last look. Never throws. */
export const missedAtEnd = (grid: Grid, lastAt: number | null, now: number): number =>
  Math.max(0, Math.min(plannedTicks(grid), tickAt(grid, now)) - intervalsUntil(grid, lastAt));
