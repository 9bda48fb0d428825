import {
  type Client,
  WithStartWorkflowOperation,
  type WorkflowHandle,
  type WorkflowHandleWithFirstExecutionRunId,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { SignalDefinition } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { type NativeConnection, Worker } from '@temporalio/worker';
import { expect } from 'vitest';
import type { RunningOnRepository } from '../../activities/tasks.ts';
import { createWindowEvidence } from '../../adapters/temporal/window-evidence.ts';
import { dataConverter } from '../../adapters/temporal/workflow-source.ts';
import {
  type Command,
  D2dPhase,
  D2dRepo,
  D2dWorkItem,
  DEPLOY_WORKFLOW,
  type DeployInput,
  type DeployResult,
  deployWorkflowId,
  extendWindowUpdate,
  MONITOR_WORKFLOW,
  monitorWorkflowId,
  WORKFLOW_TASK_TIMEOUT,
  windowStatusQuery,
  wrapUpWorkflowId,
} from '../../workflows/messages.ts';
import type { postDeployMonitor } from '../../workflows/post-deploy-monitor.ts';
import type { MonitorInput } from '../../workflows/window-state.ts';
import { eventually } from '../setup/eventually.ts';
import { connectTemporal, unique, workflowBundle } from '../setup/temporal.ts';
import { createTimeSkipping } from '../setup/time-skipping.ts';
import { activitiesOver } from './activities.ts';
import { type Item, item, repoOf, shownAs } from './item.ts';

const {
  EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
  EVENT_TYPE_WORKFLOW_TASK_STARTED,
  EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
  EVENT_TYPE_WORKFLOW_TASK_FAILED,
  EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
} = temporal.api.enums.v1.EventType;

const TASK_EVENTS: readonly number[] = [
  ...[EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, EVENT_TYPE_WORKFLOW_TASK_STARTED, EVENT_TYPE_WORKFLOW_TASK_COMPLETED],
  ...[EVENT_TYPE_WORKFLOW_TASK_FAILED, EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT],
];

interface Options {
  readonly guardEnabled?: boolean;
  /** The tracker has a state for degraded work. */
  readonly degradedState?: true;
  /** Bundled workflows in place of the project's own. */
  readonly codePath?: string;
  /** The clock of a server that skips time. */
  readonly now?: () => Promise<number>;
  /** Called before the result of a workflow is waited for. */
  readonly beforeResult?: (workflow: WorkflowHandle) => Promise<unknown>;
  /** Called when a wrap-up has ended. */
  readonly wrappedUp?: () => Promise<unknown>;
  /** No workflow task is cut off, however slow the machine is: by default one has 5 s, and a flood of signals is one task. */
  readonly unhurried?: true;
}

/** Whole workflows, parent and child, on the time-skipping server, with evidence by `describe`. */
export async function startHarness(options: Options = {}) {
  const env = await createTimeSkipping();
  const { close, ...harness } = await harnessOn(env, unique('queue'), {
    ...options,
    now: () => env.currentTimeMs(),
    beforeResult: (workflow) => eventually(() => hasNoTask(workflow)),
    // This server keeps its time locked once more for each child that outlives its parent.
    wrappedUp: async () => env.connection.testService?.unlockTimeSkipping({}),
  });
  return {
    ...harness,
    env,
    /**
     * The time-skipping server strands a workflow whose task cancels a timer that fired while the task was with its worker: it
     * refuses the completion ("invalid history builder state for action") and never times the task out (temporalio/sdk-java#3088,
     * #2606). What wakes a window before its timer is therefore sent while time does not skip, until the window has heard of it.
     */
    async whileTimeStands(item: Item, send: () => Promise<unknown>): Promise<void> {
      const { testService } = env.connection;
      if (testService === undefined) throw new Error('this server does not skip time');
      await testService.lockTimeSkipping({});
      await send().catch(() => {}); // what happens to a window that has ended by then changes nothing
      const heard = async (): Promise<void> => {
        const { messages, outcome } = await harness.window(item).query(windowStatusQuery);
        expect(messages.length > 0 || outcome !== null).toBe(true);
      };
      // Not awaited: the window receives the message only after the probe that sent it has ended.
      void eventually(heard)
        .finally(() => testService.unlockTimeSkipping({}))
        .catch(() => {});
    },
    async close(): Promise<void> {
      await close();
      await env.teardown();
    },
  };
}

/**
 * Time skips only while a test waits for a result, and a workflow is stranded whose task cancels a timer that time has skipped to meanwhile
 * (see `whileTimeStands`). So it must have taken every message before.
 */
async function hasNoTask(workflow: WorkflowHandle): Promise<void> {
  const { events } = await workflow.fetchHistory();
  const task = events?.findLast(({ eventType }) => eventType != null && TASK_EVENTS.includes(eventType));
  expect(task?.eventType).toBe(EVENT_TYPE_WORKFLOW_TASK_COMPLETED);
}

/** What is not there has no run. */
function ifThere(error: unknown): { readonly runId: string } {
  if (error instanceof WorkflowNotFoundError) return { runId: '' };
  throw error;
}

/** The same on the run's Temporal dev server, in real time: windows are compressed there. */
export async function startRealHarness(options: Options = {}) {
  const { client, connection, nativeConnection, taskQueue, close: disconnect } = await connectTemporal();
  const { close, ...harness } = await harnessOn({ client, nativeConnection }, taskQueue, options);
  return {
    ...harness,
    client,
    connection,
    async close(): Promise<void> {
      await close();
      await disconnect();
    },
  };
}

interface Server {
  readonly client: Client;
  readonly nativeConnection: NativeConnection;
}

async function harnessOn({ client, nativeConnection }: Server, taskQueue: string, options: Options) {
  const { codePath, degradedState, unhurried = false, ...others } = options;
  const { beforeResult = async () => {}, wrappedUp = async () => {} } = options;
  const known = new Set<string>();
  const workflowTaskTimeout = unhurried ? '2 minutes' : WORKFLOW_TASK_TIMEOUT;
  const items = new Map<string, Item>();
  const logged: object[] = [];
  const busy = new Map<string, readonly RunningOnRepository[]>();
  const evidence = createWindowEvidence(client);
  const activities = activitiesOver({
    items,
    windowActive: evidence.windowActive,
    latestRun: evidence.latestRun,
    ...(degradedState === undefined ? {} : { lastDeploy: evidence.lastDeploy }),
    runningOn: async (repo) => busy.get(repo) ?? [],
    log: (fields) => logged.push(fields),
    ...others,
  });

  let worker: { readonly shutdown: () => void; readonly running: Promise<void> } | null = null;
  const startWorker = async (): Promise<void> => {
    const made = await Worker.create({
      connection: nativeConnection,
      taskQueue,
      workflowBundle: codePath === undefined ? workflowBundle() : { codePath },
      dataConverter: dataConverter(),
      stickyQueueScheduleToStartTimeout: '1 second',
      maxHeartbeatThrottleInterval: '1 second',
      debugMode: unhurried,
      buildId: 'test', // in two events of every tick; by default it is 91 characters long
      activities,
    });
    worker = { shutdown: () => made.shutdown(), running: made.run() };
  };
  const stopWorker = async (): Promise<void> => {
    worker?.shutdown();
    await worker?.running;
    worker = null;
  };
  await startWorker();

  /** Start options of the window of an item whose deploy is over. */
  const windowStartOptions = (added: Item, change: Partial<MonitorInput>) => {
    const { workItem, plan } = added;
    if (plan.window === null) throw new Error(`${workItem} has no window`);
    if (added.task !== null) added.task.stage = 'done';
    added.shown = shownAs('monitoring');
    const { repo, selfHosting, window, rollback, guarded, settleMs, healthCheck } = plan;
    const input: MonitorInput = {
      ...{ repo, workItem, version: 'v2', requestedBy: 'ci', selfHosting },
      ...{ policy: window, rollback, guarded, settleMs, looksAtHealth: healthCheck !== null },
      ...change,
    };
    return {
      taskQueue,
      workflowId: monitorWorkflowId(repo, workItem),
      workflowTaskTimeout,
      typedSearchAttributes: [
        { key: D2dRepo, value: repo },
        { key: D2dWorkItem, value: workItem },
        { key: D2dPhase, value: 'open' },
      ],
      staticSummary: `${workItem}: watch ${repo}`,
      args: [input] as [MonitorInput],
    };
  };

  type Deploy = (input: DeployInput) => Promise<DeployResult>;
  const startOptions = (added: Item, input: Partial<DeployInput>) => ({
    taskQueue,
    workflowId: deployWorkflowId(added.plan.repo, added.workItem),
    workflowTaskTimeout,
    args: [{ repo: added.plan.repo, workItem: added.workItem, ...input }] as [DeployInput],
  });
  const start = async (added: Item, input: Partial<DeployInput> = {}) =>
    andItsWrapUps(added, await client.workflow.start<Deploy>(DEPLOY_WORKFLOW, startOptions(added, input)));

  /**
   * Its result is there once everything is done that it has handed over. A server that skips time would else skip to the timer of a
   * wrap-up while another test goes on, and strand that.
   */
  function andItsWrapUps<H extends WorkflowHandle>({ workItem, plan: { repo } }: Item, handle: H): H {
    const result = async () => {
      await beforeResult(handle);
      const ended = await handle.result();
      for (const id of [deployWorkflowId(repo, workItem), monitorWorkflowId(repo, workItem)]) {
        const { runId } = await client.workflow.getHandle(id).describe().catch(ifThere);
        const wrapUp = client.workflow.getHandle(wrapUpWorkflowId(repo, workItem, runId));
        if (known.has(runId) || (await wrapUp.describe().catch(ifThere)).runId === '') continue;
        known.add(runId);
        await wrapUp.result();
        await wrappedUp();
      }
      return ended;
    };
    return Object.assign(Object.create(handle), { result });
  }

  return {
    taskQueue,
    logged,
    /** What else runs on a repository. */
    busy,
    startWorker,
    /** Lets the worker finish what it has begun, and leaves the task queue to nobody. */
    stopWorker,
    /** Adds a work item to the world. */
    add(change: Partial<Item> = {}): Item {
      const made = item(`${unique('ORCH').replace('-', '')}-1`, change);
      items.set(made.workItem, made);
      return made;
    },
    start,
    /** The result of a run, without waiting for what it has handed over. */
    resultOf: ({ workflowId, firstExecutionRunId }: WorkflowHandleWithFirstExecutionRunId): Promise<unknown> =>
      client.workflow.getHandle(workflowId, firstExecutionRunId).result(),
    wrapUpOf: ({ workItem, plan: { repo } }: Item, runId: string) =>
      client.workflow.getHandle(wrapUpWorkflowId(repo, workItem, runId)),
    /** Starts a deploy together with a signal to it. */
    signalWithStart: async <Arg>(added: Item, signal: SignalDefinition<[Arg]>, arg: Arg) =>
      andItsWrapUps(
        added,
        await client.workflow.signalWithStart<Deploy, [Arg]>(DEPLOY_WORKFLOW, {
          ...startOptions(added, {}),
          signal,
          signalArgs: [arg],
        }),
      ),
    /** Starts a deploy with anything at all as its input, and waits for its end. */
    async startRaw(input: unknown): Promise<unknown> {
      const handle = await client.workflow.start(DEPLOY_WORKFLOW, {
        taskQueue,
        workflowId: unique('raw'),
        args: [input],
      });
      return handle.result();
    },
    /** Runs a deploy to its end. */
    async run(added: Item, input: Partial<DeployInput> = {}): Promise<DeployResult> {
      return (await start(added, input)).result();
    },
    /** Opens the window of an item whose deploy is over, without its parent. */
    watch: async (added: Item, change: Partial<MonitorInput> = {}) =>
      andItsWrapUps(
        added,
        await client.workflow.start<typeof postDeployMonitor>(MONITOR_WORKFLOW, windowStartOptions(added, change)),
      ),
    /** The same, with an extension that is part of the window's first task, so it cannot be late. */
    async watchExtended(added: Item, extension: Command & { readonly minutes: number }) {
      const startWorkflowOperation = new WithStartWorkflowOperation<typeof postDeployMonitor>(MONITOR_WORKFLOW, {
        ...windowStartOptions(added, {}),
        workflowIdConflictPolicy: 'FAIL',
      });
      await client.workflow.executeUpdateWithStart(extendWindowUpdate, { startWorkflowOperation, args: [extension] });
      return andItsWrapUps(added, await startWorkflowOperation.workflowHandle());
    },
    /** Waits, in real time, until something that an activity does has happened. */
    async until(happened: () => boolean): Promise<void> {
      await eventually(() => expect(happened()).toBe(true));
    },
    window: (added: Item) =>
      andItsWrapUps(added, client.workflow.getHandle(monitorWorkflowId(repoOf(added.workItem), added.workItem))),
    deploy: (added: Item) =>
      andItsWrapUps(added, client.workflow.getHandle(deployWorkflowId(repoOf(added.workItem), added.workItem))),
    close: stopWorker,
  };
}

export type Harness = Awaited<ReturnType<typeof startHarness>>;
export type RealHarness = Awaited<ReturnType<typeof startRealHarness>>;
export type AnyHarness = Awaited<ReturnType<typeof harnessOn>>;
