import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { normaliseRepo } from '../decisions/index.ts';
import type {
  Command,
  DeployFinished,
  DeployInput,
  DeployResolution,
  DeployResult,
  ReconcileInput,
  ReconcileResult,
} from '../workflows/messages.ts';
import { type Approval, type ApprovalSent, decideApproval } from './decide-approval.ts';
import { D2dError, notFound, refused } from './errors.ts';
import { asking, type Execution, locate, mustLocate, onlyWrites, taskNote, type WorkItemRef } from './executions.ts';
import { isOutcome, OUTCOMES, type Outcome } from './exit-codes.ts';
import { type Explanation, explain } from './explain.ts';
import { endOf, type FollowOptions, follow, untilEnd } from './follow.ts';
import { type Listing, listExecutions } from './list.ts';
import { reconcile } from './reconcile.ts';
import { type ReopenOptions, reopen, type TaskReopened } from './reopen.ts';
import { type Reported, reportFinished, resolveDeploy } from './report.ts';
import { bareWorkItem, type ResolvedWorkItem } from './resolve-work-item.ts';
import { type DeployHandle, startDeploy } from './start.ts';
import { isGone } from './temporal-errors.ts';
import { type DeployView, deployView, type WindowView, type WorkItemView, windowView, workItemView } from './views.ts';
import {
  cancelWindow,
  closeWindow,
  extendWindow,
  type WindowCancelled,
  type WindowClosed,
  type WindowExtended,
} from './window-commands.ts';

// The package exports this file alone: what its users branch on or show stands here, too.
export type { WindowReport } from '../activities/window-report.ts';
export type { DeployOutcome, DeployResult, DeployStatus, WindowStatus } from '../workflows/messages.ts';
export { AlreadyRunning, D2dError, type FailureKind } from './errors.ts';
export type { Execution, WorkItemRef } from './executions.ts';
export {
  EXIT_CODE_TABLE,
  exitCodeOfDeploy,
  OUTCOME_EXIT_CODES,
  OUTCOMES,
  type Outcome,
  WINDOW_EXIT_CODES,
} from './exit-codes.ts';
export { resolveWorkItem } from './resolve-work-item.ts';
export type { DeployView, WindowView, WorkItemView } from './views.ts';

export interface D2dClientDeps {
  readonly temporal: Client;
  /** Where the workers listen (`ORCH_TASK_QUEUE`). */
  readonly taskQueue: string;
  /** What a name of a work item means. Default: the name itself, upper-cased where it is like ORCH-61. */
  readonly resolve?: ((name: string, purpose: 'start' | 'find') => Promise<ResolvedWorkItem>) | undefined;
  /** A repository's name as the settings spell it. Default: as it is given. */
  readonly repoName?: ((repo: string) => string) | undefined;
  /** Plane's own id of a work item; `null` where it is not known. Default: never known. */
  readonly planeId?: ((workItem: string) => Promise<string | null>) | undefined;
  /** Whether `resolve` can look at the tasks; default true. */
  readonly tasksKnown?: boolean | undefined;
}

/** `repo` may be left out where the task tells it. */
export type StartInput = Omit<DeployInput, 'repo'> & { readonly repo?: string | undefined };

/** Each method takes a work item by any of its names, and throws D2dError: what happened, and what to do. */
export interface D2dClient {
  /** @throws AlreadyRunning where a deploy of the work item runs. */
  start(input: StartInput): Promise<DeployHandle>;
  approve(ref: WorkItemRef, approval: Approval): Promise<ApprovalSent>;
  reject(ref: WorkItemRef, approval: Approval): Promise<ApprovalSent>;
  /** The deploy and its window, or whichever there is. `not_found` where there is neither. */
  status(ref: WorkItemRef): Promise<WorkItemView>;
  deployStatus(ref: WorkItemRef): Promise<DeployView>;
  windowStatus(ref: WorkItemRef): Promise<WindowView>;
  /** Reports the end of an external deploy. */
  reportFinished(ref: WorkItemRef, report: DeployFinished): Promise<Reported>;
  /** Says how a deploy ended whose outcome is unknown. */
  resolveDeploy(ref: WorkItemRef, resolution: DeployResolution): Promise<Reported>;
  /** Sets a done task back to `deploy`, so that it can be deployed again. */
  reopen(ref: WorkItemRef, command: Command, options?: ReopenOptions): Promise<TaskReopened>;
  cancelWindow(ref: WorkItemRef, command: Command): Promise<WindowCancelled>;
  /** Temporal's own cancel of the whole run; its window is cancelled with it. */
  cancelRun(ref: WorkItemRef, command: Command): Promise<Execution>;
  extendWindow(ref: WorkItemRef, command: Command & { readonly minutes: number }): Promise<WindowExtended>;
  closeWindow(ref: WorkItemRef, command: Command): Promise<WindowClosed>;
  /** Deploys and windows, newest first. `refused` where there is no such outcome. */
  list(filter?: {
    readonly repo?: string | undefined;
    /** Those that have ended, too; default: where an outcome or a time is asked for. */
    readonly all?: boolean | undefined;
    readonly outcome?: Outcome | undefined;
    /** Those that were started then or later, epoch ms. */
    readonly since?: number | undefined;
    readonly limit?: number;
  }): Promise<Listing>;
  /** Who wanted which status of a work item, and what came of it; `not_found` where nobody knows it. */
  explain(ref: Pick<WorkItemRef, 'workItem'>, options?: { readonly limit?: number }): Promise<Explanation>;
  /** A sweep over every work item, now. @throws the signal's reason, too: the sweep goes on then. */
  reconcile(
    input: Pick<ReconcileInput, 'dryRun'>,
    options?: { readonly signal?: AbortSignal; readonly onWaiting?: (why: string) => void },
  ): Promise<ReconcileResult>;
  /**
   * How the run ends; waits as long as it takes, through outages of Temporal of up to five minutes. A run whose deploy has an unknown
   * outcome is `deploy_unknown`, though it goes on until somebody says so.
   */
  waitForResult(ref: WorkItemRef, options?: FollowOptions): Promise<DeployResult>;
  /** What is known of a work item, again each time that it has changed, until its run and window have ended. */
  follow(ref: WorkItemRef, options?: FollowOptions): AsyncGenerator<WorkItemView, void, void>;
}

const DEFAULT_LIMIT = 200;

/** A client of deploy-to-done on a Temporal connection. Opens and closes nothing itself. */
export function createD2dClient({
  temporal,
  taskQueue,
  resolve = async (name) => bareWorkItem(name),
  repoName = (repo) => repo.trim(),
  tasksKnown = true,
  planeId = async () => null,
}: D2dClientDeps): D2dClient {
  const known = async ({ workItem, repo }: WorkItemRef) => ({
    resolved: await resolve(workItem, 'find'),
    repo: repo === undefined ? undefined : repoName(repo),
  });
  const one = async (kind: 'deploy' | 'window', ref: WorkItemRef): Promise<Execution> => {
    const { resolved, repo } = await known(ref);
    return mustLocate(temporal, kind, resolved, repo);
  };
  const repoOf = ({ workItem, task }: ResolvedWorkItem, named: string | undefined, how: string): string => {
    const repo = named ?? task?.repo;
    if (repo !== undefined && repo.trim() !== '') return repoName(repo);
    throw refused(
      `${workItem}: the repository is not known: ${tasksKnown ? 'there is no task for the work item' : 'without DATABASE_URL its task cannot be looked at'}`,
      `name it: d2d ${how}`,
    );
  };
  const openWindow = async (ref: WorkItemRef): Promise<Execution> => {
    const { resolved, repo } = await known(ref);
    const window = await locate(temporal, 'window', resolved, repo);
    if (window?.running === true) return window;
    const deploy = await locate(temporal, 'deploy', resolved, repo);
    if (deploy?.running !== true) return window ?? mustLocate(temporal, 'window', resolved, repo);
    throw refused(
      `${deploy.workItem}: no window is open: its deploy is at ${deploy.phase ?? 'its beginning'}`,
      `to end the whole run: d2d cancel ${deploy.workItem} --run --reason "…"`,
    );
  };

  return {
    async start({ repo, ...input }) {
      const resolved = await resolve(input.workItem, 'start');
      const { workItem } = resolved;
      return startDeploy(temporal, taskQueue, {
        ...input,
        repo: repoOf(resolved, repo, `start <repo> ${workItem}`),
        workItem,
      });
    },
    approve: async (ref, approval) => decideApproval(temporal, await one('deploy', ref), 'approved', approval),
    reject: async (ref, approval) => decideApproval(temporal, await one('deploy', ref), 'rejected', approval),
    reportFinished: async (ref, report) => reportFinished(temporal, await one('deploy', ref), report),
    resolveDeploy: async (ref, resolution) => resolveDeploy(temporal, await one('deploy', ref), resolution),
    async reopen(ref, command, options) {
      const { resolved, repo } = await known(ref);
      return reopen(
        temporal,
        taskQueue,
        { repo: repoOf(resolved, repo, `reopen ${resolved.workItem} --repo <repo>`), workItem: resolved.workItem },
        command,
        options,
      );
    },
    async status(ref) {
      const { resolved, repo } = await known(ref);
      const view = await workItemView(temporal, resolved, repo);
      if (view.deploy !== null || view.window !== null) return view;
      throw notFound(
        `${resolved.workItem}: no deploy and no window is known${taskNote(resolved)}`,
        'd2d list shows what runs, d2d list --all what ran',
      );
    },
    deployStatus: async (ref) => deployView(temporal, await one('deploy', ref)),
    windowStatus: async (ref) => windowView(temporal, await one('window', ref)),
    cancelWindow: async (ref, command) => cancelWindow(temporal, await openWindow(ref), command),
    async cancelRun(ref, { by, reason }) {
      const run = await one('deploy', ref);
      const ended = () =>
        refused(`${run.workItem}: the deploy has ended already`, `look at it with d2d status ${run.workItem}`);
      if (!run.running) throw ended();
      if (run.phase === 'unknown')
        throw refused(
          `${run.workItem}: nobody knows whether its deploy has happened, and a cancel would let the next one begin beside it`,
          `say what happened: d2d resolve ${run.workItem} --deployed | --not-deployed --reason "…"`,
        );
      if (await onlyWrites(temporal, run))
        throw refused(
          `${run.workItem}: its deploy is over, and a cancel changes nothing: it has its status or comment to write still`,
          `d2d status ${run.workItem} says what went wrong`,
        );
      await asking(temporal, async () => {
        try {
          // Not by the handle: only the call itself carries who cancels and why into the history.
          await temporal.workflowService.requestCancelWorkflowExecution({
            namespace: temporal.options.namespace,
            workflowExecution: { workflowId: run.workflowId, runId: run.runId },
            identity: by,
            reason,
            requestId: randomUUID(),
          });
        } catch (error) {
          if (isGone(error)) throw ended();
          throw error;
        }
      });
      return run;
    },
    extendWindow: async (ref, command) => extendWindow(temporal, await openWindow(ref), command),
    closeWindow: async (ref, command) => closeWindow(temporal, await openWindow(ref), command),
    async list({
      repo,
      outcome,
      since,
      all = outcome !== undefined || since !== undefined,
      limit = DEFAULT_LIMIT,
    } = {}) {
      if (outcome !== undefined && !isOutcome(outcome))
        throw refused(`there is no outcome ${JSON.stringify(outcome)}`, `known: ${OUTCOMES.join(', ')}`);
      return listExecutions(temporal, {
        which: all ? 'all' : 'running',
        outcome,
        since,
        limit,
        ...(repo === undefined ? {} : { repos: [...new Set([repo.trim(), repoName(repo), normaliseRepo(repo)])] }),
      });
    },
    async explain(ref, { limit } = {}) {
      const { resolved } = await known(ref);
      const id = await planeId(resolved.workItem);
      const explanation = await explain(temporal, taskQueue, resolved, { limit, planeId: id });
      if (explanation.wishes.length > 0 || explanation.task !== null) return explanation;
      throw notFound(`${resolved.workItem}: nobody has asked for a status of it`, 'd2d list --all shows what ran');
    },
    reconcile: (input, options) => reconcile(temporal, taskQueue, input, options),
    async waitForResult(ref, options) {
      let last: WorkItemView | null = null;
      for await (const view of untilEnd(this.follow(ref, options))) last = view;
      const end = endOf(last);
      if (end !== null) return end;
      const how = last?.deploy?.execution.status.toLowerCase() ?? 'lost';
      throw new D2dError(
        'unexpected',
        `${ref.workItem}: the run has ended without a result: it was ${how}`,
        `look at it with d2d status ${ref.workItem}`,
      );
    },
    async *follow(ref, options) {
      const { resolved, repo } = await known(ref);
      yield* follow(temporal, resolved, repo, options);
    },
  };
}
