import { stripVTControlCharacters } from 'node:util';
import Table from 'cli-table3';
import type { Paint } from './text.ts';

const GAP = 2;

const NO_LINES = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: ' '.repeat(GAP) },
};

/** A table without lines, columns two spaces apart. Cells hold no more than colour. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[], paint: Paint): string {
  const table = new Table({
    head: head.map(paint.bold),
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
  });
  for (const row of rows) table.push([...row]);
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

const widthOf = (cell: string): number => stripVTControlCharacters(cell).length;

/** What is left of a cell that is shortened. */
const SHORTEST = 8;

/**
 * The same rows with the cells of some columns shortened, the widest column first, so that the table fits into `width` where that can be.
 * @param columns places of columns whose cells have no colour
 */
export function fitColumns(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns: readonly number[],
  width: number,
): string[][] {
  const fitted = rows.map((row) => [...row]);
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => widthOf(row[at] ?? ''))));
  let over = widths.reduce((sum, each) => sum + each + GAP, -GAP) - width;
  for (const at of columns.toSorted((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0))) {
    const room = Math.max(SHORTEST, (widths[at] ?? 0) - Math.max(0, over));
    over -= Math.max(0, (widths[at] ?? 0) - room);
    for (const row of fitted) row[at] = shortened(row[at] ?? '', room);
  }
  return fitted;
}

const shortened = (cell: string, room: number): string => (cell.length <= room ? cell : `${cell.slice(0, room - 1)}…`);
