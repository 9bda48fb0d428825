import { ApplicationFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Drift, PageRead, ReadPage } from '../../activities/reconcile.ts';
import { applySweepSchedule, sweepScheduleId } from '../../adapters/temporal/sweep-schedule.ts';
import { RECONCILE_WORKFLOW, type ReconcileInput, type ReconcileResult } from '../../workflows/messages.ts';
import { eventually } from '../setup/eventually.ts';
import { connectTemporal, type TemporalAccess, unique, workflowBundle } from '../setup/temporal.ts';

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
  inDeployPhase: drifts.length,
  drifts,
  next,
});

interface Tracker {
  readonly projects: readonly string[];
  readonly readPage: (asked: ReadPage) => PageRead;
  readonly readFinished?: (asked: { since: number }) => PageRead;
  readonly heal?: (workItem: string) => { readonly wrote: boolean };
}

let access: TemporalAccess;
beforeAll(async () => {
  access = await connectTemporal();
});
afterAll(() => access.close());

async function sweeping<T>(tracker: Tracker, run: (taskQueue: string, asked: string[]) => Promise<T>): Promise<T> {
  const taskQueue = unique('queue');
  const asked: string[] = [];
  const worker = await Worker.create({
    connection: access.nativeConnection,
    taskQueue,
    workflowBundle: workflowBundle(),
    activities: {
      projectsToSweep: async () => tracker.projects,
      readPage: async (of: ReadPage) => {
        asked.push(`read ${of.project} ${of.cursor ?? 'from the start'}`);
        return tracker.readPage(of);
      },
      readFinished: async (of: { since: number }) => tracker.readFinished?.(of) ?? page(),
      healWorkItem: async ({ id, reason }: { id: string; reason: string }) => {
        const workItem = [...uuids].find(([, uuid]) => uuid === id)?.[0] ?? id;
        asked.push(`heal ${workItem}`);
        expect(reason).toBe('sweep');
        return { repo: 'shop', workItem, ...(tracker.heal?.(workItem) ?? { wrote: true }) };
      },
    },
  });
  return worker.runUntil(run(taskQueue, asked));
}

const sweep = (taskQueue: string, input?: unknown): Promise<ReconcileResult> =>
  access.client.workflow.execute<(input?: ReconcileInput) => Promise<ReconcileResult>>(RECONCILE_WORKFLOW, {
    taskQueue,
    workflowId: unique('sweep'),
    args: input === undefined ? [] : [input as ReconcileInput],
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
      readFinished: () => page([drift('ORCH-2'), drift('ORCH-3')]),
    },
    async (taskQueue, asked) => {
      const result = await sweep(taskQueue, { nonsense: true });
      expect(result).toMatchObject({
        dryRun: false,
        full: true,
        drifted: 4,
        healed: 4,
        failed: 0,
        unread: 0,
        looked: 12,
      });
      expect(asked.map((line) => line.replace(/heal ORCH-[12]/, 'heal ORCH-1/2'))).toEqual([
        ...['read ORCH from the start', 'heal ORCH-1/2', 'heal ORCH-1/2', 'read ORCH p2'],
        ...['read OPS from the start', 'heal OPS-1', 'heal ORCH-3'],
      ]);
    },
  ));

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
        return page([drift('ORCH-1'), drift('ORCH-2'), drift('ORCH-3')]);
      },
      heal: (workItem) => {
        if (workItem === 'ORCH-1') throw ApplicationFailure.nonRetryable('it is deleted', 'PlaneNotFound');
        return { wrote: workItem === 'ORCH-2' };
      },
    },
    async (taskQueue) => {
      const result = await sweep(taskQueue);
      expect(result).toMatchObject({ drifted: 3, healed: 1, failed: 1, unread: 1, fullAt: 0 });
      expect(result.healings.map(({ workItem, result: how, detail }) => [workItem, how, detail])).toEqual(
        expect.arrayContaining([
          ['ORCH-1', 'failed', 'it is deleted'],
          ['ORCH-2', 'healed', undefined],
          ['ORCH-3', 'right again', undefined],
        ]),
      );
    },
  ));

test('by its schedule a sweep reads on where the one before began, with a margin; a full pass is made once a day', () => {
  const since: (number | null)[] = [];
  return sweeping(
    {
      projects: ['ORCH'],
      readPage: (of) => {
        since.push(of.since);
        return page();
      },
    },
    async (taskQueue) => {
      await applySweepSchedule(access.client, { taskQueue, everyMs: 1_000 });
      const before = Date.now();
      await eventually(() => expect(since.length).toBeGreaterThanOrEqual(3));
      await applySweepSchedule(access.client, { taskQueue, everyMs: 0 });
      expect(since[0]).toBeNull();
      const margin = 5 * 60_000;
      expect(since[1]).toBeGreaterThan(before - margin - 5_000);
      expect(since[2]).toBeGreaterThan(since[1] ?? 0);
      expect(sweepScheduleId(taskQueue)).toContain(taskQueue);
    },
  );
});
