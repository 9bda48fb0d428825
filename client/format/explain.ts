import type { Explanation, StatusWish } from '../explain.ts';
import { formatTable } from './table.ts';
import { oneLine, type Paint } from './text.ts';
import { moment } from './time.ts';

/** A line for each wish, in the order of their answers: who wanted which status, on what evidence, the verdict, and what came of it. */
export function formatExplanation({ workItem, task, wishes }: Explanation, now: number, paint: Paint): string {
  const lines = [
    `${paint.bold(workItem)} · ${task === null ? 'its task is not known here' : `${task.repo}, tasks.stage ${task.stage}`}`,
  ];
  if (wishes.length === 0)
    return [...lines, 'nobody has asked for a status of it, as far as Temporal remembers'].join('\n');
  const rows = wishes.map((wish) => [
    milliseconds(wish.answeredAt ?? wish.at, now),
    wish.reason === null ? oneLine(wish.caller) : `${oneLine(wish.caller)}: ${oneLine(wish.reason)}`,
    wish.wanted,
    evidence(wish),
    wish.verdict ?? '–',
    cameOf(wish, paint),
  ]);
  return [
    ...lines,
    '',
    formatTable(['TIME (UTC)', 'WHO', 'WANTED', 'EVIDENCE', 'VERDICT', 'WHAT CAME OF IT'], rows, paint),
  ].join('\n');
}

/** `12:04:09.123Z`: two writes often stand within one second. */
const milliseconds = (at: number, now: number): string =>
  moment(at, now).replace('Z', `.${String(at % 1_000).padStart(3, '0')}Z`);

function evidence({ evidence: on }: StatusWish): string {
  if (on === null) return '–';
  if (!on.inForce) return 'guard not in force';
  return `${on.dbStage === null ? 'no task' : `stage ${oneLine(on.dbStage)}`}, ${on.windowActive ? 'window active' : 'no window'}`;
}

function cameOf({ answeredAt, failed, shown, wrote, attempts, failure }: StatusWish, paint: Paint): string {
  const tries = attempts > 1 ? ` (try ${attempts}${failure === null ? '' : `; before: ${oneLine(failure)}`})` : '';
  if (answeredAt === null)
    return paint.warn(`is being tried${failure === null ? '' : `: ${oneLine(failure)}`}${tries}`);
  if (failed) return paint.bad(`failed: ${oneLine(failure ?? '')}`);
  const from = shown === null ? '' : `${oneLine(shown)} → `;
  if (wrote !== null) return paint.good(`${from}${wrote}`) + tries;
  // An earlier try may have written, and lost its answer.
  return `nothing written${attempts > 1 ? ' by this try' : ''}${shown === null ? '' : `, ${oneLine(shown)} stands`}${tries}`;
}
