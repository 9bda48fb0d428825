import type { DeployOutcome } from '../../workflows/messages.ts';
import { STATES } from '../stack/tracker.ts';
import { type Check, holds, same } from './checks.ts';
import type { Evidence } from './evidence.ts';

export const { awaitingDeploy, deploying, monitoring, done } = STATES;

export interface Expected {
  readonly outcome: DeployOutcome;
  readonly window: string;
  /** Versions that production was switched to, in order. */
  readonly deployed: readonly string[];
  readonly rolledBackTo: readonly string[];
  /** What the comments on the work item are about. */
  readonly comments: readonly string[];
}

/** What is judged in every scenario in which the guard is on. */
export function commonChecks(evidence: Evidence, expected: Expected): Check[] {
  const { workItem, production } = evidence;
  const switched = (kind: 'deploy' | 'rollback'): readonly string[] =>
    production.operations.filter((one) => one.kind === kind && one.effect === 'switched').map(({ to }) => to ?? '');
  return [
    same(`${workItem}: result of the run (Temporal)`, expected.outcome, evidence.result.outcome),
    same(`${workItem}: outcome of the window (Temporal)`, expected.window, evidence.window.outcome),
    same(`${workItem}: tasks.stage (Postgres)`, 'done', evidence.stage),
    same(`${workItem}: statuses (Plane)`, [awaitingDeploy, deploying, monitoring, done], evidence.statuses.slice(1)),
    same(`${workItem}: comments (Plane)`, expected.comments, evidence.comments),
    same('deployed (production)', expected.deployed, switched('deploy')),
    same('rolled back to (production)', expected.rolledBackTo, switched('rollback')),
    holds(
      `${workItem}: post-deploy log`,
      'written',
      evidence.log === null ? 'missing' : 'written',
      evidence.log !== null,
    ),
  ];
}

/** A scenario's summary, but for its name. */
export const told = (evidence: readonly Evidence[]) => ({
  statuses: evidence.map(({ workItem, statuses }) => ({ workItem, sequence: statuses })),
  logs: evidence.flatMap(({ log }) => (log === null ? [] : [log])),
});
