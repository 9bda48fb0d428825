import { oneLine } from '../../decisions/shown-text.ts';
import { duration } from '../../workflows/duration.ts';
import type { ListRow } from '../list.ts';
import { fitColumns, formatTable } from './table.ts';
import { type Paint, plain, words } from './text.ts';
import { relative } from './time.ts';

const HEAD = ['WORK ITEM', 'REPO', 'KIND', 'PHASE', 'VERDICT', 'PROGRESS', 'STARTED'];
const HEAD_OF_ALL = ['WORK ITEM', 'REPO', 'KIND', 'VERSION', 'OUTCOME', 'STARTED', 'DURATION'];

/** The columns that are shortened where the table is too wide: REPO and VERSION. */
const SHRINKING = [1, 3];

/** What is not known. */
const NONE = '–';

/** Deploys and windows that run as a table, one a line. */
export function formatList(rows: readonly ListRow[], now: number, paint: Paint = plain): string {
  const cells = rows.map((row) => [
    oneLine(row.workItem),
    oneLine(row.repo),
    row.kind,
    phase(row),
    verdict(row, paint),
    progress(row, now),
    relative(row.startedAt, now),
  ]);
  return formatTable(HEAD, cells, paint);
}

/** The most work items that are named for one reason. */
const NAMED = 5;

/** Why no worker answers for some of them: a line a reason. */
export function formatUnanswered(rows: readonly ListRow[]): string[] {
  const reasons = new Map<string, string[]>();
  for (const { unanswered, workItem, kind } of rows) {
    if (unanswered === null) continue;
    reasons.set(unanswered, [...(reasons.get(unanswered) ?? []), `${oneLine(workItem)} (${kind})`]);
  }
  return [...reasons].map(([why, names]) => {
    const others = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
    return `${oneLine(why)}: ${names.slice(0, NAMED).join(', ')}${others}`;
  });
}

/**
 * Those that have ended, too: how, and how long they took.
 * @param width of the terminal: names and versions are shortened to it
 */
export function formatListOfAll(
  rows: readonly ListRow[],
  now: number,
  paint: Paint = plain,
  width: number = Number.POSITIVE_INFINITY,
): string {
  const cells = rows.map((row) => [
    oneLine(row.workItem),
    oneLine(row.repo),
    row.kind,
    row.version === null ? NONE : oneLine(row.version),
    outcome(row, paint),
    roughly(relative(row.startedAt, now)),
    duration((row.closedAt ?? now) - row.startedAt),
  ]);
  return formatTable(HEAD_OF_ALL, fitColumns(HEAD_OF_ALL, cells, SHRINKING, width), paint);
}

const GOOD: ReadonlySet<string> = new Set(['done', 'already_done', 'healthy']);

/** Of what runs its phase, in brackets. An execution that did not come to its own end shows how it was ended. */
function outcome(row: ListRow, paint: Paint): string {
  const { running, status, verdict: said, outcome: its } = row;
  if (its !== null) return (GOOD.has(its) ? paint.good : paint.bad)(words(its));
  if (running) return said === 'DEGRADED' ? paint.bad(`(${phase(row)}, ${said})`) : `(${phase(row)})`;
  return status === 'COMPLETED' ? NONE : paint.bad(words(status.toLowerCase()));
}

/** `3 d ago` for `3 d 2 h ago`. */
const roughly = (time: string): string => time.replace(/(\d+ [a-z]+) \d+ [a-z]+/, '$1');

const phase = ({ phase: said, status }: ListRow): string => words(said ?? status.toLowerCase());

function verdict({ verdict: said }: ListRow, paint: Paint): string {
  if (said === null) return '';
  if (said === 'HEALTHY') return paint.good(said);
  return (said === 'DEGRADED' ? paint.bad : paint.warn)(oneLine(said));
}

function progress({ window }: ListRow, now: number): string {
  if (window === null) return '';
  const at = `tick ${window.tick}/${window.plannedTicks}`;
  return window.outcome === null ? `${at}, ${duration(window.endsAt - now)} left` : `${at}, ${words(window.outcome)}`;
}
