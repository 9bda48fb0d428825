import { field } from './total.ts';

export type WindowVerdict = 'HEALTHY' | 'DEGRADED';
export type ConfiguredAction = 'alert' | 'rollback';
export type PostDeployAction = 'NONE' | 'ALERT_ONLY' | 'ROLLBACK';

/**
 * What a window does about its verdict (ORCH-021). The orchestrator's own repository is never rolled back, whatever the
 * settings say (BR-5, AC-8); where it is not certain that a repository is another one, it counts as its own.
 *
 * Pure and total: never throws. A verdict that is not `DEGRADED` asks for nothing, an action that is not `rollback` is
 * an alert.
 */
export function decideAction(input: {
  readonly verdict: WindowVerdict;
  readonly configured: ConfiguredAction;
  readonly selfHosting: boolean;
}): PostDeployAction {
  if (field(input, 'verdict') !== 'DEGRADED') return 'NONE';
  if (field(input, 'selfHosting') !== false) return 'ALERT_ONLY';
  return field(input, 'configured') === 'rollback' ? 'ROLLBACK' : 'ALERT_ONLY';
}
