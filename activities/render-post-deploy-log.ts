import { duration } from '../adapters/deploy/duration.ts';
import { inline } from '../workflows/markdown.ts';
import { orDash, table } from './markdown.ts';
import { renderTicks, when } from './render-ticks.ts';
import type { ActionRecord, WindowOutcome, WindowReport } from './window-report.ts';

const OUTCOMES: Readonly<Record<WindowOutcome, string>> = {
  healthy: 'Production stayed healthy.',
  no_evidence: 'Too few looks saw anything: this is no proof of health.',
  degraded_alerted: 'Production was degraded; people were alerted.',
  degraded_rolled_back: 'Production was degraded and was rolled back.',
  rollback_failed: 'Production was degraded, and rolling it back failed, or is not known to have worked.',
  cancelled: 'The watch was cancelled before its end, so it proves nothing.',
  closed_early: 'The watch was closed before its end, with what it had seen so far.',
  superseded: 'A newer deploy of the repository took the place of this one.',
  task_cancelled: 'The task was cancelled, so nobody watched any longer.',
};

/** `16-post-deploy-log.md`: all that is known of one window. Pure: the same report gives the same bytes. */
export function renderPostDeployLog(report: WindowReport): string {
  const sections = [
    `# Post-deploy log: ${inline(report.workItem)}`,
    `**${report.outcome}**: ${OUTCOMES[report.outcome]}`,
    `${sentence(inline(report.summary))}`,
    table(['', ''], facts(report), ['l', 'l']),
    '## Policy',
    policy(report),
    '## Evidence',
    evidence(report),
    '## Action',
    action(report),
    '## Ticks',
    renderTicks(report.ticks, {
      openedAt: report.openedAt,
      intervalMs: report.policy.intervalMs,
      missed: report.coverage.missed + report.skippedTicks,
    }),
    ...afterRollback(report),
    '## Messages',
    messages(report),
    ...notes(report),
  ];
  return `${sections.join('\n\n')}\n`;
}

/** What the looks prove; one that was stopped early proves no health. */
const verdict = ({ assessment, outcome }: WindowReport): string =>
  assessment.verdict === 'HEALTHY' && outcome !== 'healthy' ? 'none: no degradation was seen' : assessment.verdict;

const sentence = (text: string): string => (text === '' || /[.!?]$/.test(text) ? text : `${text}.`);

function facts(report: WindowReport): string[][] {
  const { endedBy, openedAt, endsAt, endedAt } = report;
  return [
    ['repository', `${inline(report.repo)}${report.selfHosting ? ' (the orchestrator itself)' : ''}`],
    ['work item', inline(report.workItem)],
    ['version', orDash(report.version)],
    ['requested by', orDash(report.requestedBy)],
    ['window', inline(report.windowId)],
    ['opened', when(openedAt)],
    ['ended', `${when(endedAt)}, after ${duration(endedAt - openedAt)} of ${duration(endsAt - openedAt)}`],
    ...(endedBy === null ? [] : [['ended by', `${orDash(endedBy.by)}: ${orDash(endedBy.reason)}`]]),
    ['verdict', verdict(report)],
    ...(report.degradedAt === null ? [] : [['degraded', when(report.degradedAt)]]),
    ...(report.recovered === null ? [] : [['recovered', recovered(report)]]),
    ...(report.finalStatus === undefined ? [] : [['status of the work item', inline(report.finalStatus)]]),
  ];
}

function policy({ policy: by, selfHosting }: WindowReport): string {
  const checks = by.failThreshold === 1 ? 'one health check fails' : `${by.failThreshold} health checks in a row fail`;
  const lines = [
    `Looks at production every ${duration(by.intervalMs)} for ${duration(by.windowMs)}; while health fails, every ${duration(by.confirmMs)}.`,
    `Degraded where ${checks}, or where more than ${percent(by.errorRatioThreshold)} of at least ${by.minRequests} requests fail (5xx, or no answer).`,
    selfHosting
      ? 'Degradation is an alert: the orchestrator itself is never rolled back (BR-5).'
      : by.action === 'rollback'
        ? `Degradation is rolled back, once, and then watched for up to ${duration(by.rollbackWatchMs)}.`
        : 'Degradation is an alert.',
    `It may be extended to ${duration(by.maxWindowMs)} in all.`,
  ];
  return lines.map((line) => `- ${line}`).join('\n');
}

function evidence({ coverage, plannedTicks, skippedTicks, assessment }: WindowReport): string {
  const { made, missed, unknown, requests, errors5xx } = coverage;
  const ratio = assessment.errorRatio === null ? 'too few to count' : percent(assessment.errorRatio);
  return table(
    ['evidence', 'count'],
    [
      ['ticks planned', `${plannedTicks}`],
      ['looks made', `${made}`],
      ['ticks missed: no worker ran', `${missed}`],
      ...(skippedTicks === 0 ? [] : [['ticks skipped: a probe was still running', `${skippedTicks}`]]),
      ['looks that prove nothing', `${unknown}`],
      ['longest streak of failures', `${assessment.longestFailureStreak}`],
      ['requests', `${requests}`],
      ['failed', `${errors5xx} (${ratio})`],
    ],
    ['l', 'r'],
  );
}

const percent = (ratio: number): string => `${Number((ratio * 100).toFixed(2))} %`;

const ACTIONS = { ALERT_ONLY: 'Alert', ROLLBACK: 'Rollback' } as const;

const recovered = ({ recovered: back, recoveryUnknown }: WindowReport): string =>
  back === true ? 'yes' : recoveryUnknown === true ? 'not known: too little was seen' : 'no';

function howItWent({ ok, unknown }: ActionRecord): string {
  if (ok === null) return 'not ended when this was written';
  if (unknown === true) return '**nobody knows whether it worked**';
  return ok ? 'worked' : '**failed**';
}

function action(report: WindowReport): string {
  const { action: taken, recovered: back, recoveryUnknown } = report;
  if (taken === null) return 'None was needed.';
  const { kind, startedAt, finishedAt, detail } = taken;
  const how = howItWent(taken);
  const took = finishedAt === null || finishedAt === startedAt ? '' : `, after ${duration(finishedAt - startedAt)}`;
  const lines = [`${ACTIONS[kind]} at ${when(startedAt)}: ${how}${took}. ${sentence(inline(detail))}`];
  if (recoveryUnknown === true) lines.push('Nobody knows whether production has recovered: too little was seen.');
  else if (back !== null) lines.push(back ? 'Production has recovered.' : 'Production has **not** recovered.');
  return lines.join('\n\n');
}

function afterRollback({ action: taken, ticksAfterRollback, policy: by }: WindowReport): string[] {
  if (taken?.kind !== 'ROLLBACK' || (ticksAfterRollback.length === 0 && taken.ok !== true)) return [];
  const from = taken.finishedAt ?? taken.startedAt;
  return [
    '## Ticks after the rollback',
    renderTicks(ticksAfterRollback, { openedAt: from, intervalMs: Math.min(by.intervalMs, by.confirmMs), missed: 0 }),
  ];
}

function messages({ messages: received }: WindowReport): string {
  if (received.length === 0) return 'None were received.';
  return table(
    ['time (UTC)', 'message', 'by', 'reason', 'effect'],
    received.map(({ at, name, by, reason, effect }) => [when(at), name, orDash(by), orDash(reason), orDash(effect)]),
    ['l', 'l', 'l', 'l', 'l'],
  );
}

function notes({ notes: noted }: WindowReport): string[] {
  if (noted.length === 0) return [];
  return ['## Notes', noted.map(({ at, text }) => `- ${when(at)}: ${inline(text)}`).join('\n')];
}
