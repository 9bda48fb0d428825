import { terminalStage } from './deploy-status-guard.ts';
import { field } from './total.ts';

/**
 * What Temporal's record of the last deploy of a work item says. `under_way`: a run is between its begin and its end;
 * `degraded`: it left production degraded, or rolled back; `over`: anything else.
 */
export type LastDeploy = 'under_way' | 'degraded' | 'over';

/** Temporal's record of the latest run of a deploy. */
export interface DeployRecord {
  readonly runId: string;
  readonly running: boolean;
  /** `null` between its start and its first workflow task. */
  readonly phase: string | null;
  /** `null` until it has ended. */
  readonly outcome: string | null;
}

/** Temporal's record of the latest post-deploy window. */
export interface WindowRecord {
  /** The run that opened it. */
  readonly parentRunId: string | null;
  readonly running: boolean;
  readonly phase: string | null;
  /** As `windowOutcomeOnRecord` has it; `null` until it is closed. */
  readonly outcome: string | null;
  readonly verdict: string | null;
}

const UNHEALTHY: ReadonlySet<unknown> = new Set([
  'unhealthy_after_deploy',
  'unhealthy_rolled_back',
  'unhealthy_rollback_failed',
]);

const DEGRADED: ReadonlySet<unknown> = new Set(['degraded_alerted', 'degraded_rolled_back', 'rollback_failed']);

/** Outcomes of runs that changed nothing in production: what was there before still holds. */
const NOTHING_DEPLOYED: ReadonlySet<unknown> = new Set([
  ...['already_done', 'refused', 'rejected', 'approval_expired', 'task_cancelled', 'cancelled'],
]);

/** Outcomes of runs that put back the status from before them, or show that production is degraded where there is a state for that. */
const PUTS_BACK: ReadonlySet<unknown> = new Set([
  ...['refused', 'rejected', 'approval_expired', 'cancelled', 'deploy_failed'],
  ...UNHEALTHY,
]);

/** What a run that has ended may still do about the status of its work item. */
export type LastSay = 'has' | 'waits' | 'lost';

/**
 * Whether a run that has ended may still put back the status from before it, by the latest run of its work item. `has`: it is the latest run, or
 * the latest put a status back, so the status from before both is right. `waits`: the latest still runs. `lost`: the latest ended otherwise.
 * Pure and total: never throws.
 */
export function lastSay(run: string, latest: DeployRecord | null): LastSay {
  const [runId, running, outcome] = ['runId', 'running', 'outcome'].map((name) => field(latest, name));
  if (latest === null || runId === run) return 'has';
  if (running === true && outcome === null) return 'waits';
  return PUTS_BACK.has(outcome) ? 'has' : 'lost';
}

/** Whether a deploy that ended so never became healthy. Never throws. */
export const isUnhealthy = (outcome: string): boolean => UNHEALTHY.has(outcome);

/** How a window that ended is recorded: a recovery without a rollback is an outcome of its own there. Never throws. */
export const windowOutcomeOnRecord = (outcome: string, recovered: boolean | null): string =>
  outcome === 'degraded_alerted' && recovered === true ? 'degraded_recovered' : outcome;

/** Whether a window with this outcome on record left production degraded, or rolled back. Never throws. */
export const isDegradedOnRecord = (outcome: unknown): boolean => DEGRADED.has(outcome);

/**
 * What the last deploy came to (docs/status-protocol.md, "Degraded"). A done task goes by the window, unless a later run has
 * deployed since; any other task by the run. Pure and total: never throws.
 */
export function lastDeploy(
  dbStage: string | null,
  deploy: DeployRecord | null,
  window: WindowRecord | null,
): LastDeploy {
  const [running, phase, outcome, runId] = ['running', 'phase', 'outcome', 'runId'].map((name) => field(deploy, name));
  const unfinished = running === true && outcome === null;
  if (terminalStage(dbStage) !== 'done') {
    if (unfinished) return 'under_way';
    return UNHEALTHY.has(outcome) ? 'degraded' : 'over';
  }
  const itsWindow = runId !== undefined && field(window, 'parentRunId') === runId;
  const begun = phase !== null && phase !== 'awaiting_approval';
  if (unfinished && begun && !itsWindow) return 'under_way';
  const overtaken = deploy !== null && !itsWindow && begun && !NOTHING_DEPLOYED.has(outcome);
  return !overtaken && endedDegraded(window) ? 'degraded' : 'over';
}

/** A window that was ended from outside has no outcome: then its verdict counts. */
function endedDegraded(window: WindowRecord | null): boolean {
  if (isDegradedOnRecord(field(window, 'outcome'))) return true;
  return (
    field(window, 'running') === false && field(window, 'phase') !== 'closed' && field(window, 'verdict') === 'DEGRADED'
  );
}
