import { type RestingEvidence, terminalStage } from './deploy-status-guard.ts';
import { field } from './total.ts';

/**
 * What the tracker must show once nothing is on its way any more: `done` for a done task, `monitoring` while its window
 * is active, `degraded` after a deploy that ended so. `null`: the authorities ask for no status, so whatever stands there is
 * left alone (a task that is not terminal, a cancelled one, a repository where the guard is not in force). Pure and total:
 * never throws.
 */
export function restingStatus(evidence: RestingEvidence): 'done' | 'monitoring' | 'degraded' | null {
  if (field(evidence, 'inForce') !== true) return null;
  const degraded = field(evidence, 'lastDeploy') === 'degraded';
  switch (terminalStage(field(evidence, 'dbStage'))) {
    case 'done':
      if (field(evidence, 'windowActive') === true) return 'monitoring';
      return degraded ? 'degraded' : 'done';
    case 'cancelled':
      return null;
    default:
      return degraded ? 'degraded' : null;
  }
}

/**
 * What a sweep puts in the place of a deploy-phase status that stands in the tracker: what must rest there, and for a cancelled
 * task the project's own state for that. `null`: it is left alone. Pure and total: never throws.
 */
export function sweptStatus(evidence: RestingEvidence): 'done' | 'monitoring' | 'degraded' | 'cancelled' | null {
  if (field(evidence, 'inForce') === true && terminalStage(field(evidence, 'dbStage')) === 'cancelled')
    return 'cancelled';
  return restingStatus(evidence);
}

/**
 * Whether a setter leaves what stands in the tracker, where degraded work has a state of its own: that state, until a new
 * deploy is under way; and after a degraded deploy whatever a person has chosen instead. Pure and total: never throws.
 * @param stands one of the orchestrator's statuses; `null`: a state of the project's own.
 */
export function isLeftAtRest(stands: string | null, evidence: RestingEvidence): boolean {
  const last = field(evidence, 'lastDeploy');
  if (field(evidence, 'windowActive') === true || (last !== 'degraded' && last !== 'over')) return false;
  return stands === 'degraded' || (last === 'degraded' && (stands === null || stands === 'done'));
}

/** What a run knows of the status of its work item when it writes its last one. */
export interface OwnStatuses {
  /** The tracker has taken a status of this run. */
  readonly acknowledged: boolean;
  /** The state that it showed before the run, by the tracker's id; `null`: it could not be read. */
  readonly before: string | null;
}

/**
 * Whether what stands in the tracker at the end of a run is somebody's choice, so that it stays: a state of the project's own that the run
 * has not found there. What stood there before the run is a choice, too, if the run has shown a status of its own in between: somebody
 * has moved the item back. Where no status of the run has arrived, nobody has moved it. Pure and total: never throws.
 * @param stands `status` is one of the orchestrator's; `null`: a state of the project's own
 */
export function isChosen(stands: { readonly id: string; readonly status: string | null }, own: OwnStatuses): boolean {
  const id = field(stands, 'id');
  if (field(stands, 'status') !== null || typeof id !== 'string' || id === '') return false;
  const before = field(own, 'before');
  return field(own, 'acknowledged') === true || (typeof before === 'string' && id !== before);
}
