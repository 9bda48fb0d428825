import { duration } from '../adapters/deploy/duration.ts';
import { type Grid, skippedDuring } from '../decisions/index.ts';
import { inline } from '../workflows/markdown.ts';
import { table } from './markdown.ts';
import type { TickRecord } from './window-report.ts';

const HEAD = ['tick', 'time (UTC)', 'after', 'health', 'requests', 'failed', 'note'];

export const utc = (at: number): string => new Date(at).toISOString();

/** What stands for a time that is none. */
export const when = (at: number): string => (Number.isFinite(at) && Math.abs(at) <= 8.64e15 ? utc(at) : '–');

const offset = (ms: number): string => `${ms < 0 ? '-' : '+'}${(Math.abs(ms) / 1_000).toFixed(1)} s`;

/**
 * Looks as a table, in the order in which they were taken, with a row for each gap of ticks that nobody took.
 * @param missed all ticks that nobody took, so that those after the last look get their row too
 */
export function renderTicks(
  ticks: readonly TickRecord[],
  { openedAt, intervalMs, missed }: { readonly openedAt: number; readonly intervalMs: number; readonly missed: number },
): string {
  if (ticks.length === 0) return missed === 0 ? 'No look was taken.' : `No look was taken; ${missed} were missed.`;
  const grid = { openedAt, intervalMs, endsAt: Number.MAX_SAFE_INTEGER };
  const rows: string[][] = [];
  let before: TickRecord | null = null;
  let left = missed;
  let said = false;
  for (const tick of ticks) {
    const gap = Math.max(0, Math.min(left, tick.tick - (before?.tick ?? 0) - 1));
    rows.push(...missedRows(before, gap, grid));
    left -= gap;
    before = tick;
    rows.push(tickRow(tick, openedAt, said));
    said ||= tick.detail !== undefined;
  }
  rows.push(...missedRows(before, left, grid));
  return table(HEAD, rows, ['r', 'l', 'r', 'l', 'r', 'r', 'l']);
}

/** The ticks after a look that nobody took: those that passed while it was still running, and those at which no worker ran. */
function missedRows(before: TickRecord | null, count: number, grid: Grid): string[][] {
  const first = (before?.tick ?? 0) + 1;
  const skipped = skippedDuring(grid, before, count);
  return [
    ...gapRow(first, skipped, 'skipped', `previous probe took ${duration(before?.tookMs ?? 0)}`),
    ...gapRow(first + skipped, count - skipped, 'missed', 'no worker ran'),
  ];
}

const gapRow = (first: number, count: number, what: string, why: string): string[][] =>
  count === 0 ? [] : [[count === 1 ? `${first}` : `${first}–${first + count - 1}`, '–', '–', what, '–', '–', why]];

function tickRow(tick: TickRecord, openedAt: number, said: boolean): string[] {
  const { health, requests, errors5xx, detail, confirming } = tick;
  const why = detail ?? (health !== 'pass' && said ? 'as before' : '');
  const notes = [confirming ? 'confirms' : '', why].filter((note) => note !== '');
  return [
    `${tick.tick}`,
    when(tick.at),
    offset(tick.at - openedAt),
    health === 'fail' ? '**fail**' : health,
    `${requests}`,
    `${errors5xx}`,
    inline(notes.join('; ')),
  ];
}
