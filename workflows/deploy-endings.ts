import type { DeployPlan } from '../activities/deploy-plan.ts';
import type { LastDeployed, TaskLook } from '../activities/tasks.ts';
import { isUnhealthy, sameRepo, terminalStage } from '../decisions/index.ts';
import type { Completed } from './late-task.ts';
import { type DeployInput, type DeployOutcome, monitorWorkflowId } from './messages.ts';
import type { WindowResult } from './post-deploy-monitor.ts';

/** How a run ends, and why, in one sentence. */
export interface Ending<Outcome extends DeployOutcome = DeployOutcome> {
  readonly outcome: Outcome;
  readonly reason: string;
  /** With `already_done`: the requested version is not the one that the last deploy left in production. */
  readonly otherVersionRequested?: boolean;
}

export const ending = <Outcome extends DeployOutcome>(outcome: Outcome, reason: string): Ending<Outcome> => ({
  outcome,
  reason,
});

/** How a run ends that does not take its task to `done`. */
export type EndingBeforeDone = Ending<
  | 'refused'
  | 'already_done'
  | 'rejected'
  | 'approval_expired'
  | 'deploy_failed'
  | 'unhealthy_after_deploy'
  | 'unhealthy_rolled_back'
  | 'unhealthy_rollback_failed'
  | 'deploy_unknown'
  | 'task_cancelled'
  | 'cancelled'
>;

/** What an ending before `done` owes the work item. */
interface Owed {
  /** The status: back to what it showed before the run, on to what the authorities ask for, or left alone. */
  readonly status: 'put_back' | 'converged' | 'left';
  /** Who is told why. */
  readonly told: 'comment' | 'comment_and_alert' | 'nobody';
}

export const OWED: Readonly<Record<EndingBeforeDone['outcome'], Owed>> = {
  refused: { status: 'put_back', told: 'comment' },
  already_done: { status: 'converged', told: 'nobody' },
  rejected: { status: 'put_back', told: 'comment' },
  approval_expired: { status: 'put_back', told: 'comment' },
  deploy_failed: { status: 'put_back', told: 'comment_and_alert' },
  unhealthy_after_deploy: { status: 'put_back', told: 'comment_and_alert' },
  unhealthy_rolled_back: { status: 'put_back', told: 'comment_and_alert' },
  unhealthy_rollback_failed: { status: 'put_back', told: 'comment_and_alert' },
  deploy_unknown: { status: 'left', told: 'comment_and_alert' }, // it may be deploying still
  task_cancelled: { status: 'left', told: 'comment' }, // FR-3, D4
  cancelled: { status: 'put_back', told: 'comment' },
};

/** The status with which an item is left whose deploy never became healthy, and why; `null`: another ending, or no state for that. */
export function finalStatusOf(outcome: DeployOutcome, degradedState: string | undefined): string | null {
  if (degradedState === undefined || !isUnhealthy(outcome)) return null;
  switch (outcome) {
    case 'unhealthy_rolled_back':
      return `${degradedState}: this version was rolled back`;
    case 'unhealthy_rollback_failed':
      return `${degradedState}: the rollback failed`;
    default:
      return `${degradedState}: this version did not become healthy, and was not rolled back`;
  }
}

/** Title of the alert about an ending, after the work item. */
export function wordsOf(outcome: EndingBeforeDone['outcome'], repo: string): string {
  switch (outcome) {
    case 'deploy_failed':
      return `the deploy of ${repo} failed`;
    case 'unhealthy_after_deploy':
      return `${repo} is unhealthy after its deploy`;
    case 'unhealthy_rolled_back':
      return `${repo} was unhealthy after its deploy and was rolled back`;
    case 'unhealthy_rollback_failed':
      return `${repo} is unhealthy after its deploy and could not be rolled back`;
    case 'deploy_unknown':
      return `nobody knows whether the deploy of ${repo} has happened`;
    default:
      return `the deploy of ${repo} ended: ${outcome.replaceAll('_', ' ')}`;
  }
}

/** Refuses a start without a version where the settings of the repository need one; `null`: it may go on. */
export const versionRefusal = (
  { repo, needsVersion }: DeployPlan,
  { version }: DeployInput,
): EndingBeforeDone | null =>
  needsVersion == null || version !== undefined
    ? null
    : ending('refused', `the start of ${repo} must name a version: its ${needsVersion} needs {version}`);

/** How a run ends whose task is done already. Without a version it asks for nothing new, whatever was deployed. */
export function alreadyDone({ workItem, version }: DeployInput, last: LastDeployed | null): EndingBeforeDone {
  const done = `the task was done already${last?.version == null ? '' : `, with ${last.version}`}`;
  if (version === undefined || (last?.version === version && !last.rolledBack))
    return { outcome: 'already_done', reason: `${done}; nothing was deployed` };
  const why =
    last?.version === version
      ? `${version} was rolled back, and was not deployed again`
      : `${version} was not deployed${last?.version == null ? ' (the version deployed last is unknown)' : ''}`;
  const advice = `To deploy it: d2d reopen ${workItem} --reason "…", then start it again`;
  return { outcome: 'already_done', reason: `${done}; ${why}. ${advice}`, otherVersionRequested: true };
}

/**
 * How a run ends whose deploy worked, and whose task was not set to done.
 * @param window how its window ended, if there was one
 */
export function endingWithoutDone(became: Exclude<Completed, 'done'>, window?: string): EndingBeforeDone {
  const watched = window === undefined ? '' : `; its window: ${window}`;
  switch (became) {
    case 'given_up':
      return ending('cancelled', 'the run was cancelled after its deploy, before the task could be set to done');
    case 'cancelled':
      return ending('task_cancelled', `the task was cancelled before it could be set to done${watched}`);
    case 'missing':
      return ending(
        'deploy_failed',
        `the deploy worked, but the task was deleted meanwhile, so that nothing could be set to done${watched}`,
      );
  }
}

/** How a run ends whose window has ended. */
export const OUTCOME_OF_WINDOW = {
  healthy: 'done',
  no_evidence: 'no_evidence',
  degraded_alerted: 'degraded_alerted',
  degraded_rolled_back: 'degraded_rolled_back',
  rollback_failed: 'rollback_failed',
  cancelled: 'window_cancelled',
  closed_early: 'closed_early',
  superseded: 'superseded',
  task_cancelled: 'task_cancelled',
} satisfies Record<WindowResult['outcome'], DeployOutcome>;

/** Why a task is not to be deployed; `null`: it is. */
export function endingOfTask(
  { repo }: DeployPlan,
  workItem: string,
  task: TaskLook | null,
  mayCreate: boolean,
): EndingBeforeDone | null {
  if (task === null)
    return mayCreate
      ? null
      : ending('refused', `there is no task for work item ${workItem}; d2d start --create (createTask) makes one`);
  if (!sameRepo(task.repo, repo))
    return ending('refused', `the task of ${workItem} belongs to repository ${task.repo}, not ${repo}`);
  if (task.windowActive) {
    return ending(
      'refused',
      `the post-deploy window ${monitorWorkflowId(repo, workItem)} is still active; close it (d2d close ${workItem}) or wait for its end`,
    );
  }
  const stage = terminalStage(task.stage);
  if (stage === 'done') return ending('already_done', 'the task was done already');
  return stage === 'cancelled' ? ending('task_cancelled', 'the task is cancelled') : null;
}
