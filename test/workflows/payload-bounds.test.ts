import { ApplicationFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createReconcile,
  type Drift,
  type InDeployPhase,
  type Orphan,
  type ReadPage,
  type ReconcileDeps,
} from '../../activities/reconcile.ts';
import { createSentWrites } from '../../activities/sent-writes.ts';
import { workerClock } from '../../activities/worker-clock.ts';
import type { DriverRun } from '../../adapters/deploy/driver.ts';
import { masked } from '../../adapters/deploy/masked.ts';
import { createMask } from '../../adapters/mask.ts';
import { bytesOf } from '../../workflows/bounded.ts';
import * as deploy from '../../workflows/deploy-run.ts';
import {
  closeWindowUpdate,
  driverStuckSignal,
  RECONCILE_WORKFLOW,
  type ReconcileInput,
  type ReconcileResult,
  type SweptProject,
} from '../../workflows/messages.ts';
import { toldOf } from '../../workflows/swept-projects.ts';
import type { MonitorInput } from '../../workflows/window-state.ts';
import * as win from '../../workflows/window-state.ts';
import * as view from '../../workflows/window-view.ts';
import { observedRun, operation } from '../adapters/deploy/operation.ts';
import { connectTemporal, type TemporalAccess, unique, workflowBundle } from '../setup/temporal.ts';
import { fullProject, fullWindow, long, longest, looked, MOST_TICKS } from './at-the-bound.ts';
import { type RealHarness, startRealHarness } from './harness.ts';
import { plan } from './item.ts';

// Temporal takes 2 MB for a payload. Each one that grows has the bound of docs/reliability.md.

const LIMIT = 2 * 1_024 * 1_024;

type Items = { readonly items: readonly InDeployPhase[] };

const BOUNDS = {
  window: 1_750_000,
  wrapUp: 1_850_000,
  shown: 600_000,
  page: 1_500_000,
  sweep: 1_850_000,
  sent: 30_000,
  driver: 6_100,
};

test('each bound is below what Temporal takes', () => {
  for (const [what, bound] of Object.entries(BOUNDS)) expect(bound, what).toBeLessThan(LIMIT * 0.9);
});

describe('a window', () => {
  const input: MonitorInput = {
    ...{ repo: 'shop', workItem: 'ORCH-1', version: 'v2', requestedBy: 'ci', selfHosting: false },
    ...{ policy: longest, rollback: { idempotent: false, timeoutMs: 60_000 }, guarded: true, settleMs: 60_000 },
  };
  const state = fullWindow(input, Date.now());

  test('has as much in it as there can be', () => {
    expect([state.window, state.afterRollback].map((watch) => watch?.ticks.length)).toEqual([MOST_TICKS, MOST_TICKS]);
    expect([state.messages, state.notes].map(({ length }) => length)).toEqual([100, 100]);
  });

  test('its state, which the next run is given, and its report', () => {
    const report = view.report(state, input);
    for (const bytes of [bytesOf({ ...input, carried: state }), bytesOf(report)]) {
      expect(bytes).toBeLessThanOrEqual(BOUNDS.window);
      expect(bytes, 'or this is not the bound').toBeGreaterThan(BOUNDS.window * 0.8);
    }
  });

  test('its status and its details', () => {
    expect(bytesOf(view.status(state, input))).toBeLessThanOrEqual(BOUNDS.shown);
    expect(bytesOf(view.details(state, input))).toBeLessThanOrEqual(BOUNDS.shown);
  });

  test('what an alert sink said', () => {
    const alerting = win.actionStarted(win.open(input, 0, 3), 'ALERT_ONLY', 0);
    expect(bytesOf(win.alertFailed(alerting, long(0, 200_000)).action)).toBeLessThanOrEqual(8_200);
  });

  test('of its details the first and the last are kept, and between them it is said that more were left out', () => {
    const details = state.window.ticks.map(({ detail = '' }) => detail.split(' ')[0]);
    expect(details.slice(0, 100)).toEqual(Array.from({ length: 100 }, (_, n) => `${n}`));
    expect(new Set(details.slice(100, -100))).toEqual(new Set(['…']));
    expect(details.slice(-100)).toEqual(Array.from({ length: 100 }, (_, n) => `${MOST_TICKS - 100 + n}`));
  });
});

test('the status and the details of a deploy', () => {
  let run = deploy.begin();
  // Escaped, each of its characters takes 13 bytes in place of two.
  for (let at = 0; at < 150; at += 1) run = deploy.noted(run, '\u0080'.repeat(5_000), at);
  const input = { repo: 'shop', workItem: 'ORCH-1' };
  expect(bytesOf(deploy.status(run, input, 'run-1:deploy'))).toBeLessThanOrEqual(BOUNDS.shown);
  const details = deploy.details(run, input);
  expect(bytesOf(details)).toBeLessThanOrEqual(BOUNDS.shown);
  expect(details).toContain('awaiting approval');
});

describe('a sweep', () => {
  const projects = (count: number): Record<string, SweptProject> =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`P${n}`, fullProject(`P${n}`)]));
  const knows = (told: Readonly<Record<string, SweptProject>>): number =>
    Object.values(told).filter(({ inDeployPhase }) => inDeployPhase.length > 0).length;

  test('of few projects all is told', () => {
    expect(toldOf(projects(3))).toEqual(projects(3));
  });

  test('of eleven at their caps those that do not fit are read anew, and what failed is known of all', () => {
    const told = toldOf(projects(11));
    expect(bytesOf(projects(11)), 'or this is not the bound').toBeGreaterThan(LIMIT);
    expect(bytesOf(told)).toBeLessThanOrEqual(1_210_000);
    expect(knows(told)).toBeGreaterThan(0);
    for (const [name, { inDeployPhase, fullAt, failing, readUpTo }] of Object.entries(told)) {
      const whole = fullProject(name);
      expect({ failing, readUpTo }).toEqual({ failing: whole.failing, readUpTo: whole.readUpTo });
      expect(fullAt).toBe(inDeployPhase.length === 0 ? 0 : whole.fullAt);
    }
  });

  test('the smallest are told first, and nothing of what is too much even so', () => {
    const small = {
      ...fullProject('SMALL'),
      inDeployPhase: fullProject('SMALL').inDeployPhase.slice(0, 5),
      failing: [],
    };
    const told = toldOf({ ...projects(100), SMALL: small });
    expect(told['SMALL']).toEqual(small);
    expect(Object.keys(told).length).toBeLessThan(20);
    expect(bytesOf(told)).toBeLessThanOrEqual(1_210_000);
  });
});

test('a page of a project, with all of it in the deploy phase', async () => {
  const [one] = fullProject('LONGPROJECT', '🚀'.repeat(255)).inDeployPhase; // as long as Plane lets a state be named
  if (one === undefined) throw new Error('a project at its caps has something in the deploy phase');
  const items = Array.from({ length: 1_000 }, () => ({ ...one, updatedAt: 0 }));
  const deps: Partial<ReconcileDeps> = {
    tracker: { page: async () => ({ items, next: null }) },
    inTurn: (_priority, look) => look(),
  };
  const { readPage } = createReconcile(deps as ReconcileDeps);
  const page = await readPage({ project: 'LONGPROJECT', cursor: null, since: null, known: [] });
  expect(page.inDeployPhase).toHaveLength(1_000);
  expect(bytesOf(page)).toBeLessThanOrEqual(BOUNDS.page);
});

test('runs that fail: no more than 200 of them', async () => {
  const failing = Array.from({ length: 1_000 }, (_, n) => ({ workflowId: `deploy/shop/${n}`, why: 'x'.repeat(400) }));
  const deps: Partial<ReconcileDeps> = { failingRuns: async () => failing };
  expect(await createReconcile(deps as ReconcileDeps).findFailing()).toEqual(failing.slice(0, 200));
});

test('the heartbeats of a status write', () => {
  let last: readonly unknown[] = [];
  const sent = createSentWrites([], (all) => {
    last = all;
  });
  const evidence = { inForce: true, dbStage: '語'.repeat(255), windowActive: false, lastDeploy: 'under_way' as const };
  for (let at = 1_700_000_000_000; at < 1_700_000_000_050; at += 1)
    sent.answered(sent.begin({ at, status: '🚀'.repeat(255), evidence }), '語'.repeat(10_000));
  expect(last).toHaveLength(10);
  expect(bytesOf(last)).toBeLessThanOrEqual(BOUNDS.sent);
});

test('the heartbeats of a deploy or rollback, whatever its deployer says', async () => {
  const { run, beats } = observedRun();
  const talkative = {
    async run(_: unknown, { heartbeat }: DriverRun) {
      heartbeat('\u0001'.repeat(100_000));
      return { ok: true, detail: '' };
    },
  };
  await masked(talkative, createMask([])).run(operation(), run);
  expect(beats).toHaveLength(1);
  expect(bytesOf(beats[0])).toBeLessThanOrEqual(BOUNDS.driver);
});

describe('on a real server', () => {
  let harness: RealHarness;
  let access: TemporalAccess;
  beforeAll(async () => {
    [harness, access] = await Promise.all([startRealHarness(), connectTemporal()]);
  });
  afterAll(() => Promise.all([harness.close(), access.close()]));

  test('a window as full as there can be is begun with its state, answers with its report, and has it written by a wrap-up that is as full', async () => {
    const item = harness.add({ plan: plan({ window: looked, settleMs: 50 }) });
    const away = async () => {
      if (item.reports.length === 0) throw new Error('the sink and the tracker are away, too');
    };
    item.sink = away;
    item.commenting = away;
    let tries = 0;
    item.onLog = async () => {
      tries += 1;
      if (tries === 1) throw new Error('the disk is full'); // so that the report becomes the input of an activity
    };
    const { repo, selfHosting, rollback, guarded, settleMs } = item.plan;
    const input = { repo, selfHosting, rollback, guarded, settleMs, workItem: item.workItem, policy: longest };
    const carried = fullWindow({ ...input, version: 'v2', requestedBy: 'ci' }, Date.now());
    const window = await harness.watch(item, { carried });
    for (let n = 0; n < 15; n += 1) await window.signal(driverStuckSignal, { kind: 'rollback', text: long(n) });
    const command = { by: 'oncall', reason: 'seen enough' };
    const report = await window.executeUpdate(closeWindowUpdate, { args: [command] });
    await window.result();
    const wrapUp = await harness.wrapUpOf(item, window.firstExecutionRunId).fetchHistory();
    const [owed] = wrapUp.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    expect(owed?.data?.length).toBeLessThanOrEqual(BOUNDS.wrapUp);
    expect(owed?.data?.length, 'or this is not the bound').toBeGreaterThan(BOUNDS.wrapUp * 0.8);
    expect(item.alerts.filter(({ title }) => title.includes('needs attention'))).toHaveLength(10);
    expect(report.ticks).toEqual(carried.window.ticks);
    expect(tries).toBe(2);
    expect(item.reports).toEqual([report]);
  });

  test('a sweep that has more to tell of everything than fits into a result', async () => {
    const names = Array.from({ length: 5 }, (_, n) => `P${n}`);
    const gone = Array.from({ length: 60 }, (_, n) => `GONE${n}`);
    const inDeployPhase = (project: string): readonly InDeployPhase[] =>
      fullProject(project, '語'.repeat(255)).inDeployPhase;
    const taskQueue = unique('queue');
    const worker = await Worker.create({
      ...{ connection: access.nativeConnection, taskQueue, workflowBundle: workflowBundle() },
      activities: {
        ...workerClock,
        projectsToSweep: async () => [...names, ...gone],
        async readPage({ project }: ReadPage) {
          if (gone.includes(project)) throw ApplicationFailure.nonRetryable('語'.repeat(5_000));
          return { looked: 500, inDeployPhase: inDeployPhase(project), left: [], next: null };
        },
        findDrifts: async ({ items }: Items): Promise<Drift[]> =>
          items.map(({ item, shown }, n) => ({ repo: 'shop', workItem: `${n}`, item, shown, wanted: 'done' })),
        findOrphans: async ({ items }: Items): Promise<Orphan[]> =>
          items.map(({ item, shown }, n) => ({ item, repo: 'shop', workItem: `${n}`, shown, stage: 'deploy' })),
        findFailing: async () =>
          Array.from({ length: 200 }, (_, n) => ({ workflowId: `deploy/shop/${n}`, why: '語'.repeat(400) })),
      },
    });
    const result = await worker.runUntil(
      access.client.workflow.execute<(input: ReconcileInput) => Promise<ReconcileResult>>(RECONCILE_WORKFLOW, {
        ...{ taskQueue, workflowId: unique('sweep'), args: [{ dryRun: true, full: true }] },
      }),
    );
    expect(names.reduce((sum, name) => sum + bytesOf(inDeployPhase(name)), 0)).toBeGreaterThan(LIMIT);
    expect(bytesOf(result)).toBeLessThanOrEqual(BOUNDS.sweep);
    expect(result).toMatchObject({ looked: 2_500, inDeployPhase: 2_500, drifted: 2_500 });
    const { unread, healings, failing, orphaned, projects } = result;
    expect(Object.keys(projects).toSorted()).toEqual(names.toSorted());
    for (const list of [unread, healings, failing ?? [], orphaned ?? []]) {
      expect(list.length).toBeGreaterThan(50);
      expect(list.length).toBeLessThanOrEqual(200);
      expect(bytesOf(list)).toBeLessThanOrEqual(150_000);
    }
  });
});
