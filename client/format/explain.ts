import { oneLine } from '../../decisions/shown-text.ts';
import type { EarlierWrite, Explanation, StatusWish } from '../explain.ts';
import { formatTable } from './table.ts';
import { type Paint, words } from './text.ts';
import { moment } from './time.ts';

/** A line for each wish and each write, in the order of their answers: who wanted which status, on what evidence, the verdict, and what came of it. */
export function formatExplanation({ workItem, task, wishes }: Explanation, now: number, paint: Paint): string {
  const head = [
    `${paint.bold(oneLine(workItem))} · ${task === null ? 'its task is not known here' : oneLine(`${task.repo}, tasks.stage ${task.stage}`)}`,
  ];
  if (wishes.length === 0)
    return [...head, 'nobody has asked for a status of it, as far as Temporal remembers'].join('\n');
  const lines = wishes
    .flatMap((wish) => {
      const who = wish.reason === null ? oneLine(wish.caller) : `${oneLine(wish.caller)}: ${oneLine(wish.reason)}`;
      const line = (at: number, on: Pick<StatusWish, 'evidence' | 'verdict'>, came: string) => ({
        at,
        cells: [milliseconds(at, now), who, oneLine(wish.wanted), evidence(on), oneLine(on.verdict ?? '–'), came],
      });
      return [
        ...wish.earlier.map((write) => line(write.at, write, cameOfWrite(write, paint))),
        line(wish.answeredAt ?? wish.at, wish, cameOf(wish, paint)),
      ];
    })
    .toSorted((one, other) => one.at - other.at);
  return [
    ...head,
    '',
    formatTable(
      ['TIME (UTC)', 'WHO', 'WANTED', 'EVIDENCE', 'VERDICT', 'WHAT CAME OF IT'],
      lines.map(({ cells }) => cells),
      paint,
    ),
  ].join('\n');
}

/** `12:04:09.123Z`: two writes often stand within one second. */
const milliseconds = (at: number, now: number): string =>
  moment(at, now).replace('Z', `.${String(at % 1_000).padStart(3, '0')}Z`);

function evidence({ evidence: on }: Pick<StatusWish, 'evidence'>): string {
  if (on === null) return '–';
  if (!on.inForce) return 'guard not in force';
  const last = on.lastDeploy === undefined ? '' : `, last deploy ${words(on.lastDeploy)}`;
  return `${on.dbStage === null ? 'no task' : `stage ${oneLine(on.dbStage)}`}, ${on.windowActive ? 'window active' : 'no window'}${last}`;
}

/** What stood afterwards is told by a line that follows. */
const cameOfWrite = ({ sent, answer }: EarlierWrite, paint: Paint): string =>
  paint.warn(`${oneLine(sent)} was sent: ${answer === null ? 'no answer is known' : oneLine(answer)}`);

function cameOf({ answeredAt, failed, shown, wrote, attempts, failure }: StatusWish, paint: Paint): string {
  const tries = attempts > 1 ? ` (try ${attempts}${failure === null ? '' : `; before: ${oneLine(failure)}`})` : '';
  if (answeredAt === null)
    return paint.warn(`is being tried${failure === null ? '' : `: ${oneLine(failure)}`}${tries}`);
  if (failed) return paint.bad(`failed: ${oneLine(failure ?? '')}`);
  const from = shown === null ? '' : `${oneLine(shown)} → `;
  if (wrote !== null) return paint.good(`${from}${oneLine(wrote)}`) + tries;
  // An earlier try may have written, and lost its answer.
  return `nothing written${attempts > 1 ? ' by this try' : ''}${shown === null ? '' : `, ${oneLine(shown)} stands`}${tries}`;
}
