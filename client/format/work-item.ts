import { oneLine } from '../../decisions/shown-text.ts';
import type { Execution } from '../executions.ts';
import type { WorkItemView } from '../views.ts';
import { formatDeploy } from './deploy.ts';
import { type Paint, plain, words } from './text.ts';
import { relative } from './time.ts';
import { formatWindow } from './window.ts';

/** All that is known of a work item. Several lines. */
export function formatWorkItem({ deploy, window }: WorkItemView, now: number, paint: Paint = plain): string {
  const parts: string[] = [];
  if (deploy !== null) {
    const { execution, status, result, unanswered } = deploy;
    parts.push(status === null ? bare(execution, unanswered, now, paint) : formatDeploy(status, now, paint));
    if (status === null && result !== null) parts.push(`  ${words(result.outcome)}: ${oneLine(result.reason)}`);
    if (status !== null && status.outcome === null) parts.push(...strange(execution, paint));
    parts.push(...retries(execution, paint));
  }
  if (window !== null) {
    const { execution, status, unanswered } = window;
    parts.push(status === null ? bare(execution, unanswered, now, paint) : formatWindow(status, now, paint));
    if (status !== null && status.outcome === null) parts.push(...strange(execution, paint));
    parts.push(...retries(execution, paint));
  }
  return parts.join('\n');
}

/** What the server alone knows, while no worker answers. */
function bare(execution: Execution, unanswered: string | null, now: number, paint: Paint): string {
  const { workItem, repo, kind, status, phase, verdict, startedAt, workflowId } = execution;
  const facts = [words(phase ?? status.toLowerCase()), ...(verdict === null ? [] : [oneLine(verdict)])].join(', ');
  return [
    `${paint.bold(oneLine(`${workItem} · ${repo}`))} · ${kind === 'deploy' ? 'deploy' : 'post-deploy window'} ${facts}`,
    `  ${oneLine(workflowId)}, ${status.toLowerCase()}, started ${relative(startedAt, now)}`,
    ...(unanswered === null ? [] : [paint.warn(`  ${oneLine(unanswered)}: this is what Temporal itself knows`)]),
  ].join('\n');
}

/** An execution that is over although it never came to its end. */
const strange = ({ running, status, kind }: Execution, paint: Paint): string[] =>
  running ? [] : [paint.bad(`  the ${kind} was ${words(status.toLowerCase())} in Temporal`)];

/** What keeps it from going on, or from ending. */
const retries = ({ retries: failing }: Execution, paint: Paint): string[] =>
  failing.map(({ activity, attempt, message }) =>
    paint.warn(`  tries again: ${oneLine(activity)}, attempt ${attempt}: ${oneLine(message)}`),
  );
