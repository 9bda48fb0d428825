import { duration } from '../../workflows/duration.ts';
import type { ListRow } from '../list.ts';
import { formatTable } from './table.ts';
import { oneLine, type Paint, plain, words } from './text.ts';
import { moment, relative } from './time.ts';

const HEAD = ['WORK ITEM', 'REPO', 'KIND', 'PHASE', 'VERDICT', 'PROGRESS', 'STARTED', 'ENDED'];

/** Deploys and windows as a table, one a line. */
export function formatList(rows: readonly ListRow[], now: number, paint: Paint = plain): string {
  const cells = rows.map((row) => [
    oneLine(row.workItem),
    oneLine(row.repo),
    row.kind,
    phase(row),
    verdict(row, paint),
    progress(row, now),
    relative(row.startedAt, now),
    row.closedAt === null ? '' : moment(row.closedAt, now),
  ]);
  return formatTable(HEAD, cells, paint);
}

/** An execution that did not come to its own end shows how it was ended. */
const phase = ({ running, status, phase: said }: ListRow): string =>
  running || status === 'COMPLETED' ? words(said ?? status.toLowerCase()) : words(status.toLowerCase());

function verdict({ verdict: said }: ListRow, paint: Paint): string {
  if (said === null) return '';
  if (said === 'HEALTHY') return paint.good(said);
  return (said === 'DEGRADED' ? paint.bad : paint.warn)(said);
}

function progress({ window }: ListRow, now: number): string {
  if (window === null) return '';
  const at = `tick ${window.tick}/${window.plannedTicks}`;
  return window.outcome === null ? `${at}, ${duration(window.endsAt - now)} left` : `${at}, ${words(window.outcome)}`;
}
