import { ApplicationFailure, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ActivityCancellationType,
  ActivityFailure,
  condition,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  sleep,
  startChild,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { Deploy } from '../activities/deploy.ts';
import type { DeployPlan } from '../activities/deploy-plan.ts';
import type { HealthCheck } from '../activities/health-check.ts';
import type { OwnStatuses } from '../decisions/index.ts';
import { oneLine } from '../decisions/shown-text.ts';
import { type EndingBeforeDone, ending } from './deploy-endings.ts';
import { driverTimeouts } from './driver-time-outs.ts';
import { messageOf } from './failures.ts';
import { inline } from './markdown.ts';
import {
  D2dPhase,
  D2dRepo,
  D2dWorkItem,
  type DeployFinished,
  type DeployInput,
  monitorWorkflowId,
  versionAttribute,
  WORKFLOW_TASK_TIMEOUT,
} from './messages.ts';
import { onAnyWorker } from './on-any-worker.ts';
import { since } from './patches.ts';
import { postDeployMonitor } from './post-deploy-monitor.ts';

/** A deploy that has worked, and the version that it brought, where somebody has named one. */
export interface Deployed {
  readonly version: string | null;
}

/** How long a window that is closed but still settles may hold up the next one of its work item. */
const ARMING = { tries: 60, everyMs: 10_000 };

/**
 * Deploys by the repository's driver. A deploy runs once: only a driver that is declared idempotent is
 * tried again, else a worker that was lost in the middle leaves it unknown.
 */
export async function runDeploy(
  plan: DeployPlan,
  input: DeployInput,
  finished: () => DeployFinished | null,
  operationId: string,
): Promise<EndingBeforeDone | Deployed> {
  const { kind, idempotent, timeoutMs } = plan.driver;
  if (kind === 'external') {
    const inTime = await condition(() => finished() !== null, timeoutMs, { summary: 'the external deploy times out' });
    const report = finished();
    if (report !== null && (inTime || waitsWhereUnknown())) return reportedDeploy(report, input);
    const silent = `no deployFinished signal within ${timeoutMs / 60_000} minutes`;
    return waitsWhereUnknown() ? ending('deploy_unknown', silent) : ending('deploy_failed', silent);
  }
  const activities = proxyActivities<Deploy>({
    ...driverTimeouts(plan.driver),
    // A status is put back only once nothing of the deploy runs any more.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { maximumAttempts: idempotent ? 10 : 1 },
    summary: oneLine(`deploy ${plan.repo}${input.version === undefined ? '' : ` ${input.version}`}`),
  });
  try {
    const request = { repo: plan.repo, workItem: input.workItem, version: input.version ?? null, operationId };
    const { ok, detail, version } = await onAnyWorker(() => activities.deploy(request));
    return ok ? { version: version ?? input.version ?? null } : ending('deploy_failed', detail);
  } catch (error) {
    if (isCancellation(error)) throw error;
    if (isInterrupted(error)) {
      const lost = isTimeout(error) ? ', as its worker was lost or could not reach Temporal' : '';
      return ending('deploy_unknown', `nobody knows whether it has happened${lost}: ${messageOf(error)}`);
    }
    return ending('deploy_failed', messageOf(error));
  }
}

/** What the report of an external deployer comes to. */
export const reportedDeploy = (
  { ok, version, by, detail }: DeployFinished,
  input: DeployInput,
): EndingBeforeDone | Deployed =>
  ok
    ? { version: version ?? input.version ?? null }
    : ending(
        'deploy_failed',
        `${by ?? 'the external deployer'} reported a failure${detail === undefined ? '' : `: ${detail}`}`,
      );

/** Runs of earlier versions ended where nobody knew how the deploy had ended. */
export const waitsWhereUnknown = (): boolean => since('unknown-deploy-waits');

/** The health check right after the deploy, or after its rollback, tried again where its worker is lost: it only reads. */
export function checkHealth(plan: DeployPlan, workItem: string, version: string | null, rolledBack?: true) {
  const deadlineMs = plan.healthCheck?.deadlineMs ?? 0;
  const activities = proxyActivities<HealthCheck>({
    startToCloseTimeout: deadlineMs + 30_000,
    heartbeatTimeout: '10 seconds',
    summary: `health of ${plan.repo} after the ${rolledBack ? 'rollback' : 'deploy'}`,
  });
  return activities.checkHealth({ repo: plan.repo, workItem, version, ...(rolledBack ? { rolledBack } : {}) });
}

/** Starts the window and waits until it has started; `null`: an older one of this work item does not end. */
export async function arm(
  plan: DeployPlan,
  policy: NonNullable<DeployPlan['window']>,
  { workItem, requestedBy }: DeployInput,
  version: string | null,
  own: OwnStatuses,
) {
  const { repo, selfHosting, rollback, guarded, settleMs, healthCheck, degradedState } = plan;
  for (let tries = 1; tries <= ARMING.tries; tries += 1) {
    try {
      return await startChild(postDeployMonitor, {
        workflowId: monitorWorkflowId(repo, workItem),
        parentClosePolicy: ParentClosePolicy.ABANDON,
        workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
        args: [
          {
            repo,
            workItem,
            version,
            requestedBy: requestedBy ?? null,
            selfHosting,
            policy,
            rollback,
            guarded,
            settleMs,
            looksAtHealth: healthCheck !== null,
            own,
            ...(degradedState === undefined ? {} : { degradedState }),
          },
        ],
        typedSearchAttributes: [
          { key: D2dRepo, value: repo },
          { key: D2dWorkItem, value: workItem },
          { key: D2dPhase, value: 'open' },
          ...versionAttribute(version),
        ],
        staticSummary: inline(`${workItem}: watch ${repo}${version === null ? '' : ` ${version}`} after its deploy`),
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      await sleep(ARMING.everyMs, { summary: 'the window before still settles' });
    }
  }
  return null;
}

const isTimeout = (error: unknown): boolean =>
  error instanceof ActivityFailure && error.cause instanceof TimeoutFailure;

/** Whether a deploy was cut off, so that nobody knows how far it came. */
function isInterrupted(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  return isTimeout(error) || (cause instanceof ApplicationFailure && cause.type === 'DeployInterrupted');
}
