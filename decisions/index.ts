export { applies, type Scope } from './applicability.ts';
export {
  type DeployPhaseStatus,
  decide,
  type GuardEvidence,
  type GuardVerdict,
  type RestingEvidence,
  statusToWrite,
  type TerminalStage,
  terminalStage,
} from './deploy-status-guard.ts';
export {
  type DeployRecord,
  isDegradedOnRecord,
  isUnhealthy,
  type LastDeploy,
  type LastSay,
  lastDeploy,
  lastSay,
  type WindowRecord,
  windowOutcomeOnRecord,
} from './last-deploy.ts';
export { type Health, type Observation, orderedObservations } from './observation.ts';
export {
  type ConfiguredAction,
  decideAction,
  type PostDeployAction,
  type WindowVerdict,
} from './post-deploy-action.ts';
export {
  type Cadence,
  failuresTakeMs,
  type Grid,
  longestStreak,
  lookNow,
  MAX_TICKS,
  missedAtEnd,
  mostTicks,
  nextLookAt,
  plannedTicks,
  skippedDuring,
  tickAt,
} from './probe-cadence.ts';
export { hasRecovered, recoveryIsUnknown } from './recovery.ts';
export { normaliseRepo, sameRepo } from './repository-name.ts';
export { isChosen, isLeftAtRest, type OwnStatuses, restingStatus, sweptStatus } from './resting-status.ts';
export {
  type Assessment,
  type ClassifyPolicy,
  type Coverage,
  classify,
  coverage,
  currentStreak,
  type Doubt,
  doubtOfHealth,
  hasEvidence,
} from './window-assessment.ts';
export type { WindowPolicy } from './window-policy.ts';
