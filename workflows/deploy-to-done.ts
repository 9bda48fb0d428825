import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  proxyActivities,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { AlertActivities } from '../activities/alerts.ts';
import type { DeployPlan } from '../activities/deploy-plan.ts';
import type { PlanActivity } from '../activities/plan-deploy.ts';
import type { SetStatus, ShownStatus, StatusSetters } from '../activities/status-setters.ts';
import type { TaskActivities } from '../activities/tasks.ts';
import { sameRepo, terminalStage } from '../decisions/index.ts';
import { convergeAndSettle } from './converge.ts';
import * as deploy from './deploy-run.ts';
import { arm, checkHealth, type Ending, ending, runDeploy } from './deploy-steps.ts';
import { messageOf } from './failures.ts';
import {
  approveSignal,
  D2dPhase,
  D2dRepo,
  D2dWorkItem,
  type DeployInput,
  type DeployOutcome,
  type DeployPhase,
  type DeployResult,
  deployFinishedSignal,
  deployStatusQuery,
  deployWorkflowId,
  monitorWorkflowId,
  rejectSignal,
} from './messages.ts';
import { parseDeployFinished, parseDeployInput, parseSignalCommand } from './parse-message.ts';
import type { WindowResult } from './post-deploy-monitor.ts';

/** Reading and setting stages waits for a database that is away, as long as that takes. */
const tasks = proxyActivities<TaskActivities>({
  startToCloseTimeout: '30 seconds',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds' },
});

const { planDeploy } = proxyActivities<PlanActivity>({ startToCloseTimeout: '10 seconds' });

/** A status write never holds up the work: after a minute the run goes on, and says so. */
const setters = (summary: string) =>
  proxyActivities<StatusSetters>({
    summary,
    startToCloseTimeout: '45 seconds',
    scheduleToCloseTimeout: '1 minute',
    heartbeatTimeout: '10 seconds',
  });

const { commentOnWorkItem } = proxyActivities<AlertActivities>({
  startToCloseTimeout: '45 seconds',
  scheduleToCloseTimeout: '1 hour',
});

const { sendAlert } = proxyActivities<AlertActivities>({
  startToCloseTimeout: '30 seconds',
  scheduleToCloseTimeout: '10 minutes',
});

/**
 * One deploy, from `Awaiting Deploy` to a true `Done`. Every ending of it leads on to the status that the authorities ask
 * for, and says why.
 */
export async function deployToDone(payload: DeployInput): Promise<DeployResult> {
  const parsed = parseDeployInput(payload);
  if (typeof parsed === 'string') return { outcome: 'refused', reason: parsed };
  const input = parsed;
  const { repo, workItem } = input;
  const { firstExecutionRunId, workflowId } = workflowInfo();
  let run = deploy.begin();
  let plan: DeployPlan | null = null;
  let cancelRequested = false;
  /** Whether this run has begun to write statuses, and whether its deploy has begun. */
  let touched = false;
  let began = false;
  let version = input.version ?? null;

  const become = (next: deploy.DeployRun): void => {
    const moved = next.phase !== run.phase;
    run = next;
    if (moved) upsertSearchAttributes([{ key: D2dPhase, value: run.phase }]);
    setCurrentDetails(deploy.details(run, input));
  };
  const enter = (phase: DeployPhase): void => become(deploy.inPhase(run, phase));
  const note = (text: string): void => {
    log.warn(text);
    become(deploy.noted(run, text, Date.now()));
  };

  const decision = (signal: string, verdict: 'approved' | 'rejected') => (payload: unknown) => {
    const command = parseSignalCommand(payload);
    const ignored = typeof command === 'string' ? command : deploy.decisionRefusal(run);
    if (typeof command === 'string' || ignored !== null) note(`the signal ${signal} was ignored: ${ignored}`);
    else become(deploy.decided(run, verdict, command));
  };
  setHandler(approveSignal, decision('approve', 'approved'), { description: 'Approve the deploy: {by, reason?}.' });
  setHandler(rejectSignal, decision('reject', 'rejected'), { description: 'Reject the deploy: {by, reason?}.' });
  setHandler(
    deployFinishedSignal,
    (payload: unknown) => {
      const finished = parseDeployFinished(payload);
      const ignored = typeof finished === 'string' ? finished : deploy.finishRefusal(run, plan);
      if (typeof finished === 'string' || ignored !== null) note(`the signal deployFinished was ignored: ${ignored}`);
      else become(deploy.reported(run, finished));
    },
    { description: 'An external deployer reports: {ok, version?, detail?, by?}.' },
  );
  setHandler(deployStatusQuery, () => deploy.status(run, input));
  setDefaultSignalHandler((name) =>
    note(`the signal ${name} was ignored: a deploy takes approve, reject and deployFinished`),
  );

  const finish = ({ outcome, reason }: Ending): DeployResult => {
    become(deploy.over(run, outcome, reason));
    return { outcome, reason };
  };

  upsertSearchAttributes([
    { key: D2dRepo, value: repo },
    { key: D2dWorkItem, value: workItem },
    { key: D2dPhase, value: run.phase },
  ]);
  setCurrentDetails(deploy.details(run, input));

  const request = (reason: string): SetStatus => ({
    repo: plan?.repo ?? repo,
    workItem,
    caller: 'deployToDone',
    reason,
  });
  /** An intermediate status: one that cannot be written within its time is noted, and the run goes on. */
  const show = async <T>(what: string, write: () => Promise<T>): Promise<T | null> => {
    try {
      return await write();
    } catch (error) {
      if (isCancellation(error)) throw error;
      note(`${what}: ${messageOf(error)}`);
      return null;
    }
  };
  const comment = (kind: string, { outcome, reason }: Ending) =>
    show('the comment could not be written', () =>
      commentOnWorkItem({
        repo: plan?.repo ?? repo,
        workItem,
        key: `${firstExecutionRunId}:${kind}`,
        paragraphs: [`${workItem}: deploy of ${repo}: ${outcome.replaceAll('_', ' ')}.`, reason],
      }),
    );
  const converge = (reason: string) =>
    convergeAndSettle(
      {
        ...request(reason),
        reason,
        guarded: plan?.guarded ?? true,
        settleMs: plan?.settleMs ?? 0,
        alarmKey: firstExecutionRunId,
      },
      note,
    );

  /** Everything before the deploy; an ending where it must not begin. */
  const mayDeploy = async (fixed: DeployPlan): Promise<Ending | null> => {
    const task = await tasks.lookAtTask({ repo: fixed.repo, workItem });
    if (task === null)
      return ending(
        'refused',
        `there is no task for work item ${workItem}; start with createTask (d2d start --create) to make one`,
      );
    if (!sameRepo(task.repo, fixed.repo))
      return ending('refused', `the task of ${workItem} belongs to repository ${task.repo}, not ${fixed.repo}`);
    if (task.windowActive) {
      return ending(
        'refused',
        `the post-deploy window ${monitorWorkflowId(fixed.repo, workItem)} is still active; close it (d2d close ${workItem}) or wait for its end`,
      );
    }
    const stage = terminalStage(task.stage);
    if (stage === 'done') return ending('already_done', 'the task was done already');
    if (stage === 'cancelled') return ending('task_cancelled', 'the task is cancelled');
    const [other] = await tasks.otherRunsOn({ repo: fixed.repo, workItem });
    if (other === undefined) return null;
    return ending(
      'refused',
      `repository ${fixed.repo} is busy: ${other.workflowId} is ${other.phase ?? 'running'}; wait for its end, or end it first`,
    );
  };

  /** From the look at the task to `tasks.stage = done`; `null`: the task is done now, by this run. */
  const upToDone = async (fixed: DeployPlan): Promise<Ending | null> => {
    touched = true;
    await show('Awaiting Deploy could not be shown', () =>
      setters('show Awaiting Deploy').setAwaitingDeploy(request('waits for approval')),
    );
    become(
      deploy.askedForApproval(
        run,
        fixed,
        (input.approval ?? (fixed.approval.required ? 'required' : 'none')) === 'required',
        Date.now(),
      ),
    );
    if (run.approval.decision === null) {
      const inTime = await condition(() => run.approval.decision !== null, fixed.approval.timeoutMs, {
        summary: 'the approval expires',
      });
      if (!inTime)
        become(
          deploy.decided(run, 'expired', {
            by: 'nobody',
            reason: `no answer within ${fixed.approval.timeoutMs / 60_000} minutes`,
          }),
        );
    }
    const { decision: answer, by, reason } = run.approval;
    if (answer === 'rejected') return ending('rejected', `rejected by ${by}: ${reason}`);
    if (answer === 'expired') return ending('approval_expired', reason ?? 'no answer in time');

    // Claimed first, looked for others second: of two that come at once each sees the other, and neither deploys.
    enter('deploying');
    const refusal = await mayDeploy(fixed);
    if (refusal !== null) return refusal;

    await show('Deploying could not be shown', () =>
      setters('show Deploying').setDeploying(request('the deploy begins')),
    );
    began = true;
    const deployed = await runDeploy(fixed, input, () => run.finished, firstExecutionRunId);
    if ('outcome' in deployed) return deployed;
    version = deployed.version;

    if (fixed.healthCheck !== null) {
      enter('checking');
      const { ok, detail } = await checkHealth(fixed);
      if (!ok) return ending('unhealthy_after_deploy', detail);
    }
    const completed = await CancellationScope.nonCancellable(() => tasks.completeTask({ workItem }));
    if (completed === 'done') return null;
    return completed === 'cancelled'
      ? ending('task_cancelled', 'the task was cancelled while its deploy ran')
      : ending(
          'deploy_failed',
          'the deploy worked, but the task was deleted meanwhile, so that nothing could be set to done',
        );
  };

  /** An ending before `done`: the tracker goes back to what it showed, or to what the authorities ask for. */
  const endBeforeDone = async (end: Ending, before: ShownStatus | null): Promise<DeployResult> => {
    const unsettled =
      end.outcome !== 'already_done' && end.outcome !== 'task_cancelled' && end.outcome !== 'deploy_unknown';
    if (unsettled && touched) {
      await show('the status from before the run could not be put back', () =>
        setters('put the status back').restoreStatus({ ...request(end.outcome), before }),
      );
    }
    // What is told about it may wait for a tracker that is away; the repository is free for the next deploy.
    const result = finish(end);
    switch (end.outcome) {
      case 'already_done':
        await converge(end.reason);
        break;
      case 'deploy_unknown': {
        const title = `${workItem}: nobody knows whether the deploy of ${repo} has happened`;
        await Promise.all([
          comment('ended', end),
          show('the alert could not be sent', () =>
            sendAlert({
              key: `${firstExecutionRunId}:unknown`,
              severity: 'critical',
              repo,
              workItem,
              title,
              text: end.reason,
              at: Date.now(),
            }),
          ),
        ]);
        break;
      }
      default:
        await comment('ended', end);
    }
    return result;
  };

  /** A cancel is passed on to the window by its id: once it has continued as new, no scope of this run reaches it. */
  const cancelWindow = (): void => {
    const { windowId } = run;
    if (windowId === null) return;
    CancellationScope.nonCancellable(() => getExternalWorkflowHandle(windowId).cancel()).catch((error) =>
      note(`the cancel could not be passed on to the window: ${messageOf(error)}`),
    );
  };

  /** From `done` in the database to `Done` in the tracker. */
  const fromDoneToDone = async (fixed: DeployPlan): Promise<DeployResult> => {
    if (fixed.window === null) {
      enter('monitoring');
      await converge('no window for this repository');
      return finish(ending('done', 'deployed; no post-deploy window for this repository'));
    }
    // D3: the window is armed before the terminal sync, so that the first Monitoring meets an active window.
    const window = await arm(fixed, fixed.window, input, version);
    if (window === null) return lost('the post-deploy window could not be started: the one before is still running');
    become(deploy.armed(run, monitorWorkflowId(fixed.repo, workItem)));
    if (cancelRequested) cancelWindow();
    await show('Monitoring after Deploy could not be shown', () =>
      setters('show Monitoring after Deploy').setMonitoring(request('the window is open')),
    );
    try {
      const { outcome, summary } = await window.result();
      return finish(ending(WINDOW_OUTCOMES[outcome], summary));
    } catch (error) {
      return lost(`the post-deploy window was lost: ${messageOf(error)}`);
    }
  };

  /** Nobody else takes the status to its end where there is no window any more. */
  const lost = async (reason: string): Promise<DeployResult> => {
    const end = ending('window_lost', reason);
    await converge(reason);
    await comment('lost', end);
    return finish(end);
  };

  CancellationScope.current().cancelRequested.catch(() => {
    cancelRequested = true;
    cancelWindow();
  });

  let before: ShownStatus | null = null;
  let end: Ending | null;
  try {
    plan = await planDeploy({ repo });
    const id = deployWorkflowId(plan.repo, workItem);
    if (workflowId !== id) {
      return finish(
        ending(
          'refused',
          `the deploy of a work item runs once, under its own id: start it as ${id}, not ${workflowId}`,
        ),
      );
    }
    if (input.createTask === true) await tasks.createTask({ repo: plan.repo, workItem });
    const refusal = await mayDeploy(plan);
    if (refusal?.outcome === 'refused') return finish(refusal);
    before =
      refusal === null
        ? await show('the status could not be read', () =>
            setters('read the status').readStatus({ repo: request('').repo, workItem }),
          )
        : null;
    end = refusal ?? (await upToDone(plan));
  } catch (error) {
    if (isUnknownRepository(error)) return finish(ending('refused', messageOf(error)));
    if (!isCancellation(error)) throw error;
    const doubt = began
      ? ' after its deploy had begun: look at production, it may run the new version or half of it'
      : '';
    end = ending('cancelled', `the run was cancelled${doubt}`);
  }
  const fixed = plan;
  return CancellationScope.nonCancellable(() =>
    end === null && fixed !== null
      ? fromDoneToDone(fixed)
      : endBeforeDone(end ?? ending('cancelled', 'the run was cancelled'), before),
  );
}

const WINDOW_OUTCOMES = {
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

const isUnknownRepository = (error: unknown): boolean =>
  error instanceof ActivityFailure &&
  error.cause instanceof ApplicationFailure &&
  error.cause.type === 'UnknownRepository';
