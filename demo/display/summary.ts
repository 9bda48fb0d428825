import { styleText } from 'node:util';
import Table from 'cli-table3';
import type { Check } from '../scenarios/checks.ts';

/** What a scenario has come to. */
export interface Summary {
  readonly scenario: string;
  readonly checks: readonly Check[];
  /** The statuses of each work item as Plane has them on record, the one it began with first. */
  readonly statuses: readonly { readonly workItem: string; readonly sequence: readonly string[] }[];
  /** Paths of the post-deploy logs. */
  readonly logs: readonly string[];
  /** Everything else that is worth a line, such as the tick numbers around a crash. */
  readonly notes: readonly string[];
}

export const agrees = ({ checks }: Summary): boolean => checks.every(({ ok }) => ok);

export interface Look {
  readonly colour: boolean;
  readonly columns: number;
}

/** What a table takes besides its two columns of values: the mark, what was judged, and the lines between. */
const MARK = 4;
const WHAT = 34;
const LINES = 5;

/** The summary for people. Pure. */
export function summaryText(summary: Summary, { colour, columns }: Look): string {
  const cell = Math.max(16, Math.floor((Math.min(columns, 140) - MARK - WHAT - LINES) / 2));
  const paint = (style: 'green' | 'red' | 'bold', text: string): string => (colour ? styleText(style, text) : text);
  const table = new Table({
    head: ['', 'what', 'expected', 'seen'],
    style: { head: [], border: [], compact: true },
    colWidths: [MARK, WHAT, cell, cell],
    wordWrap: true,
  });
  for (const { what, expected, seen, ok } of summary.checks)
    table.push([ok ? paint('green', 'ok') : paint('red', 'NO'), what, expected, seen]);
  const { length } = summary.checks;
  const good = summary.checks.filter(({ ok }) => ok).length;
  return [
    '',
    table.toString(),
    ...summary.statuses.map(({ workItem, sequence }) => `Plane, ${workItem}: ${folded(sequence).join(' → ')}`),
    ...summary.logs.map((path) => `Post-deploy log: ${path}`),
    ...summary.notes,
    '',
    good === length
      ? paint('green', `${summary.scenario}: all ${length} expectations were met`)
      : paint('red', `${summary.scenario}: ${length - good} of ${length} expectations were NOT met`),
  ].join('\n');
}

/** Longest sequence that is shown whole: a flap is a hundred changes. */
const SHOWN = 14;

const folded = (sequence: readonly string[]): readonly string[] =>
  sequence.length <= SHOWN
    ? sequence
    : [...sequence.slice(0, SHOWN - 4), `… ${sequence.length - SHOWN + 1} more …`, ...sequence.slice(-3)];
