import { oneLine } from '../../decisions/shown-text.ts';
import type { DeployOutcome, DeployStatus } from '../../workflows/messages.ts';
import { type Paint, plain, words } from './text.ts';
import { moment, relative } from './time.ts';
import { notes } from './window.ts';

const colourOf = (outcome: DeployOutcome, paint: Paint): ((text: string) => string) =>
  outcome === 'done' || outcome === 'already_done' ? paint.good : paint.bad;

/** An outcome in its colour. */
export const outcomeWords = (outcome: DeployOutcome, paint: Paint): string => colourOf(outcome, paint)(words(outcome));

/** How a deploy has ended, in its colour. */
export const deployOutcome = (outcome: DeployOutcome, paint: Paint): string =>
  deployWords(outcome, colourOf(outcome, paint));

/** `deploy done`, but `deploy failed` and `deploying`, which say it themselves. */
export const deployWords = (name: string, inColour = (text: string): string => text): string =>
  `${name.startsWith('deploy') ? '' : 'deploy '}${inColour(words(name))}`;

/**
 * A deploy at a glance: how far it is, who has approved it, what it waits for. Several lines.
 * @param cutOff how Temporal ended it before it came to its own end, such as `terminated`: it waits for nothing any more
 */
export function formatDeploy(
  status: DeployStatus,
  now: number,
  paint: Paint = plain,
  cutOff: string | null = null,
): string {
  const { repo, workItem, version, phase, reason, otherVersionRequested, requestedBy, windowId } = status;
  const name = `${oneLine(workItem)} · ${oneLine(repo)}${version === null || otherVersionRequested ? '' : ` ${oneLine(version)}`}`;
  const lines = [`${paint.bold(name)} · ${headline(status, paint, cutOff)}`];
  if (reason !== null) lines.push(`  ${oneLine(reason)}`);
  if (status.finalStatus !== undefined) lines.push(`  status of the work item: ${oneLine(status.finalStatus)}`);
  if (requestedBy !== null) lines.push(`  requested by ${oneLine(requestedBy)}`);
  if (phase === 'unknown' && cutOff === null) {
    lines.push(
      paint.warn('  nobody knows how it ended: the repository is not free until somebody says so'),
      `  look, then d2d resolve ${oneLine(workItem)} --deployed, or --not-deployed, with --reason "…"`,
    );
  }
  lines.push(...approval(status, now, paint, cutOff));
  if (windowId !== null) lines.push(`  post-deploy window: ${oneLine(windowId)}`);
  lines.push(...notes(status, now, paint));
  return lines.join('\n');
}

function headline({ phase, outcome }: DeployStatus, paint: Paint, cutOff: string | null): string {
  if (cutOff !== null) return `deploy ${paint.bad(cutOff)} at ${words(phase)}`;
  return outcome === null ? deployWords(phase) : deployOutcome(outcome, paint);
}

function approval(
  { workItem, outcome, approval: asked }: DeployStatus,
  now: number,
  paint: Paint,
  cutOff: string | null,
): string[] {
  const { required, expiresAt, decision, by, reason } = asked;
  if (decision !== null) {
    const why = reason === null ? '' : ` (${oneLine(reason)})`;
    return [by === null ? `  ${decision}${why}` : `  ${decision} by ${oneLine(by)}${why}`];
  }
  if (!required || expiresAt === null || outcome !== null || cutOff !== null) return [];
  return [
    paint.warn(`  waits for approval until ${moment(expiresAt, now)} (${relative(expiresAt, now)})`),
    `  d2d approve ${oneLine(workItem)}, or d2d reject ${oneLine(workItem)} --reason "…"`,
  ];
}
