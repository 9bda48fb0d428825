import { inline, table } from './markdown.ts';
import type { TickRecord } from './window-report.ts';

const HEAD = ['tick', 'time (UTC)', 'after', 'health', 'requests', '5xx', 'note'];

export const utc = (at: number): string => new Date(at).toISOString();

/** What stands for a time that is none. */
export const when = (at: number): string => (Number.isFinite(at) && Math.abs(at) <= 8.64e15 ? utc(at) : '–');

const offset = (ms: number): string => `${ms < 0 ? '-' : '+'}${(Math.abs(ms) / 1_000).toFixed(1)} s`;

/**
 * Looks as a table, in the order in which they were taken, with a row for each gap of ticks that nobody took.
 * @param missed all ticks that were missed, so that those after the last look get their row too
 */
export function renderTicks(ticks: readonly TickRecord[], openedAt: number, missed: number): string {
  if (ticks.length === 0) return missed === 0 ? 'No look was taken.' : `No look was taken; ${missed} were missed.`;
  const rows: string[][] = [];
  let before = 0;
  let left = missed;
  let said = false;
  for (const tick of ticks) {
    const gap = Math.min(left, tick.tick - before - 1);
    if (gap > 0) rows.push(missedRow(before + 1, gap));
    left -= Math.max(0, gap);
    before = tick.tick;
    rows.push(tickRow(tick, openedAt, said));
    said ||= tick.detail !== undefined;
  }
  if (left > 0) rows.push(missedRow(before + 1, left));
  return table(HEAD, rows, ['r', 'l', 'r', 'l', 'r', 'r', 'l']);
}

const missedRow = (first: number, count: number): string[] => [
  count === 1 ? `${first}` : `${first}–${first + count - 1}`,
  '–',
  '–',
  'missed',
  '–',
  '–',
  'no worker ran',
];

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
