import { oneLine } from '../../decisions/shown-text.ts';
import { manyIgnored } from '../../workflows/ignored-signals.ts';
import type { SeenTick, WindowStatus } from '../../workflows/messages.ts';
import { amount, type Paint, plain, words } from './text.ts';
import { clock, moment, relative } from './time.ts';

/** `DEGRADED`, `HEALTHY so far`, or how the window ended. */
export function headline({ outcome, degradedAt }: WindowStatus, paint: Paint): string {
  if (outcome === 'healthy') return paint.good('healthy');
  if (outcome !== null) return (degradedAt === null ? paint.warn : paint.bad)(words(outcome));
  return degradedAt === null ? paint.good('HEALTHY so far') : paint.bad('DEGRADED');
}

/**
 * A window at a glance: countdown, verdict, what it rests on, the last looks, who said what. Several lines.
 * @param cutOff how Temporal ended it before it came to its own end, such as `terminated`: it looks no more
 */
export function formatWindow(
  status: WindowStatus,
  now: number,
  paint: Paint = plain,
  cutOff: string | null = null,
): string {
  const { repo, workItem, version, phase } = status;
  const stands = cutOff === null ? phase : `${paint.bad(cutOff)}, was ${phase}`;
  const name = `${oneLine(workItem)} · ${oneLine(repo)}${version === null ? '' : ` ${oneLine(version)}`}`;
  const lines = [
    `${paint.bold(name)} · post-deploy window ${stands} · ${headline(status, paint)}`,
    `  ${oneLine(status.summary)}`,
    `  ${cutOff === null ? progress(status, now) : tickOf(status)}`,
    `  ${coverage(status)}`,
  ];
  const { action, degradedAt, recovered, recoveryUnknown } = status;
  if (degradedAt !== null)
    lines.push(`  ${paint.bad('degraded')} at ${moment(degradedAt, now)} (${relative(degradedAt, now)})`);
  if (action !== null) {
    const ended = action.ok ? 'done' : paint.bad(action.unknown ? 'nobody knows whether it worked' : 'failed');
    const how = action.ok === null ? 'runs' : ended;
    lines.push(`  action: ${action.kind}, ${how}: ${oneLine(action.detail)}`);
  }
  if (recovered !== null) {
    const not = recoveryUnknown ? 'is not known to have recovered: too little was seen' : 'has not recovered';
    lines.push(`  production ${recovered ? paint.good('has recovered') : paint.bad(not)}`);
  }
  if (status.finalStatus !== undefined) lines.push(`  status of the work item: ${oneLine(status.finalStatus)}`);
  if (status.lastTicks.length > 0) {
    lines.push(paint.dim('  last looks:'), ...status.lastTicks.map((tick) => `    ${formatTick(tick, paint)}`));
  }
  if (status.messages.length > 0) {
    lines.push(paint.dim('  messages:'));
    for (const { at, name: message, by, reason, effect } of status.messages) {
      lines.push(`    ${moment(at, now)} ${message} by ${oneLine(by)} (${oneLine(reason)}): ${oneLine(effect)}`);
    }
  }
  lines.push(...notes(status, now, paint));
  return lines.join('\n');
}

const tickOf = ({ tick, plannedTicks }: WindowStatus): string => `tick ${tick} of ${plannedTicks}`;

function progress(status: WindowStatus, now: number): string {
  const { nextLookAt, endsAt, outcome, phase } = status;
  const at = tickOf(status);
  if (outcome !== null) return phase === 'acting' ? `${at} · ends when its rollback has ended` : at;
  const next =
    nextLookAt === null ? '' : nextLookAt > now ? ` · next look ${relative(nextLookAt, now)}` : ' · looking now';
  const end =
    endsAt > now ? `ends ${relative(endsAt, now)} (${moment(endsAt, now)})` : `was to end ${relative(endsAt, now)}`;
  return `${at}${next} · ${end}`;
}

function coverage({ skippedTicks, coverage: { made, missed, unknown, requests, errors5xx } }: WindowStatus): string {
  const skipped = skippedTicks === 0 ? '' : `${skippedTicks} skipped while a probe ran, `;
  return `looks: ${made} made, ${missed} missed, ${skipped}${unknown} unknown · ${amount(requests)} requests, ${amount(errors5xx)} failed`;
}

const HEALTH = { pass: 'good', fail: 'bad', unknown: 'warn' } as const;

/** One look at production on one line. */
export function formatTick(tick: SeenTick, paint: Paint = plain): string {
  const health = paint[HEALTH[tick.health]](tick.health.padEnd(7));
  const why = tick.afterRollback === true ? ' after the rollback' : tick.confirming === true ? ' (confirming)' : '';
  const detail = tick.detail === undefined ? '' : ` · ${oneLine(tick.detail)}`;
  return `${clock(tick.at)} tick ${tick.tick}${why} ${health} ${amount(tick.requests)} requests, ${amount(tick.errors5xx)} failed${detail}`;
}

/** What did not go as it should, oldest first. */
export function notes(
  { notes: found, ignoredSignals = 0 }: Pick<WindowStatus, 'notes' | 'ignoredSignals'>,
  now: number,
  paint: Paint,
): string[] {
  if (found.length === 0) return [];
  return [
    paint.dim('  notes:'),
    ...found.map(({ at, text }) => `    ${moment(at, now)} ${paint.warn(oneLine(text))}`),
    ...manyIgnored(ignoredSignals).map((text) => `    ${text}`),
  ];
}
