import { ApplicationFailure, defaultPayloadConverter } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { type NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Drift, FailingRun, InDeployPhase, Orphan, PageRead, ReadPage } from '../../activities/reconcile.ts';
import { workerClock } from '../../activities/worker-clock.ts';
import { startHealing } from '../../adapters/temporal/start-healing.ts';
import { applySweepSchedule, lookAtSweeps, sweepScheduleId } from '../../adapters/temporal/sweep-schedule.ts';
import {
  HEAL_WORKFLOW,
  healWorkflowId,
  RECONCILE_WORKFLOW,
  type ReconcileInput,
  type ReconcileResult,
} from '../../workflows/messages.ts';
import { eventually } from '../setup/eventually.ts';
import { connectTemporal, type TemporalAccess, unique, workflowBundle } from '../setup/temporal.ts';
import { createTimeSkipping } from '../setup/time-skipping.ts';

// What the workflow makes of what its activities find; the activities themselves: test/activities/reconcile.test.ts.

/** Plane's ids are random here: healings have them in theirs. */
const uuids = new Map<string, string>();
const drift = (workItem: string): Drift => {
  const id = uuids.get(workItem) ?? unique(workItem);
  uuids.set(workItem, id);
  return { repo: 'shop', workItem, item: { id, project: 'p' }, shown: 'Deploying', wanted: 'done' };
};
const page = (drifts: readonly Drift[] = [], next: string | null = null): PageRead => ({
  looked: 3,
  inDeployPhase: drifts.map(({ item, workItem, shown }) => ({ item, names: [workItem], shown, status: 'deploying' })),
  left: [],
  next,
});

interface Tracker {
  readonly projects: readonly string[];
  readonly readPage: (asked: ReadPage) => PageRead;
  readonly findDrifts?: (found: readonly InDeployPhase[]) => Drift[];
  readonly orphans?: (asked: readonly InDeployPhase[]) => readonly Orphan[];
  readonly failing?: () => readonly FailingRun[];
  readonly heal?: (workItem: string) => { readonly wrote: boolean } | null;
}

let access: TemporalAccess;
beforeAll(async () => {
  access = await connectTemporal();
});
afterAll(() => access.close());

async function sweeping<T>(
  tracker: Tracker,
  run: (taskQueue: string, asked: string[]) => Promise<T>,
  connection: NativeConnection = access.nativeConnection,
): Promise<T> {
  const taskQueue = unique('queue');
  const asked: string[] = [];
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowBundle: workflowBundle(),
    activities: {
      ...workerClock,
      projectsToSweep: async () => tracker.projects,
      readPage: async (of: ReadPage) => {
        asked.push(`read ${of.project} ${of.cursor ?? 'from the start'}`);
        return tracker.readPage(of);
      },
      findDrifts: async ({ items }: { items: readonly InDeployPhase[] }) =>
        tracker.findDrifts?.(items) ?? items.map(({ names: [workItem = ''] }) => drift(workItem)),
      findOrphans: async ({ items }: { items: readonly InDeployPhase[] }) => tracker.orphans?.(items) ?? [],
      findFailing: async () => tracker.failing?.() ?? [],
      healWorkItem: async ({ id, reason }: { id: string; reason: string }) => {
        const workItem = [...uuids].find(([, uuid]) => uuid === id)?.[0] ?? id;
        asked.push(`heal ${workItem}`);
        expect(reason).toBe('sweep');
        const healed = tracker.heal === undefined ? { wrote: true } : tracker.heal(workItem);
        return healed === null ? null : { repo: 'shop', workItem, ...healed };
      },
    },
  });
  return worker.runUntil(run(taskQueue, asked));
}

const sweep = (taskQueue: string, input: object = {}): Promise<ReconcileResult> =>
  access.client.workflow.execute<(input?: ReconcileInput) => Promise<ReconcileResult>>(RECONCILE_WORKFLOW, {
    taskQueue,
    workflowId: unique('sweep'),
    args: [{ taskQueue, ...input }],
  });

test('what has drifted on a page is healed before the next page is read, every project, each item once', () =>
  sweeping(
    {
      projects: ['ORCH', 'OPS'],
      readPage: ({ project, cursor }) =>
        project === 'OPS'
          ? page([drift('OPS-1'), drift('OPS-1')])
          : cursor === null
            ? page([drift('ORCH-1'), drift('ORCH-2')], 'p2')
            : page(),
    },
    async (taskQueue, asked) => {
      const result = await sweep(taskQueue, { nonsense: true });
      expect(result).toMatchObject({
        dryRun: false,
        drifted: 3,
        healed: 3,
        failed: 0,
        unread: [],
        looked: 9,
        inDeployPhase: 3,
      });
      expect(asked.map((line) => line.replace(/heal ORCH-[12]/, 'heal ORCH-1/2'))).toEqual([
        ...['read ORCH from the start', 'heal ORCH-1/2', 'heal ORCH-1/2', 'read ORCH p2'],
        ...['read OPS from the start', 'heal OPS-1'],
      ]);
    },
  ));

test('runs and windows whose workflow task fails are in the result; that this is not known stops no sweep', async () => {
  const frozen = { workflowId: 'monitor/shop/ORCH-1', why: '[TMPRL1100] Nondeterminism error' };
  const once = (failing: () => readonly FailingRun[]) =>
    sweeping({ projects: ['ORCH'], readPage: () => page([drift('ORCH-1')]), failing }, (taskQueue) => sweep(taskQueue));
  expect(await once(() => [frozen])).toMatchObject({ healed: 1, failing: [frozen] });
  const away = () => {
    throw ApplicationFailure.nonRetryable('Temporal is away');
  };
  expect(await once(away)).toMatchObject({ healed: 1, failing: null });
});

test('the details of a sweep hold what others say as text', async () => {
  const hostile = { workflowId: 'monitor/shop/<img src=x>', why: '[x](javascript:alert(1)) \u202e' };
  const details = await sweeping(
    { projects: ['ORCH'], readPage: () => page(), failing: () => [hostile] },
    async (taskQueue) => {
      const { client } = access;
      const handle = await client.workflow.start(RECONCILE_WORKFLOW, { taskQueue, workflowId: unique('sweep') });
      await handle.result();
      return (await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata')).currentDetails;
    },
  );
  expect(details).toContain(
    '; monitor/shop/\\<img src=x\\>: its workflow task fails: \\[x\\](javascript:alert(1)) \\\\u\\{202e\\}',
  );
});

test('an orphan is told by the second sweep in a row that finds it, and by hand at once', () => {
  const { item } = drift('ORCH-1');
  const orphan = { item, repo: 'shop', workItem: 'ORCH-1', shown: 'Deploying', stage: 'deploy' };
  const tracker = { projects: ['ORCH'], readPage: () => page([drift('ORCH-1')]), findDrifts: () => [] };
  return sweeping({ ...tracker, orphans: () => [orphan] }, async (taskQueue) => {
    expect(await sweep(taskQueue)).toMatchObject({ orphaned: [] });
    expect(await sweep(taskQueue, { full: true })).toMatchObject({ orphaned: [orphan] });
    await applySweepSchedule(access.client, { taskQueue, everyMs: 1_000 });
    const query = `WorkflowType = 'reconcileStatuses' AND TaskQueue = '${taskQueue}' AND ExecutionStatus = 'Completed'`;
    await eventually(async () => {
      const results: ReconcileResult[] = [];
      for await (const { workflowId, runId } of access.client.workflow.list({ query }))
        results.push(await access.client.workflow.getHandle(workflowId, runId).result());
      expect(results.map(({ orphaned }) => orphaned?.length)).toContain(1);
    });
    await applySweepSchedule(access.client, { taskQueue, everyMs: 0 });
  });
});

test('a dry run heals nothing and lists what it would heal', () =>
  sweeping({ projects: ['ORCH'], readPage: () => page([drift('ORCH-1')]) }, async (taskQueue, asked) => {
    expect(await sweep(taskQueue, { dryRun: true })).toMatchObject({
      ...{ dryRun: true, drifted: 1, healed: 0 },
      healings: [{ ...drift('ORCH-1'), result: 'would be healed' }],
    });
    expect(asked).toEqual(['read ORCH from the start']);
  }));

test('what cannot be healed or read is counted, and does not keep the rest from it', () =>
  sweeping(
    {
      projects: ['GONE', 'ORCH'],
      readPage: ({ project }) => {
        if (project === 'GONE') throw ApplicationFailure.nonRetryable('no such project', 'PlaneNotFound');
        return page(['ORCH-1', 'ORCH-2', 'ORCH-3', 'ORCH-4'].map(drift));
      },
      heal: (workItem) => {
        if (workItem === 'ORCH-1') throw ApplicationFailure.nonRetryable('it is deleted', 'PlaneNotFound');
        return workItem === 'ORCH-3' ? null : { wrote: workItem === 'ORCH-2' };
      },
    },
    async (taskQueue) => {
      const result = await sweep(taskQueue);
      expect(result).toMatchObject({
        ...{ drifted: 4, healed: 1, failed: 1 },
        unread: [{ project: 'GONE', why: 'no such project' }],
      });
      expect(Object.keys(result.projects)).toEqual(['ORCH']);
      // What is not settled is looked at by the next sweep, too, and what failed last of all.
      const { inDeployPhase, failing } = result.projects['ORCH'] ?? {};
      expect(inDeployPhase?.map(({ names }) => names[0])).toEqual(['ORCH-1', 'ORCH-4']);
      expect(failing).toEqual([drift('ORCH-1').item.id]);
      expect(result.healings.map(({ workItem, result: how, detail }) => [workItem, how, detail])).toEqual(
        expect.arrayContaining([
          ['ORCH-1', 'failed', 'it is deleted'],
          ['ORCH-2', 'healed', undefined],
          ['ORCH-3', 'right again', undefined],
          ['ORCH-4', 'put off', 'it is being changed just now'],
        ]),
      );
    },
  ));

test('by its schedule a sweep goes on where the one before began, and compares again what that one saw in the deploy phase', () => {
  const reads: ReadPage[] = [];
  const compared: (string | undefined)[][] = [];
  return sweeping(
    {
      projects: ['ORCH'],
      readPage: (of) => {
        reads.push(of);
        return reads.length === 1 ? page([drift('SLOW-1'), drift('SLOW-2')]) : page();
      },
      findDrifts: (found) => {
        compared.push(found.map(({ names }) => names[0]));
        return compared.length === 2 ? [drift('SLOW-1')] : [];
      },
    },
    async (taskQueue, asked) => {
      const before = Date.now();
      await applySweepSchedule(access.client, { taskQueue, everyMs: 1_000 });
      await eventually(() => expect(compared.length).toBeGreaterThanOrEqual(3));
      await applySweepSchedule(access.client, { taskQueue, everyMs: 0 });
      const margin = 5 * 60_000;
      expect(reads[0]?.since).toBeNull();
      expect(reads[1]?.since).toBeGreaterThanOrEqual(before - margin);
      expect(reads[2]?.since).toBeGreaterThan(reads[1]?.since ?? 0);
      expect(reads[1]?.known).toEqual(['SLOW-1', 'SLOW-2'].map((workItem) => uuids.get(workItem)));
      expect(compared.slice(0, 3)).toEqual([['SLOW-1', 'SLOW-2'], ['SLOW-1', 'SLOW-2'], ['SLOW-2']]);
      expect(asked.filter((line) => line.startsWith('heal'))).toEqual(['heal SLOW-1']);
      expect(sweepScheduleId(taskQueue)).toContain(taskQueue);
    },
  );
});

test('what the last sweep of a schedule has left undone', () => {
  let away = true;
  return sweeping(
    {
      projects: ['GONE', 'ORCH'],
      readPage({ project }) {
        if (away && project === 'GONE') throw ApplicationFailure.nonRetryable('no such project', 'PlaneNotFound');
        return page(away ? [drift('LEFT-1')] : []);
      },
      heal(workItem) {
        throw ApplicationFailure.nonRetryable(`${workItem} is deleted`, 'PlaneNotFound');
      },
      findDrifts: (found) => (away ? found.map(({ names: [workItem = ''] }) => drift(workItem)) : []),
    },
    async (taskQueue) => {
      expect(await lookAtSweeps(access.client, taskQueue)).toBeNull();
      await applySweepSchedule(access.client, { taskQueue, everyMs: 1_000 });
      await eventually(async () =>
        expect(await lookAtSweeps(access.client, taskQueue)).toEqual({
          paused: false,
          last: {
            at: expect.any(Date),
            left: '1 statuses could not be corrected; project GONE was not read: no such project',
          },
        }),
      );
      away = false;
      await eventually(async () =>
        expect(await lookAtSweeps(access.client, taskQueue)).toMatchObject({ last: { left: null } }),
      );
      await applySweepSchedule(access.client, { taskQueue, everyMs: 0 });
    },
  );
});

test('one sweep corrects so much and no more: the next one goes on', () =>
  sweeping(
    { projects: ['ORCH'], readPage: () => page(Array.from({ length: 120 }, (_, n) => drift(`MANY-${n}`))) },
    async (taskQueue, asked) => {
      const result = await sweep(taskQueue);
      expect(result).toMatchObject({ drifted: 120, healed: 100, putOff: 20, failed: 0 });
      expect(asked.filter((line) => line.startsWith('heal'))).toHaveLength(100);
      expect(result.projects['ORCH']?.inDeployPhase).toHaveLength(20);
    },
  ));

test('a project that takes no corrections keeps no other one waiting', () =>
  sweeping(
    {
      projects: ['STUCK', 'ORCH'],
      readPage: ({ project }) => page(Array.from({ length: 20 }, (_, n) => drift(`${project}-${n}`))),
      heal: (workItem) => {
        if (workItem.startsWith('STUCK')) throw ApplicationFailure.nonRetryable('no such state', 'PlaneUnknownState');
        return { wrote: true };
      },
    },
    async (taskQueue) => {
      const { failed, putOff, healed } = await sweep(taskQueue);
      expect(healed).toBe(20);
      expect(failed + putOff).toBe(20);
      expect(failed).toBeLessThan(15);
    },
  ));

describe('a sweep that takes long', () => {
  let env: TestWorkflowEnvironment;
  beforeEach(async () => {
    env = await createTimeSkipping(); // its time stands still once a schedule is left behind
  });
  afterEach(() => env.teardown());

  const PROJECTS = Array.from('ABCDEFGHIJ');
  const away = (project: string): PageRead => {
    throw ApplicationFailure.retryable(`${project} does not answer`, 'PlaneUnavailable'); // it is tried for nine minutes
  };
  const readFromTheStart = (projects: readonly string[]) => projects.map((each) => `read ${each} from the start`);
  /** Each of them once: a try that follows another is left out. */
  const inTurn = (asked: readonly string[]) => asked.filter((each, at) => each !== asked[at - 1]);

  /** Sweeps one after the other, as by a schedule: each knows the result of the one before. */
  async function sweeps(taskQueue: string) {
    const workflowId = unique('sweeps');
    let { firstExecutionRunId: runId } = await env.client.workflow.start(RECONCILE_WORKFLOW, {
      ...{ taskQueue, workflowId, args: [], cronSchedule: '* * * * *' },
    });
    return async (): Promise<ReconcileResult> => {
      const run = env.client.workflow.getHandle(workflowId, runId, { followRuns: false });
      await expect(run.result()).rejects.toThrow('continued as new');
      const { events } = await run.fetchHistory();
      const { lastCompletionResult, newExecutionRunId } =
        events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes ?? {};
      runId = newExecutionRunId ?? '';
      return defaultPayloadConverter.fromPayload(lastCompletionResult?.payloads?.[0] ?? {});
    };
  }

  test('after an hour it leaves the projects that are left to the next one, which begins with them', () => {
    let begun = 0; // not set between two sweeps: the next one may begin at any time
    const isSick = () => begun === 2;
    return sweeping(
      {
        get projects() {
          begun += 1;
          return PROJECTS;
        },
        readPage: ({ project }) => (isSick() && project !== 'J' ? away(project) : page()),
      },
      async (taskQueue, asked) => {
        const next = await sweeps(taskQueue);
        const first = await next();
        const { unread, beginWith, projects } = await next();
        expect(beginWith).toBe('H');
        expect(unread.map(({ project }) => project)).toEqual(PROJECTS);
        expect(unread.map(({ why }) => why).slice(6, 8)).toEqual([
          'G does not answer',
          'the sweep had lasted an hour by then, the next one begins with H',
        ]);
        expect(projects, 'where the last good ones came to').toEqual(first.projects);
        expect(await next()).toMatchObject({ beginWith: null, unread: [] });
        expect(asked.slice(-PROJECTS.length)).toEqual(readFromTheStart(Array.from('HIJABCDEFG')));
      },
      env.nativeConnection,
    );
  });

  test('who asks for everything gets it, however long it takes', () =>
    sweeping(
      { projects: PROJECTS, readPage: ({ project }) => (project === 'J' ? page() : away(project)) },
      async (taskQueue, asked) => {
        const { unread, beginWith, looked } = await env.client.workflow.execute<
          (input: ReconcileInput) => Promise<ReconcileResult>
        >(RECONCILE_WORKFLOW, { taskQueue, workflowId: unique('sweep'), args: [{ full: true }] });
        expect(inTurn(asked)).toEqual(readFromTheStart(PROJECTS));
        expect(unread).toHaveLength(9);
        expect({ beginWith, looked }).toEqual({ beginWith: null, looked: 3 });
      },
      env.nativeConnection,
    ));

  test('a project that is not read to its end within an hour keeps the others waiting for no longer', () => {
    let tries = 0;
    return sweeping(
      {
        projects: ['BIG', 'ORCH'],
        readPage({ project }) {
          if (project === 'ORCH') return page();
          tries += 1;
          return tries % 10 === 0 ? page([], `${tries}`) : away(project); // each page takes five minutes
        },
      },
      async (taskQueue, asked) => {
        const next = await sweeps(taskQueue);
        expect(await next()).toMatchObject({
          beginWith: 'ORCH',
          unread: [{ project: 'BIG', why: 'there was more to read after an hour' }, { project: 'ORCH' }],
        });
        expect(await next()).toMatchObject({ beginWith: null, looked: 3 });
        const second = asked.slice(asked.indexOf('read ORCH from the start')); // the first one did not come to it
        expect(inTurn(second).slice(0, 2)).toEqual(readFromTheStart(['ORCH', 'BIG']));
      },
      env.nativeConnection,
    );
  });

  test('the hour does not count while no worker has taken it up', () =>
    sweeping(
      { projects: PROJECTS, readPage: () => page() },
      async (taskQueue) => {
        const result = await env.client.workflow.execute<() => Promise<ReconcileResult>>(RECONCILE_WORKFLOW, {
          ...{ taskQueue, workflowId: unique('sweep'), args: [], startDelay: '2 hours' },
        });
        expect(result).toMatchObject({ beginWith: null, unread: [] });
      },
      env.nativeConnection,
    ));
});

test('a healing that runs already is asked for one more look', () =>
  sweeping({ projects: ['ORCH'], readPage: () => page([drift('BUSY-1')]) }, async (taskQueue) => {
    const { id } = drift('BUSY-1').item;
    const healing = await access.client.workflow.start(HEAL_WORKFLOW, {
      taskQueue: `${taskQueue}-nobody`,
      workflowId: healWorkflowId(taskQueue, id),
      args: [{ id, project: 'p' }],
    });
    expect((await sweep(taskQueue)).healings).toMatchObject([{ result: 'put off' }]);
    const { events } = await healing.fetchHistory();
    expect(events?.map((event) => event.workflowExecutionSignaledEventAttributes?.signalName)).toContain('look');
    await healing.terminate();
  }));

test('a healing of another installation, or of an abandoned one, keeps no status from being corrected', () =>
  sweeping({ projects: ['ORCH'], readPage: () => page([drift('BOTH-1')]) }, async (taskQueue) => {
    const { item } = drift('BOTH-1');
    await startHealing(access.client, `${taskQueue}-nobody`, item);
    expect((await sweep(taskQueue)).healings).toMatchObject([{ result: 'healed' }]);
    await access.client.workflow.getHandle(healWorkflowId(`${taskQueue}-nobody`, item.id)).terminate();
  }));
