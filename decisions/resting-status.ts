import { type GuardEvidence, terminalStage } from './deploy-status-guard.ts';
import { field } from './total.ts';

/**
 * What the tracker must show once nothing is on its way any more: `done` for a done task, `monitoring` while its window
 * is active. `null`: the authorities ask for no status, so whatever stands there is left alone (a task that is not
 * terminal, a cancelled one, a repository where the guard is not in force). Pure and total: never throws.
 */
export function restingStatus(evidence: GuardEvidence): 'done' | 'monitoring' | null {
  if (field(evidence, 'inForce') !== true || terminalStage(field(evidence, 'dbStage')) !== 'done') return null;
  return field(evidence, 'windowActive') === true ? 'monitoring' : 'done';
}

/**
 * What a sweep puts in the place of a deploy-phase status that stands in the tracker: what must rest there, and for a cancelled
 * task the project's own state for that. `null`: it is left alone. Pure and total: never throws.
 */
export function sweptStatus(evidence: GuardEvidence): 'done' | 'monitoring' | 'cancelled' | null {
  if (field(evidence, 'inForce') === true && terminalStage(field(evidence, 'dbStage')) === 'cancelled')
    return 'cancelled';
  return restingStatus(evidence);
}
