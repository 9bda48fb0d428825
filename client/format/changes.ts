import { oneLine } from '../../decisions/shown-text.ts';
import type { WindowStatus } from '../../workflows/messages.ts';
import { news } from '../news.ts';
import type { DeployView, WindowView, WorkItemView } from '../views.ts';
import { deployOutcome, deployWords } from './deploy.ts';
import { type Paint, plain, words } from './text.ts';
import { moment } from './time.ts';
import { formatTick } from './window.ts';

/**
 * What has changed between two looks at a work item, one line a change, for a log or a pipe. The first look (`before` is
 * `null`) tells how things stand.
 */
export function formatChanges(
  before: WorkItemView | null,
  after: WorkItemView,
  now: number,
  paint: Paint = plain,
): string[] {
  const lines: string[] = [];
  if (after.deploy !== null) lines.push(...deployChanges(before?.deploy ?? null, after.deploy, now, paint));
  const window = before?.window ?? null;
  if (after.window !== null) lines.push(...windowChanges(window, after.window, now, paint));
  // The end of the run is the last word, whatever its window tells in the same look.
  if (after.deploy !== null) lines.push(...ending(before?.deploy ?? null, after.deploy, paint));
  return lines.map((line) => `${oneLine(after.workItem)}: ${line}`);
}

function deployChanges(
  before: DeployView | null,
  { status, execution, unanswered }: DeployView,
  now: number,
  paint: Paint,
): string[] {
  if (status === null)
    return before?.unanswered === unanswered
      ? []
      : [`${deployWords(execution.phase ?? '')}: ${oneLine(unanswered ?? '')}`];
  const lines: string[] = [];
  const was = before?.status ?? null;
  if (was?.phase !== status.phase && status.phase !== 'finished') lines.push(deployWords(status.phase));
  const { decision, by, reason, required, expiresAt } = status.approval;
  if (decision !== null && was?.approval.decision !== decision) {
    lines.push(
      `${decision}${by === null ? '' : ` by ${oneLine(by)}`}${reason === null ? '' : ` (${oneLine(reason)})`}`,
    );
  }
  const waits = execution.running && required && decision === null && expiresAt !== null;
  if (waits && was?.approval.expiresAt !== expiresAt) lines.push(`waits for approval until ${moment(expiresAt, now)}`);
  lines.push(...news(was?.notes ?? [], status.notes).map(({ text }) => paint.warn(`note: ${oneLine(text)}`)));
  return lines;
}

function ending(before: DeployView | null, { status, result, execution }: DeployView, paint: Paint): string[] {
  const outcome = status?.outcome ?? result?.outcome ?? null;
  const reason = status?.reason ?? result?.reason ?? null;
  if (outcome !== null) {
    if ((before?.status?.outcome ?? before?.result?.outcome ?? null) === outcome) return [];
    return [`${deployOutcome(outcome, paint)}${reason === null ? '' : `: ${oneLine(reason)}`}`];
  }
  if (execution.running || before?.execution.running === false) return [];
  return [paint.bad(`the deploy was ${words(execution.status.toLowerCase())} in Temporal`)];
}

function windowChanges(
  before: WindowView | null,
  { status, execution, unanswered }: WindowView,
  now: number,
  paint: Paint,
): string[] {
  if (status === null)
    return before?.unanswered === unanswered
      ? []
      : [`window ${words(execution.phase ?? '')}: ${oneLine(unanswered ?? '')}`];
  const was = before?.status ?? null;
  const lines: string[] = [];
  if (was === null)
    lines.push(`window open, tick ${status.tick} of ${status.plannedTicks}, ends ${moment(status.endsAt, now)}`);
  else if (was.endsAt !== status.endsAt) lines.push(`window ends ${moment(status.endsAt, now)} now`);
  lines.push(...looks(was, status, paint));
  if (status.degradedAt !== null && was?.degradedAt !== status.degradedAt) {
    lines.push(paint.bad(`DEGRADED: ${oneLine(status.summary)}`));
  }
  const { action } = status;
  if (action !== null && (was?.action?.ok !== action.ok || was?.action?.kind !== action.kind)) {
    const ended = action.ok ? 'done' : action.unknown ? 'ended, nobody knows whether it worked' : 'failed';
    const how = action.ok === null ? 'begun' : ended;
    lines.push(`${action.kind} ${how}: ${oneLine(action.detail)}`);
  }
  if (status.recovered === true && was?.recovered !== true) lines.push(paint.good('production has recovered'));
  for (const { name, by, reason, effect } of news(was?.messages ?? [], status.messages)) {
    lines.push(`${name} by ${oneLine(by)} (${oneLine(reason)}): ${oneLine(effect)}`);
  }
  lines.push(...news(was?.notes ?? [], status.notes).map(({ text }) => paint.warn(`note: ${oneLine(text)}`)));
  if (status.outcome !== null && was?.outcome !== status.outcome) {
    lines.push(`window ${words(status.outcome)}: ${oneLine(status.summary)}`);
  }
  return lines;
}

/** The looks since the last one that was told; of a window that is met midway only its last. */
function looks(was: WindowStatus | null, { lastTicks, plannedTicks }: WindowStatus, paint: Paint): string[] {
  const told = was === null ? (lastTicks.at(-2)?.at ?? 0) : (was.lastTicks.at(-1)?.at ?? 0);
  return lastTicks
    .filter(({ at }) => at > told)
    .map((tick) => `${formatTick(tick, paint)}${tick.afterRollback === true ? '' : ` · of ${plannedTicks}`}`);
}
