import type { LastDeploy } from './last-deploy.ts';
import { field } from './total.ts';

/** A deploy-phase status, as the orchestrator names it; Plane's names for them are settings. */
export type DeployPhaseStatus = 'awaiting_deploy' | 'deploying' | 'monitoring';
export type GuardVerdict = 'ALLOW' | 'CONVERGE_DONE' | 'SUPPRESS';

/** What the authorities said at the moment of the write (design, invariant 2). */
export interface GuardEvidence {
  /** The guard is switched on and the task's repository is in its scope. */
  readonly inForce: boolean;
  /** `tasks.stage`; `null` where there is no task. */
  readonly dbStage: string | null;
  /** The task's post-deploy window runs and does not say `closed`. */
  readonly windowActive: boolean;
}

/** What must be known beside that where degraded work has a state of its own (ORCH_PLANE_STATE_DEGRADED). */
export interface RestingEvidence extends GuardEvidence {
  /** Absent where there is no such state, or where it does not matter. */
  readonly lastDeploy?: LastDeploy;
}

export type TerminalStage = 'done' | 'cancelled';

/** The terminal stage that a `tasks.stage` means, trimmed and lower-cased; `null` for every other value. Never throws. */
export function terminalStage(dbStage: unknown): TerminalStage | null {
  if (typeof dbStage !== 'string') return null;
  const stage = dbStage.trim().toLowerCase();
  return stage === 'done' || stage === 'cancelled' ? stage : null;
}

/**
 * The guard (ORCH-094: FR-2, D1, D2). A deploy-phase status is legitimate iff the task is not terminal, or it is `done`
 * and its post-deploy window is active. Otherwise a `done` task converges to `Done`, and for a `cancelled` task the
 * write is suppressed. A stage that is unknown, and a task that is not found, is not terminal.
 *
 * Pure and total: never throws, whatever it is given.
 */
export function decide(evidence: GuardEvidence): GuardVerdict {
  if (field(evidence, 'inForce') !== true) return 'ALLOW';
  const stage = terminalStage(field(evidence, 'dbStage'));
  switch (stage) {
    case null:
      return 'ALLOW';
    case 'cancelled':
      return 'SUPPRESS';
    case 'done':
      return field(evidence, 'windowActive') === true ? 'ALLOW' : 'CONVERGE_DONE';
    default:
      return stage satisfies never;
  }
}

/**
 * What a verdict writes; `null` means nothing. Under an active window a `done` task always shows `monitoring`, whatever
 * was asked for, so that a stale `awaiting_deploy` cannot flap a watched item either. After a deploy that ended degraded it
 * is `degraded`, in place of `done` and of whatever was asked for. What is no verdict writes nothing. Never throws.
 */
export function statusToWrite(
  verdict: GuardVerdict,
  target: DeployPhaseStatus,
  evidence: RestingEvidence,
): DeployPhaseStatus | 'done' | 'degraded' | null {
  const degraded = field(evidence, 'lastDeploy') === 'degraded';
  switch (verdict) {
    case 'ALLOW':
      if (field(evidence, 'inForce') !== true) return target;
      if (terminalStage(field(evidence, 'dbStage')) === 'done') return 'monitoring';
      return degraded ? 'degraded' : target;
    case 'CONVERGE_DONE':
      return degraded ? 'degraded' : 'done';
    case 'SUPPRESS':
      return null;
    default:
      verdict satisfies never;
      return null;
  }
}
