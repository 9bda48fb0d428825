import type { DeployPlan } from '../activities/deploy-plan.ts';
import { detailsOf } from './bounded.ts';
import type { Ending } from './deploy-endings.ts';
import { manyIgnored } from './ignored-signals.ts';
import { withNote } from './kept.ts';
import { code, inline, paragraph } from './markdown.ts';
import type {
  Command,
  DeployFinished,
  DeployInput,
  DeployOutcome,
  DeployPhase,
  DeployResolution,
  DeployStatus,
} from './messages.ts';

// The state of one run of deployToDone and what people see of it. Pure: time is an argument, nothing is changed in place.

export interface DeployRun {
  readonly phase: DeployPhase;
  readonly approval: {
    readonly required: boolean;
    readonly expiresAt: number | null;
    readonly decision: 'approved' | 'rejected' | 'expired' | null;
    readonly by: string | null;
    readonly reason: string | null;
  };
  /** What an external deployer reported; one that comes before the approval is kept until it is known whether it counts. */
  readonly finished: DeployFinished | null;
  /** What a person said of a deploy whose outcome was unknown. */
  readonly resolution: DeployResolution | null;
  readonly windowId: string | null;
  readonly outcome: DeployOutcome | null;
  readonly reason: string | null;
  /** With outcome `already_done`: the requested version is not the one that the last deploy left in production. */
  readonly otherVersionRequested: boolean;
  readonly notes: readonly { readonly at: number; readonly text: string }[];
  /** Signals that were ignored. */
  readonly ignoredSignals: number;
  /** The status with which the item is left, and why; absent where it is not left degraded. */
  readonly finalStatus?: string;
}

export const begin = (): DeployRun => ({
  phase: 'awaiting_approval',
  approval: { required: true, expiresAt: null, decision: null, by: null, reason: null },
  finished: null,
  resolution: null,
  windowId: null,
  outcome: null,
  reason: null,
  otherVersionRequested: false,
  notes: [],
  ignoredSignals: 0,
});

export const noted = (run: DeployRun, text: string, at: number): DeployRun => ({
  ...run,
  notes: withNote(run.notes, text, at),
});

/** Notes a signal that was ignored, and why. */
export const ignored = (run: DeployRun, why: string, at: number): DeployRun => ({
  ...noted(run, why, at),
  ignoredSignals: run.ignoredSignals + 1,
});

export const inPhase = (run: DeployRun, phase: DeployPhase): DeployRun => ({ ...run, phase });

export const askedForApproval = (run: DeployRun, plan: DeployPlan, required: boolean, now: number): DeployRun => ({
  ...run,
  approval:
    required || run.approval.decision !== null
      ? { ...run.approval, required, expiresAt: required ? now + plan.approval.timeoutMs : null }
      : { required, expiresAt: null, decision: 'approved', by: null, reason: 'no approval is required' },
});

/** Why an approval or rejection is ignored now; `null`: it counts, one that comes before it is waited for, too. */
export function decisionRefusal({ approval, outcome }: DeployRun): string | null {
  if (outcome !== null) return 'the run has ended';
  if (!approval.required) return 'no approval is required';
  return approval.decision === null ? null : `it was ${approval.decision} by ${approval.by ?? 'unknown'} already`;
}

export const decided = (
  run: DeployRun,
  decision: 'approved' | 'rejected' | 'expired',
  { by, reason }: Command,
): DeployRun => ({
  ...run,
  approval: { ...run.approval, decision, by, reason },
});

/**
 * Why the report of an external deployer is ignored; `null`: it counts. Before there is a plan every report is kept: it may have
 * come with the start, and is looked at once more then.
 * @param own the operation id of this run
 * @param strict `false` in runs of earlier versions, which took a report about anything, and none that came with the start
 */
export function finishRefusal(
  { approval, finished, phase }: DeployRun,
  plan: DeployPlan | null,
  report: DeployFinished,
  started: { readonly version?: string | undefined; readonly approval?: 'required' | 'none' | undefined },
  own: string,
  strict = true,
): string | null {
  if (plan === null && !strict) return 'the deploy is not approved yet';
  if (finished !== null) return 'the deploy has been reported already';
  const { version, operationId } = strict ? report : {};
  if (operationId !== undefined && operationId !== own) return `it is about operation ${operationId}, not ${own}`;
  if (version !== undefined && started.version !== undefined && version !== started.version)
    return `it is about version ${version}, not ${started.version}`;
  if (plan === null) return null;
  if (plan.driver.kind !== 'external') return 'this repository is not deployed by an external deployer';
  if (needsApproval(plan, started.approval) && approval.decision !== 'approved')
    return 'the deploy is not approved yet';
  return IN_DEPLOY.has(phase) ? null : 'the deploy is over';
}

/** The start decides, or else the settings. */
export const needsApproval = (plan: DeployPlan, asked: 'required' | 'none' | undefined): boolean =>
  asked === undefined ? plan.approval.required : asked === 'required';

const IN_DEPLOY: ReadonlySet<DeployPhase> = new Set(['awaiting_approval', 'deploying', 'unknown']);

/** Why what a person says of the deploy is ignored; `null`: it counts. */
export const resolveRefusal = ({ phase, resolution }: DeployRun): string | null =>
  phase !== 'unknown'
    ? `the outcome of the deploy is known: it is at ${phase}`
    : resolution === null
      ? null
      : 'it has been resolved already';

/** Why an answer to how the deploy ended comes second; `null`: it is the first. A report and a resolution may come together. */
export const earlierAnswer = ({ finished, resolution }: DeployRun): string | null =>
  resolution !== null
    ? `${resolution.by} has said already that it was ${resolution.deployed ? '' : 'not '}deployed`
    : finished === null
      ? null
      : 'the deploy has been reported already';

export const resolved = (run: DeployRun, resolution: DeployResolution): DeployRun => ({ ...run, resolution });

/** Nobody knows how the deploy ended: the run waits for a person, or a late report. */
export const unknown = (run: DeployRun, reason: string): DeployRun => ({ ...run, phase: 'unknown', reason });

/** Somebody has said how an unknown deploy ended: the run goes on. */
export const known = (run: DeployRun): DeployRun => ({ ...run, phase: 'deploying', reason: null });

/** A report that turned out not to count. */
export const withoutReport = (run: DeployRun): DeployRun => ({ ...run, finished: null });

export const reported = (run: DeployRun, finished: DeployFinished): DeployRun => ({ ...run, finished });

export const armed = (run: DeployRun, windowId: string): DeployRun => ({ ...run, windowId, phase: 'monitoring' });

export const over = (
  run: DeployRun,
  { outcome, reason, otherVersionRequested = false }: Ending,
  finalStatus: string | null = null,
): DeployRun => ({
  ...run,
  phase: 'finished',
  outcome,
  reason,
  otherVersionRequested,
  ...(finalStatus === null ? {} : { finalStatus }),
});

/** The answer to `deployStatus`. */
export function status(run: DeployRun, input: DeployInput, operationId: string): DeployStatus {
  const { required, expiresAt, decision, by, reason } = run.approval;
  return {
    repo: input.repo,
    workItem: input.workItem,
    version: input.version ?? null,
    requestedBy: input.requestedBy ?? null,
    operationId,
    phase: run.phase,
    outcome: run.outcome,
    reason: run.reason,
    otherVersionRequested: run.otherVersionRequested,
    approval: { required, expiresAt, decision, by, reason },
    reported: run.finished,
    resolution: run.resolution,
    windowId: run.windowId,
    notes: run.notes,
    ...(run.ignoredSignals === 0 ? {} : { ignoredSignals: run.ignoredSignals }),
    ...(run.finalStatus === undefined ? {} : { finalStatus: run.finalStatus }),
  };
}

/** The run at a glance, in Markdown, for the Temporal UI. Times are UTC. */
export function details(run: DeployRun, input: DeployInput): string {
  const { approval, outcome, reason, phase, windowId, notes } = run;
  const lines = [
    `**${(outcome ?? phase).replaceAll('_', ' ')}** · ${inline(input.repo)}${input.version === undefined || run.otherVersionRequested ? '' : ` ${inline(input.version)}`}`,
  ];
  if (reason !== null) lines.push('', paragraph(reason));
  if (phase === 'unknown') {
    lines.push(
      '',
      `Nobody knows how it ended. Look, then say: ${code(`d2d resolve ${input.workItem} --deployed | --not-deployed`)}.`,
    );
  }
  if (phase === 'awaiting_approval' && approval.expiresAt !== null) {
    lines.push('', `Waits for \`approve\` or \`reject\` until ${new Date(approval.expiresAt).toISOString()}.`);
  }
  if (approval.by !== null)
    lines.push('', `${approval.decision} by ${inline(approval.by)}: ${paragraph(approval.reason ?? '')}`);
  if (run.finalStatus !== undefined) lines.push('', `Status of the work item: ${inline(run.finalStatus)}.`);
  if (windowId !== null) lines.push('', `Post-deploy window: ${code(windowId)}`);
  for (const { at, text } of notes) lines.push('', `${new Date(at).toISOString()} ${paragraph(text)}`);
  for (const text of manyIgnored(run.ignoredSignals)) lines.push('', text);
  return detailsOf(lines);
}
