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
    if (status === null) parts.push(bare(execution, unanswered, now, paint));
    else parts.push(formatDeploy(status, now, paint, cutOff(execution, status)));
    if (status === null && result !== null) parts.push(`  ${words(result.outcome)}: ${oneLine(result.reason)}`);
    parts.push(...unfinished(execution, paint));
  }
  if (window !== null) {
    const { execution, status, unanswered } = window;
    if (status === null) parts.push(bare(execution, unanswered, now, paint));
    else parts.push(formatWindow(status, now, paint, cutOff(execution, status)));
    parts.push(...unfinished(execution, paint));
  }
  return parts.join('\n');
}

/** What the server alone knows, while no worker answers. */
function bare(execution: Execution, unanswered: string | null, now: number, paint: Paint): string {
  const { workItem, repo, kind, status, phase, verdict, outcome, startedAt, workflowId } = execution;
  const ended = cutOff(execution, { outcome });
  const stands = words(phase ?? status.toLowerCase());
  const facts = [
    ended === null ? stands : `${ended} at ${stands}`,
    ...(verdict === null ? [] : [oneLine(verdict)]),
  ].join(', ');
  return [
    `${paint.bold(oneLine(`${workItem} · ${repo}`))} · ${kind === 'deploy' ? 'deploy' : 'post-deploy window'} ${facts}`,
    `  ${oneLine(workflowId)}, ${status.toLowerCase()}, started ${relative(startedAt, now)}`,
    ...(unanswered === null ? [] : [paint.warn(`  ${oneLine(unanswered)}: this is what Temporal itself knows`)]),
  ].join('\n');
}

/** How an execution ended that never came to its own end: `terminated`, `timed out`; `null`: it runs, or did. */
const cutOff = ({ running, status }: Execution, { outcome }: { readonly outcome: string | null }): string | null =>
  running || outcome !== null || status === 'COMPLETED' ? null : words(status.toLowerCase());

/** What keeps it from going on, or from ending, and what it has left undone. */
const unfinished = ({ retries, wrapUps }: Execution, paint: Paint): string[] => [
  ...wrapUps.map((workflowId) =>
    paint.warn(`  not done yet (status, alerts, comments or log): ${oneLine(workflowId)} is running`),
  ),
  ...retries.map(({ activity, attempt, message }) =>
    paint.warn(`  tries again: ${oneLine(activity)}, attempt ${attempt}: ${oneLine(message)}`),
  ),
];
