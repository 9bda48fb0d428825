import {
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
import type { DeployPlan } from '../activities/deploy-plan.ts';
import type { PlanActivity } from '../activities/plan-deploy.ts';
import type { ShownStatus } from '../activities/status-evidence.ts';
import type { TaskActivities } from '../activities/tasks.ts';
import { type Ending, type EndingBeforeDone, ending, endingOfTask, OUTCOME_OF_WINDOW, OWED } from './deploy-endings.ts';
import { mirrorOf } from './deploy-mirror.ts';
import * as deploy from './deploy-run.ts';
import { arm, checkHealth, runDeploy } from './deploy-steps.ts';
import { isFailure, messageOf } from './failures.ts';
import {
  approveSignal,
  D2dPhase,
  D2dRepo,
  D2dWorkItem,
  type DeployInput,
  type DeployPhase,
  type DeployResult,
  deployFinishedSignal,
  deployStatusQuery,
  deployWorkflowId,
  monitorWorkflowId,
  rejectSignal,
} from './messages.ts';
import { parseDeployFinished, parseDeployInput, parseSignalCommand } from './parse-message.ts';

/** Reading and setting stages waits for a database that is away, as long as that takes. */
const tasks = proxyActivities<TaskActivities>({
  startToCloseTimeout: '30 seconds',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds' },
});

/** It asks the tracker, which may be away: a start waits for that no longer than a person does. */
const { createTask: createTaskNow } = proxyActivities<TaskActivities>({
  startToCloseTimeout: '30 seconds',
  scheduleToCloseTimeout: '1 minute',
  heartbeatTimeout: '10 seconds',
});

const { planDeploy } = proxyActivities<PlanActivity>({ startToCloseTimeout: '10 seconds' });

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

  const mirror = mirrorOf(input, () => plan, note);

  /** A refusal leaves nothing behind: the task is made once everything else allows the deploy. */
  const createTask = async (fixed: DeployPlan): Promise<EndingBeforeDone | null> => {
    try {
      await createTaskNow({ repo: fixed.repo, workItem });
      return null;
    } catch (error) {
      if (isCancellation(error)) throw error;
      return ending('refused', messageOf(error));
    }
  };

  /** Everything before the deploy; an ending where it must not begin. */
  const mayDeploy = async (fixed: DeployPlan, mayCreate: boolean): Promise<EndingBeforeDone | null> => {
    const task = await tasks.lookAtTask({ repo: fixed.repo, workItem });
    const unfit = endingOfTask(fixed, workItem, task, mayCreate);
    if (unfit !== null) return unfit;
    const [other] = await tasks.otherRunsOn({ repo: fixed.repo, workItem });
    if (other === undefined) return task === null ? createTask(fixed) : null;
    return ending(
      'refused',
      `repository ${fixed.repo} is busy: ${other.workflowId} is ${other.phase ?? 'running'}; wait for its end, or end it first`,
    );
  };

  /** From the look at the task to `tasks.stage = done`; `null`: the task is done now, by this run. */
  const upToDone = async (fixed: DeployPlan): Promise<EndingBeforeDone | null> => {
    touched = true;
    await mirror.awaitingDeploy();
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
    const refusal = await mayDeploy(fixed, false);
    if (refusal !== null) return refusal;

    await mirror.deploying();
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
  const endBeforeDone = async (end: EndingBeforeDone, before: ShownStatus | null): Promise<DeployResult> => {
    const { status, told } = OWED[end.outcome];
    // What is owed may wait for a tracker that is away; the repository is free for the next deploy.
    const result = finish(end);
    const owed: Promise<unknown>[] = [];
    if (status === 'converged') owed.push(mirror.converge(end.reason));
    if (status === 'put_back' && touched) owed.push(mirror.putBack(end, before));
    if (told !== 'nobody') owed.push(mirror.comment('ended', end));
    if (told === 'comment_and_alert') owed.push(mirror.alertUnknown(end.reason));
    await Promise.all(owed);
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
      await mirror.converge('no window for this repository');
      return finish(ending('done', 'deployed; no post-deploy window for this repository'));
    }
    // D3: the window is armed before the terminal sync, so that the first Monitoring meets an active window.
    const window = await arm(fixed, fixed.window, input, version);
    if (window === null) return lost('the post-deploy window could not be started: the one before is still running');
    become(deploy.armed(run, monitorWorkflowId(fixed.repo, workItem)));
    if (cancelRequested) cancelWindow();
    await mirror.monitoring();
    try {
      const { outcome, summary } = await window.result();
      return finish(ending(OUTCOME_OF_WINDOW[outcome], summary));
    } catch (error) {
      return lost(`the post-deploy window was lost: ${messageOf(error)}`);
    }
  };

  /** Nobody else takes the status to its end where there is no window any more. */
  const lost = async (reason: string): Promise<DeployResult> => {
    const end = ending('window_lost', reason);
    await mirror.converge(reason);
    await mirror.comment('lost', end);
    return finish(end);
  };

  CancellationScope.current().cancelRequested.catch(() => {
    cancelRequested = true;
    cancelWindow();
  });

  let before: ShownStatus | null = null;
  let end: EndingBeforeDone | null;
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
    let refusal = await mayDeploy(plan, input.createTask === true);
    if (refusal === null) {
      const read = await mirror.read();
      if ('unknown' in read) refusal = ending('refused', read.unknown);
      else before = read.shown;
    }
    if (refusal?.outcome === 'refused') return finish(refusal);
    end = refusal ?? (await upToDone(plan));
  } catch (error) {
    if (isFailure(error, 'UnknownRepository')) return finish(ending('refused', messageOf(error)));
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
