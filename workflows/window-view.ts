import type { ActionRecord, WindowReport } from '../activities/window-report.ts';
import {
  coverage,
  type Doubt,
  doubtOfHealth,
  hasEvidence,
  isDegradedOnRecord,
  type WindowVerdict,
  windowOutcomeOnRecord,
} from '../decisions/index.ts';

import { detailsOf } from './bounded.ts';
import { duration } from './duration.ts';
import { manyIgnored } from './ignored-signals.ts';
import { inline, paragraph } from './markdown.ts';
import type { MonitorPhase, WindowStatus } from './messages.ts';
import { monitorWorkflowId } from './messages.ts';
import { DOUBTS, summarise } from './summarise.ts';
import type { MonitorInput, WindowState } from './window-state.ts';
import * as win from './window-state.ts';

// What people see of a window, all of it derived from its state (invariant 7).

const LAST_TICKS = 10;

export const phase = ({ ending, action }: WindowState): MonitorPhase => {
  if (action?.kind === 'ROLLBACK' && (ending === null || action.finishedAt === null)) return 'acting';
  return ending === null ? 'open' : 'closed';
};

const evidence = ({ window, looksAtHealth }: WindowState) => coverage(window.ticks, window.missed, looksAtHealth);

/** By the ticks of the grid alone: looks that confirm a failure are no evidence of the ticks that were missed. */
const onGrid = ({ window }: WindowState) => window.ticks.filter(({ confirming }) => confirming !== true);

const doubt = (state: WindowState): Doubt | null => {
  const { ticks, missed } = state.window;
  if (win.hasRules(state, 3) && state.failedAfterwards) return 'ended_failing';
  if (win.hasRules(state, 3)) return doubtOfHealth(ticks, onGrid(state), missed, state.looksAtHealth);
  return hasEvidence(coverage(onGrid(state), missed)) ? null : 'too_little_seen';
};

const proved = (state: WindowState): boolean => doubt(state) === null;

/** Why nobody knows whether production is healthy, where that is how the window ended. */
function doubtWords(state: WindowState): string[] {
  const why = outcome(state) === 'no_evidence' && win.hasRules(state, 3) ? doubt(state) : null;
  return why === null ? [] : [`nobody knows whether it is healthy: ${DOUBTS[why]}`];
}

export const outcome = (state: WindowState) => win.outcome(state, proved(state));

/** One that was stopped early never reads as healthy (design). */
export const verdictAttribute = (state: WindowState): WindowVerdict | 'NO_EVIDENCE' => {
  if (state.degraded !== null) return 'DEGRADED';
  return state.ending === null || (state.ending.kind === 'ran_out' && proved(state)) ? 'HEALTHY' : 'NO_EVIDENCE';
};

/** The verdict so far in one sentence; the one that proved degradation, once there is one. */
const summary = (state: WindowState, { policy }: MonitorInput): string =>
  state.degraded?.summary ??
  [...doubtWords(state), summarise(win.assess(state, policy), policy, state.window.ticks)].join('; ');

const recovery = (
  state: WindowState,
  { policy }: MonitorInput,
): Pick<WindowReport, 'recovered' | 'recoveryUnknown'> => ({
  recovered: state.degraded === null ? null : state.recoveredAt !== null,
  ...(win.recoveryUnknown(state, policy) ? { recoveryUnknown: true } : {}),
});

/** How it is recorded in the search attribute `D2dOutcome`, by which the guard knows what must rest. */
export const outcomeOnRecord = (state: WindowState): string =>
  windowOutcomeOnRecord(outcome(state) ?? 'closed_early', state.degraded === null ? null : state.recoveredAt !== null);

/** Whether the item rests in the state for what ended degraded. */
export const restsDegraded = (state: WindowState, { degradedState }: MonitorInput): boolean =>
  degradedState !== undefined && isDegradedOnRecord(outcomeOnRecord(state));

/** The status with which the item is left, and why; `null`: there is but one, none yet, or none is written any more. */
function finalStatus(state: WindowState, { degradedState }: MonitorInput): string | null {
  if (degradedState === undefined || state.ending === null || state.ending.kind === 'task_cancelled') return null;
  switch (outcomeOnRecord(state)) {
    case 'degraded_alerted':
      return `${degradedState}: production had not recovered when the window ended`;
    case 'degraded_rolled_back':
      return `${degradedState}: this version was rolled back`;
    case 'rollback_failed':
      return `${degradedState}: the rollback failed`;
    case 'degraded_recovered':
      return 'Done: production has recovered';
    case 'healthy':
      return 'Done: production stayed healthy';
    default:
      return 'Done: no degradation was proved';
  }
}

const withFinalStatus = (state: WindowState, input: MonitorInput): { finalStatus?: string } => {
  const text = finalStatus(state, input);
  return text === null ? {} : { finalStatus: text };
};

/** The answer to `windowStatus`. */
export function status(state: WindowState, input: MonitorInput): WindowStatus {
  const { policy } = input;
  const { window, afterRollback } = state;
  return {
    repo: input.repo,
    workItem: input.workItem,
    version: input.version,
    phase: phase(state),
    openedAt: window.openedAt,
    endsAt: (afterRollback ?? window).endsAt,
    nextLookAt: win.lookAt(state, policy),
    tick: window.ticks.at(-1)?.tick ?? 0,
    plannedTicks: win.planned(state, policy),
    skippedTicks: window.skipped ?? 0,
    assessment: win.assess(state, policy),
    coverage: evidence(state),
    summary: summary(state, input),
    degradedAt: state.degraded?.at ?? null,
    ...recovery(state, input),
    action: state.action,
    outcome: outcome(state),
    policy,
    lastTicks: [
      ...window.ticks,
      ...(afterRollback?.ticks.map((tick) => ({ ...tick, afterRollback: true as const })) ?? []),
    ].slice(-LAST_TICKS),
    messages: state.messages,
    notes: state.notes,
    ...(state.ignoredSignals === undefined ? {} : { ignoredSignals: state.ignoredSignals }),
    ...withFinalStatus(state, input),
  };
}

/** The record of a window that has ended. */
export function report(state: WindowState, input: MonitorInput): WindowReport {
  const { policy, repo, workItem } = input;
  const { window, ending } = state;
  return {
    windowId: monitorWorkflowId(repo, workItem),
    repo,
    workItem,
    version: input.version,
    requestedBy: input.requestedBy,
    openedAt: window.openedAt,
    endsAt: window.endsAt,
    endedAt: ending?.at ?? window.endsAt,
    policy,
    selfHosting: input.selfHosting,
    outcome: outcome(state) ?? 'closed_early',
    assessment: win.assess(state, policy),
    summary: summary(state, input),
    endedBy: ending === null || ending.kind === 'ran_out' ? null : { by: ending.by, reason: ending.reason },
    degradedAt: state.degraded?.at ?? null,
    ...recovery(state, input),
    action: state.action,
    coverage: evidence(state),
    plannedTicks: win.planned(state, policy),
    skippedTicks: window.skipped ?? 0,
    ticks: window.ticks,
    ticksAfterRollback: state.afterRollback?.ticks ?? [],
    messages: state.messages,
    notes: state.notes,
    ...withFinalStatus(state, input),
  };
}

/** Summary of the timer that waits for the next thing due, as the Temporal UI shows it. */
export function timerSummary(state: WindowState, { policy }: MonitorInput): string {
  if (state.afterRollback !== null) return 'recovery after the rollback';
  const last = state.window.ticks.at(-1);
  const plannedTicks = win.planned(state, policy);
  const look = win.lookAt(state, policy);
  if (look === null) return 'end of the window';
  const due = win.tickOf(state, policy, look);
  return due === last?.tick ? `confirm tick ${due} of ${plannedTicks}` : `tick ${due} of ${plannedTicks}`;
}

const actionWords = ({ detail, unknown }: ActionRecord): string =>
  unknown === true ? `nobody knows whether it worked: ${detail}` : detail;

function recoveryWords(
  { recovered, recoveryUnknown }: Pick<WindowReport, 'recovered' | 'recoveryUnknown'>,
  not: string,
): string {
  if (recovered === true) return 'Production has recovered.';
  return recoveryUnknown === true ? 'Nobody knows whether production has recovered: too little was seen.' : not;
}

const skipped = (ticks: number): string => (ticks === 0 ? '' : `${ticks} skipped while a probe ran, `);

const time = (at: number): string => new Date(at).toISOString().slice(11, 19);

/** The window at a glance, in Markdown, for the Temporal UI. Times are UTC. */
export function details(state: WindowState, input: MonitorInput): string {
  const seen = status(state, input);
  const { requests, errors5xx, made, missed, unknown } = seen.coverage;
  const lines = [
    `**${seen.outcome ?? (state.degraded === null ? 'HEALTHY so far' : 'DEGRADED')}** · tick ${seen.tick} of ${seen.plannedTicks} · ${
      seen.phase === 'closed'
        ? 'closed'
        : `ends ${time(seen.endsAt)} UTC, ${duration(seen.endsAt - win.lastSeenAt(state))} from the last look`
    }`,
    '',
    paragraph(seen.summary),
    '',
    `Looks: ${made} made, ${missed} missed, ${skipped(seen.skippedTicks)}${unknown} unknown · ${requests} requests, ${errors5xx} failed`,
  ];
  if (seen.action !== null) lines.push('', `Action: ${seen.action.kind}, ${paragraph(actionWords(seen.action))}`);
  if (seen.recovered !== null) lines.push('', recoveryWords(seen, 'Production has not recovered.'));
  if (seen.finalStatus !== undefined) lines.push('', `Status of the work item: ${inline(seen.finalStatus)}.`);
  if (seen.lastTicks.length > 0) {
    lines.push('', '| tick | time | health | requests | failed | |', '|---|---|---|---|---|---|');
    for (const tick of seen.lastTicks.slice().reverse()) {
      lines.push(
        `| ${tick.tick}${tick.afterRollback === true ? ' after the rollback' : ''} | ${time(tick.at)} | ${tick.health} | ${tick.requests} | ${tick.errors5xx} | ${inline(tick.detail ?? '')} |`,
      );
    }
  }
  for (const message of seen.messages) {
    const { at, name, by, reason, effect } = message;
    lines.push('', `${time(at)} ${name} by ${inline(by)} (${inline(reason)}): ${inline(effect)}`);
  }
  for (const note of seen.notes) lines.push('', `${time(note.at)} ${paragraph(note.text)}`);
  for (const text of manyIgnored(seen.ignoredSignals ?? 0)) lines.push('', text);
  return detailsOf(lines);
}

/** What the ticket is told when a window has ended other than healthy. */
export function closingWords(report: WindowReport): string[] {
  const {
    workItem,
    repo,
    outcome: how,
    endedBy,
    action,
    recovered: back,
    coverage: seen,
    plannedTicks: ticks,
    skippedTicks,
    finalStatus: rests,
  } = report;
  const words = [`${workItem}: the post-deploy window of ${repo} ended: ${how.replaceAll('_', ' ')}.`, report.summary];
  if (endedBy !== null) words.push(`Ended by ${endedBy.by}: ${endedBy.reason}.`);
  if (action !== null) words.push(`Action: ${action.kind}, ${actionWords(action)}.`);
  if (back !== null) words.push(recoveryWords(report, 'Production had not recovered when the window ended.'));
  if (rests !== undefined) words.push(`Status of the work item: ${rests}.`);
  words.push(
    `${seen.made} looks of ${ticks} planned ticks, ${seen.missed} missed, ${skipped(skippedTicks)}${seen.unknown} unknown.`,
  );
  return words;
}

/** The deploy and its window, as part of a sentence. */
export function news(state: WindowState, { repo, version }: MonitorInput): string {
  const how = outcome(state);
  const window = how === 'healthy' ? 'was healthy' : `ended: ${(how ?? 'closed early').replaceAll('_', ' ')}`;
  return `the deploy of ${repo}${version === null ? '' : ` ${version}`} is done, and its window ${window}`;
}
