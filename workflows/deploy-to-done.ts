import {
  CancellationScope,
  CancelledFailure,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  proxyActivities,
  setDefaultSignalHandler,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { DeployPlan } from '../activities/deploy-plan.ts';
import type { HealthCheckResult } from '../activities/health-check.ts';
import type { PlanActivity } from '../activities/plan-deploy.ts';
import type { TaskActivities } from '../activities/tasks.ts';
import { decideAction } from '../decisions/index.ts';
import { callsOnce } from './calls-once.ts';
import {
  alreadyDone,
  type Ending,
  type EndingBeforeDone,
  ending,
  endingOfTask,
  endingWithoutDone,
  finalStatusOf,
  OUTCOME_OF_WINDOW,
  OWED,
  versionRefusal,
  wordsOf,
} from './deploy-endings.ts';
import { mirrorOf } from './deploy-mirror.ts';
import * as deploy from './deploy-run.ts';
import { arm, checkHealth, type Deployed, reportedDeploy, runDeploy, waitsWhereUnknown } from './deploy-steps.ts';
import { isFailure, messageOf } from './failures.ts';
import { handOver, handsOver } from './hand-over.ts';
import { howToEnd } from './how-to-end.ts';
import { ignoredWords, isWorthTelling } from './ignored-signals.ts';
import { type LastStatus, tryLastStatus } from './last-status.ts';
import { type Completed, createTaskCompletion } from './late-task.ts';
import {
  approveSignal,
  D2dOutcome,
  D2dPhase,
  D2dRepo,
  D2dVersion,
  D2dWorkItem,
  type DeployInput,
  type DeployPhase,
  type DeployResult,
  deployFinishedSignal,
  deployStatusQuery,
  deployWorkflowId,
  driverStuckSignal,
  monitorWorkflowId,
  rejectSignal,
  resolveDeploySignal,
  statusShownSignal,
  versionAttribute,
} from './messages.ts';
import {
  parseDeployFinished,
  parseDeployInput,
  parseDriverStuck,
  parseResolution,
  parseSignalCommand,
} from './parse-message.ts';
import { since } from './patches.ts';
import { rollBack } from './roll-back.ts';
import { showDetails } from './ui-details.ts';
import { untilItWorks } from './until-it-works.ts';

/** Reading stages waits for a database that is away, as long as that takes. */
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
  const parsed = parseDeployInput(
    payload,
    () => since('version-pattern'),
    () => since('name-pattern'),
  );
  if (typeof parsed === 'string') {
    if (since('outcome-of-refusals')) upsertSearchAttributes([{ key: D2dOutcome, value: 'refused' }]);
    return { outcome: 'refused', reason: parsed };
  }
  const input = parsed;
  /** Refuses a version that breaks the pattern, unless the run was started with it. */
  const strict = (version: string) => version !== input.version && since('version-pattern');
  const { repo, workItem } = input;
  const { firstExecutionRunId, workflowId } = workflowInfo();
  const operationId = `${firstExecutionRunId}:deploy`;
  let run = deploy.begin();
  let plan: DeployPlan | null = null;
  const root = CancellationScope.current();
  let cancelRequested = false;
  /** Whether this run has begun to write statuses, and whether its deploy has begun. */
  let touched = false;
  let began = false;
  let version = input.version ?? null;

  /** None where the version that was asked for was not deployed. */
  const versionUpdate = () =>
    run.otherVersionRequested ? [{ key: D2dVersion, value: null }] : versionAttribute(version);
  const become = (next: deploy.DeployRun): void => {
    const moved = next.phase !== run.phase;
    run = next;
    if (moved) {
      upsertSearchAttributes([
        { key: D2dPhase, value: run.phase },
        ...(run.outcome === null ? [] : [{ key: D2dOutcome, value: run.outcome }, ...versionUpdate()]),
      ]);
    }
  };
  const enter = (phase: DeployPhase): void => become(deploy.inPhase(run, phase));
  const note = (text: string): void => {
    log.warn(text);
    become(deploy.noted(run, text, Date.now()));
  };

  const ignore = (signal: string, why: string): void => {
    const text = ignoredWords(signal, why);
    run = deploy.ignored(run, text, Date.now());
    if (isWorthTelling(run.ignoredSignals)) log.warn(text);
  };

  const decision = (signal: string, verdict: 'approved' | 'rejected') => (payload: unknown) => {
    const command = parseSignalCommand(payload);
    if (typeof command === 'string') return ignore(signal, command);
    const refusal = deploy.decisionRefusal(run);
    if (refusal !== null) return ignore(signal, refusal);
    become(deploy.decided(run, verdict, command));
  };
  setHandler(approveSignal, decision('approve', 'approved'), { description: 'Approve the deploy: {by, reason?}.' });
  setHandler(rejectSignal, decision('reject', 'rejected'), { description: 'Reject the deploy: {by, reason?}.' });
  /** Runs of earlier versions let a report outrank a resolution that had come before it. */
  const secondAnswer = (): string | null => {
    const earlier = deploy.earlierAnswer(run);
    return earlier !== null && since('first-answer-counts') ? earlier : null;
  };
  setHandler(
    deployFinishedSignal,
    (payload: unknown) => {
      const finished = parseDeployFinished(payload, strict);
      if (typeof finished === 'string') return ignore('deployFinished', finished);
      const refusal =
        secondAnswer() ?? deploy.finishRefusal(run, plan, finished, input, operationId, since('whose-report'));
      if (refusal !== null) return ignore('deployFinished', refusal);
      become(deploy.reported(run, finished));
    },
    { description: 'An external deployer reports: {ok, version?, operationId?, detail?, by?}.' },
  );
  setHandler(
    resolveDeploySignal,
    (payload: unknown) => {
      const resolution = parseResolution(payload, strict);
      if (typeof resolution === 'string') return ignore('resolveDeploy', resolution);
      const refusal = deploy.resolveRefusal(run) ?? secondAnswer();
      if (refusal !== null) return ignore('resolveDeploy', refusal);
      become(deploy.resolved(run, resolution));
    },
    { description: 'Say how a deploy ended whose outcome is unknown: {deployed, by, reason, version?}.' },
  );
  setHandler(deployStatusQuery, () => deploy.status(run, input, operationId));

  const finish = (end: Ending): DeployResult => {
    become(deploy.over(run, end, finalStatusOf(end.outcome, plan?.degradedState)));
    return end;
  };

  upsertSearchAttributes([
    { key: D2dRepo, value: repo },
    { key: D2dWorkItem, value: workItem },
    { key: D2dPhase, value: run.phase },
    ...versionAttribute(version),
  ]);
  showDetails(() => deploy.details(run, input));

  const mirror = mirrorOf(input, () => plan, note);
  const completion = createTaskCompletion(workItem, note);

  /** The status with which it leaves the work item. */
  let lastStatus: LastStatus | null = null;
  /** Alerts and comments on their way: only a run that does not hand over waits for them. */
  const alerting: Promise<unknown>[] = [];
  const alertBeside = (kind: string, what: string, text: string): void =>
    void alerting.push(CancellationScope.nonCancellable(() => mirror.alert(kind, what, text)));
  let calls = 0;
  /** Tells of something that only a person can mend. */
  const callSomebody = (kind: string, text: string): void => {
    note(text);
    calls += 1;
    const key = calls === 1 ? kind : `${kind}:${calls}`;
    const title = `the deploy of ${repo} needs attention`;
    alertBeside(key, title, `${text} (${workItem})`);
    // Without a sink for alerts the ticket is all that people see.
    if (since('calls-on-the-ticket'))
      alerting.push(CancellationScope.nonCancellable(() => mirror.tell(key, [`${workItem}: ${title}.`, text])));
  };

  const alreadyCalled = callsOnce();
  setHandler(
    driverStuckSignal,
    (payload: unknown) => {
      const stuck = parseDriverStuck(payload);
      if (typeof stuck === 'string') return ignore('driverStuck', stuck);
      const refusal = alreadyCalled(stuck.text);
      if (refusal !== null) return ignore('driverStuck', refusal);
      callSomebody(`${stuck.kind}-stuck`, stuck.text);
    },
    { description: 'From the driver of the deploy: something needs a person, {kind, text}.' },
  );

  // Set last: earlier, it would take signals that came with the start, before their own handlers are set.
  setDefaultSignalHandler((name) => ignore(name, 'a deploy takes approve, reject, deployFinished and resolveDeploy'));

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

  /** `null`, too, where Temporal refuses the question: the task is done all the same. */
  const lastDeployed = (fixed: DeployPlan) =>
    tasks.lastDeployed({ repo: fixed.repo, workItem }).catch((error: unknown) => {
      if (isCancellation(error)) throw error;
      note(`the version deployed last could not be looked up: ${messageOf(error)}`);
      return null;
    });

  /** Everything before the deploy; an ending where it must not begin. */
  const mayDeploy = async (fixed: DeployPlan, mayCreate: boolean): Promise<EndingBeforeDone | null> => {
    const task = await untilItWorks(
      'the task cannot be read',
      () => tasks.lookAtTask({ repo: fixed.repo, workItem }),
      (text) => callSomebody('task-unread', text),
    );
    const unfit = endingOfTask(fixed, workItem, task, mayCreate);
    if (unfit?.outcome === 'already_done' && since('version-of-done-task'))
      return alreadyDone(input, await lastDeployed(fixed));
    if (unfit !== null) return unfit;
    const unversioned = versionRefusal(fixed, input);
    if (unversioned !== null) return unversioned;
    const [other] = await untilItWorks(
      'nobody knows whether the repository is busy',
      () => tasks.otherRunsOn({ repo: fixed.repo, workItem }),
      (text) => callSomebody('runs-unread', text),
    );
    if (other === undefined) return task === null ? createTask(fixed) : null;
    return ending(
      'refused',
      `repository ${fixed.repo} is busy: ${other.workflowId} is ${other.phase ?? 'running'}; wait for its end, or end it: ${howToEnd(other)}`,
    );
  };

  /** From the look at the task to `tasks.stage = done`; `null`: the task is done now, by this run. */
  const upToDone = async (fixed: DeployPlan): Promise<EndingBeforeDone | null> => {
    touched = true;
    await mirror.awaitingDeploy();
    become(deploy.askedForApproval(run, fixed, deploy.needsApproval(fixed, input.approval), Date.now()));
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
    let deployed = await runDeploy(fixed, input, () => run.finished, operationId);
    if ('outcome' in deployed && deployed.outcome === 'deploy_unknown' && waitsWhereUnknown())
      deployed = await untilKnown(deployed);
    if ('outcome' in deployed) return deployed;
    version = deployed.version;

    if (fixed.healthCheck !== null) {
      enter('checking');
      const check = await checkHealth(fixed, workItem, version);
      endIfCancelled();
      if (!check.ok && check.seen !== 'unknown') return unhealthy(fixed, check);
      if (!check.ok) callSomebody('health-unknown', `its health after the deploy is not known: ${check.detail}`);
    }
    endIfCancelled();
    const completed = await CancellationScope.nonCancellable(() =>
      completion.complete((why) => {
        const meanwhile =
          fixed.window === null ? 'and no window watches production' : 'production is watched meanwhile';
        callSomebody('task-not-done', `the task cannot be set to done, ${meanwhile}: ${why}`);
      }),
    );
    return completed === 'done' || completed === 'late' ? null : endingWithoutDone(completed);
  };

  /** Ends the run if it was cancelled in the workflow task in which the last step ended: the next step is not cancellable. */
  const endIfCancelled = (): void => {
    if (root.consideredCancelled && since('cancel-first')) throw new CancelledFailure('the run was cancelled');
  };

  /** The repository is not free for another deploy until somebody says what happened. */
  const untilKnown = async (end: EndingBeforeDone): Promise<EndingBeforeDone | Deployed> => {
    become(deploy.unknown(run, end.reason));
    const advice = `Look, then say what happened: d2d resolve ${workItem} --deployed | --not-deployed.`;
    // Not waited for: the answer may come while the tracker is away.
    void CancellationScope.nonCancellable(() =>
      mirror.comment('unknown', ending(end.outcome, `${end.reason} ${advice}`)),
    );
    alertBeside('deploy_unknown', wordsOf('deploy_unknown', repo), `${end.reason} ${advice}`);
    await condition(() => run.resolution !== null || run.finished !== null);
    become(deploy.known(run));
    if (run.finished !== null) return reportedDeploy(run.finished, input);
    const { deployed, by, reason, version: named } = run.resolution ?? { deployed: false, by: 'nobody', reason: '' };
    if (deployed) return { version: named ?? input.version ?? null };
    return ending('deploy_failed', `${by} says that it was not deployed: ${reason} (${end.reason})`);
  };

  /** Rolled back once, by the rules of a window: never the orchestrator itself. */
  const unhealthy = async (fixed: DeployPlan, { detail }: HealthCheckResult): Promise<EndingBeforeDone> => {
    const { selfHosting } = fixed;
    const configured = fixed.window?.action ?? 'alert';
    const action = decideAction({ verdict: 'DEGRADED', configured, selfHosting });
    if (action !== 'ROLLBACK' || !since('unhealthy-rollback')) {
      const never =
        selfHosting && configured === 'rollback' ? '; the orchestrator itself is never rolled back (BR-5)' : '';
      return ending('unhealthy_after_deploy', `${detail}${never}`);
    }
    return CancellationScope.nonCancellable(async () => {
      alertBeside('unhealthy', `${repo} is unhealthy after its deploy and is being rolled back`, detail);
      const request = { repo: fixed.repo, workItem, version, operationId: `${firstExecutionRunId}:rollback` };
      const rollback = await rollBack(fixed.rollback, request);
      if (rollback.ok) return rolledBack(fixed, `${detail}; rolled back: ${rollback.detail}`, rollback.to ?? null);
      if (rollback.unknown !== true)
        return ending('unhealthy_rollback_failed', `${detail}; the rollback failed: ${rollback.detail}`);
      const doubt = `${detail}; nobody knows whether the rollback worked: ${rollback.detail}`;
      if (!since('unknown-rollback-is-watched')) return ending('unhealthy_rollback_failed', doubt);
      const after = await checkHealth(fixed, workItem, rollback.to ?? null, true);
      return after.ok
        ? ending('unhealthy_rolled_back', `${doubt}; production is healthy again: ${after.detail}`)
        : ending('unhealthy_rollback_failed', `${doubt}; afterwards production is ${after.detail}`);
    });
  };

  /** The title of the last alert, where production is not known to have recovered after its rollback. */
  let notRecovered: string | null = null;

  /** Production is looked at once more: what says that it has rolled back need not have helped. */
  const rolledBack = async (fixed: DeployPlan, reason: string, to: string | null): Promise<EndingBeforeDone> => {
    if (!since('rollback-is-checked')) return ending('unhealthy_rolled_back', reason);
    const { ok, seen, detail } = await checkHealth(fixed, workItem, to, true);
    if (ok) return ending('unhealthy_rolled_back', `${reason}; production is healthy again: ${detail}`);
    const what =
      seen === 'unknown'
        ? `nobody knows whether ${repo} has recovered after its rollback`
        : `${repo} has not recovered after its rollback`;
    notRecovered = what;
    return ending('unhealthy_rolled_back', `${reason}; ${what}: ${detail}`);
  };

  /** An ending before `done`: the tracker goes back to what it showed, or to what the authorities ask for. */
  const endBeforeDone = async (end: EndingBeforeDone): Promise<DeployResult> => {
    const { status, told } = OWED[end.outcome];
    const result = finish(end);
    const owed: Promise<unknown>[] = [];
    const leaves = handsOver();
    if (leaves && status === 'converged') lastStatus = mirror.done(end.reason, { redrive: true });
    if (leaves && status === 'put_back' && touched) lastStatus = mirror.before(end);
    if (!leaves && status === 'converged') owed.push(mirror.converge(end.reason, { redrive: true }));
    if (!leaves && status === 'put_back' && touched) owed.push(mirror.putBack(end));
    const { finalStatus } = run;
    const rests = finalStatus === undefined ? '' : `Status of the work item: ${finalStatus}.`;
    if (told !== 'nobody') owed.push(mirror.comment('ended', end, rests));
    // The one at the begin of the wait has the key `deploy_unknown`: a sink would take this for the same.
    const kind = end.outcome === 'deploy_unknown' ? 'deploy_unknown:ended' : end.outcome;
    if (told === 'comment_and_alert' && (end.outcome === 'deploy_unknown' || since('alerts-of-failed-deploys')))
      owed.push(mirror.alert(kind, notRecovered ?? wordsOf(end.outcome, repo), end.reason));
    if (!leaves) await Promise.all(owed);
    return result;
  };

  /** Runs of earlier versions waited for the tracker before they ended. */
  const showDone = async (reason: string, how: { readonly degraded?: boolean } = {}): Promise<void> => {
    if (handsOver()) lastStatus = mirror.done(reason, how);
    else await mirror.converge(reason, how);
  };

  /** What is done within seconds is done here; the rest is handed over. The repository and the work item are free then. */
  const leave = async (): Promise<void> => {
    const tell = (kind: string, paragraphs: readonly string[]): void => void mirror.tell(kind, paragraphs);
    const status = lastStatus === null ? null : await tryLastStatus(lastStatus, note, tell);
    await handOver({ repo: plan?.repo ?? repo, workItem, status, report: null, ...(await mirror.telling.leave()) });
  };

  /** A cancel is passed on to the window by its id: once it has continued as new, no scope of this run reaches it. */
  const cancelWindow = (): void => {
    const { windowId } = run;
    if (windowId === null) return;
    CancellationScope.nonCancellable(() => getExternalWorkflowHandle(windowId).cancel()).catch((error) =>
      note(`the cancel could not be passed on to the window: ${messageOf(error)}`),
    );
  };

  /** The window must know that a status of the run has arrived: what is shown at its end may be somebody's choice. */
  const tellWindow = (): void => {
    const { windowId } = run;
    if (windowId === null || !since('status-shown')) return;
    getExternalWorkflowHandle(windowId)
      .signal(statusShownSignal)
      .catch((error) => note(`the window could not be told that a status was shown: ${messageOf(error)}`));
  };

  /** From `done` in the database to `Done` in the tracker. */
  const fromDoneToDone = async (fixed: DeployPlan): Promise<DeployResult> => {
    if (fixed.window === null) {
      enter('monitoring');
      const late = completion.late();
      const completed = late === null ? 'done' : await late;
      if (completed !== 'done')
        return completed === 'given_up' || since('late-task-decides')
          ? endBeforeDone(endingWithoutDone(completed))
          : finish(ending('task_cancelled', 'the task was cancelled or deleted before it could be set to done'));
      await showDone('no window for this repository');
      return finish(ending('done', 'deployed; no post-deploy window for this repository'));
    }
    // D3: the window is armed before the terminal sync, so that the first Monitoring meets an active window.
    const window = await arm(fixed, fixed.window, input, version, mirror.own());
    if (window === null) return lost('the post-deploy window could not be started: the one before is still running');
    become(deploy.armed(run, monitorWorkflowId(fixed.repo, workItem)));
    if (cancelRequested) cancelWindow();
    const { acknowledged } = mirror.own();
    await mirror.monitoring();
    if (!acknowledged && mirror.own().acknowledged) tellWindow();
    try {
      const { outcome, summary, degraded = false } = await window.result();
      const completed = await afterLate(degraded);
      if (completed === 'given_up') return endBeforeDone(endingWithoutDone(completed));
      if (completed !== 'done' && outcome !== 'task_cancelled' && since('late-task-decides'))
        return endBeforeDone(endingWithoutDone(completed, summary));
      return finish(ending(OUTCOME_OF_WINDOW[outcome], summary));
    } catch (error) {
      return lost(`the post-deploy window was lost: ${messageOf(error)}`);
    }
  };

  /** The window could not show Done, as its task was not: that is made up for. */
  const afterLate = async (degraded: boolean): Promise<Completed> => {
    const late = completion.late();
    if (late === null) return 'done';
    const completed = await late;
    if (completed === 'done') await showDone('the task was set to done after its window', { degraded });
    else if (completed !== 'given_up') note(`the task was ${completed} while its stage could not be set`);
    return completed;
  };

  /** Nobody else takes the status to its end where there is no window any more. */
  const lost = async (reason: string): Promise<DeployResult> => {
    const end = ending('window_lost', reason);
    const late = completion.late();
    if (late !== null && (await late) === 'given_up') return endBeforeDone(endingWithoutDone('given_up'));
    await showDone(reason);
    const told = mirror.comment('lost', end);
    if (!handsOver()) await told;
    return finish(end);
  };

  root.cancelRequested.catch(() => {
    cancelRequested = true;
    cancelWindow();
    completion.giveUp();
  });

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
    const early = run.finished;
    if (early !== null) {
      // It came with the start. Whether it counts is known only now.
      become(deploy.withoutReport(run));
      const ignored = deploy.finishRefusal(run, plan, early, input, operationId);
      if (ignored === null) become(deploy.reported(run, early));
      else ignore('deployFinished', ignored);
    }
    let refusal = await mayDeploy(plan, input.createTask === true);
    if (refusal === null) {
      const unknown = await mirror.read();
      if (unknown !== null) refusal = ending('refused', unknown);
    }
    if (refusal?.outcome === 'refused') {
      const refused = finish(refusal);
      if (!mirror.telling.isDone() && since('refusal-leaves')) await CancellationScope.nonCancellable(leave);
      return refused;
    }
    end = refusal ?? (await upToDone(plan));
  } catch (error) {
    if (isFailure(error, 'UnknownRepository')) return finish(ending('refused', messageOf(error)));
    if (!isCancellation(error)) throw error;
    const doubt =
      began || run.finished?.ok === true
        ? ' after its deploy had begun: look at production, it may run the new version or half of it'
        : '';
    end =
      run.phase === 'unknown'
        ? ending('deploy_unknown', `the run was cancelled while nobody knew how its deploy had ended: ${run.reason}`)
        : ending('cancelled', `the run was cancelled${doubt}`);
  }
  const fixed = plan;
  return CancellationScope.nonCancellable(async () => {
    const result = await (end === null && fixed !== null
      ? fromDoneToDone(fixed)
      : endBeforeDone(end ?? ending('cancelled', 'the run was cancelled')));
    if (handsOver()) await leave();
    else if (alerting.length > 0 && since('ends-after-its-alerts')) await Promise.all(alerting);
    return result;
  });
}
