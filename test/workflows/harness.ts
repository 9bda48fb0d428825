import { temporal } from '@temporalio/proto';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { expect, vi } from 'vitest';
import type { RunningOnRepository } from '../../activities/tasks.ts';
import { SEARCH_ATTRIBUTES } from '../../adapters/temporal/search-attributes.ts';
import { createWindowEvidence } from '../../adapters/temporal/window-evidence.ts';
import { dataConverter } from '../../adapters/temporal/workflow-source.ts';
import {
  DEPLOY_WORKFLOW,
  type DeployInput,
  type DeployResult,
  deployWorkflowId,
  monitorWorkflowId,
  WORKFLOW_TASK_TIMEOUT,
} from '../../workflows/messages.ts';
import { timeSkipping, unique, workflowBundle } from '../setup/temporal.ts';
import { activitiesOver } from './activities.ts';
import { type Item, item, repoOf } from './item.ts';

const { INDEXED_VALUE_TYPE_KEYWORD: KEYWORD } = temporal.api.enums.v1.IndexedValueType;

/** Whole workflows, parent and child, on the time-skipping server, with evidence by `describe`. */
export async function startHarness(options: { readonly guardEnabled?: boolean } = {}) {
  const env = await TestWorkflowEnvironment.createTimeSkipping(timeSkipping());
  await env.connection.operatorService.addSearchAttributes({
    namespace: env.namespace ?? 'default',
    searchAttributes: Object.fromEntries(SEARCH_ATTRIBUTES.map((name) => [name, KEYWORD])),
  });
  const items = new Map<string, Item>();
  const logged: object[] = [];
  const busy = new Map<string, readonly RunningOnRepository[]>();
  const taskQueue = unique('queue');
  const worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue,
    workflowBundle: workflowBundle(),
    dataConverter: dataConverter(),
    activities: activitiesOver({
      items,
      windowActive: createWindowEvidence(env.client).windowActive,
      runningOn: async (repo) => busy.get(repo) ?? [],
      log: (fields) => logged.push(fields),
      ...options,
    }),
  });
  const running = worker.run();

  const start = (added: Item, input: Partial<DeployInput> = {}) =>
    env.client.workflow.start<(input: DeployInput) => Promise<DeployResult>>(DEPLOY_WORKFLOW, {
      taskQueue,
      workflowId: deployWorkflowId(added.plan.repo, added.workItem),
      workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
      args: [{ repo: added.plan.repo, workItem: added.workItem, ...input }],
    });

  return {
    env,
    taskQueue,
    logged,
    /** What else runs on a repository. */
    busy,
    /** Adds a work item to the world. */
    add(change: Partial<Item> = {}): Item {
      const made = item(unique('ORCH'), change);
      items.set(made.workItem, made);
      return made;
    },
    start,
    /** Starts a deploy with anything at all as its input, and waits for its end. */
    async startRaw(input: unknown): Promise<unknown> {
      const handle = await env.client.workflow.start(DEPLOY_WORKFLOW, {
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
    /** Waits, in real time, until something that an activity does has happened. */
    async until(happened: () => boolean): Promise<void> {
      await vi.waitFor(() => expect(happened()).toBe(true), { timeout: 20_000, interval: 20 });
    },
    window: ({ workItem }: Item) => env.client.workflow.getHandle(monitorWorkflowId(repoOf(workItem), workItem)),
    deploy: ({ workItem }: Item) => env.client.workflow.getHandle(deployWorkflowId(repoOf(workItem), workItem)),
    async close(): Promise<void> {
      worker.shutdown();
      await running;
      await env.teardown();
    },
  };
}

export type Harness = Awaited<ReturnType<typeof startHarness>>;
