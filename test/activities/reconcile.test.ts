import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Drift } from '../../activities/reconcile.ts';
import { D2dPhase, deployWorkflowId, type SweptProject } from '../../workflows/messages.ts';
import { sweepProject } from '../../workflows/sweep-project.ts';
import { type GuardServers, guardServers } from './guard/servers.ts';
import { type GuardWorld, guardWorld } from './guard/world.ts';

// What a sweep reads, and the correction that it makes, on a simulated Plane, a real Postgres and a real Temporal.

let servers: GuardServers;
beforeAll(async () => {
  servers = await guardServers();
});
afterAll(() => servers.close());

const firstPage = (world: GuardWorld, since: number | null = null, known: readonly string[] = []) =>
  world.activities.readPage({ project: 'ORCH', cursor: null, since, known });

/** What has drifted on the first page. */
async function drifted(world: GuardWorld) {
  const { inDeployPhase } = await firstPage(world);
  return world.activities.findDrifts({ items: inDeployPhase });
}

/** A deploy between its begin and its window. @returns what ends it. */
async function deployUnderWay(world: GuardWorld, key: string): Promise<() => Promise<unknown>> {
  const { client, taskQueue } = servers.temporal;
  const deploy = await client.workflow.start('deployToDone', {
    workflowId: deployWorkflowId(world.selfHosting, key),
    taskQueue: `${taskQueue}-nobody`,
    typedSearchAttributes: [{ key: D2dPhase, value: 'checking' }],
  });
  return () => deploy.terminate();
}

const CASES = [
  { stage: 'done', window: 'none', shown: 'Deploying', wanted: 'done' },
  { stage: 'done', window: 'closed', shown: 'Monitoring after Deploy', wanted: 'done' },
  { stage: 'done', window: 'open', shown: 'Awaiting Deploy', wanted: 'monitoring' },
  { stage: 'done', window: 'open', shown: 'Monitoring after Deploy', wanted: null },
  { stage: ' Cancelled', window: 'none', shown: 'Deploying', wanted: 'cancelled' },
  { stage: 'deploy', window: 'none', shown: 'Deploying', wanted: null },
  { stage: null, window: 'none', shown: 'Deploying', wanted: null },
  { stage: 'done', window: 'none', shown: 'In Progress', wanted: null },
  { stage: 'done', window: 'open', shown: 'Done', wanted: null },
] as const;

describe('readPage and findDrifts', () => {
  test.each(CASES)('stage $stage, window $window, shown $shown: $wanted', async ({ stage, window, shown, wanted }) => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage, window, shown });
    expect(await drifted(world)).toEqual(
      wanted === null ? [] : [{ repo: world.selfHosting, workItem: key, item: world.itemOf(key), shown, wanted }],
    );
    expect(world.asked()).toEqual(['GET', 'GET', 'GET']);
  });

  test('a status that no run takes further is orphaned while its task is not finished', async () => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage: 'deploy', shown: 'Monitoring after Deploy' });
    await world.item({ stage: 'done', shown: 'Deploying' });
    await world.item({ stage: null, shown: 'Deploying' });
    await world.item({ stage: 'deploy', shown: 'Awaiting Deploy' });
    await world.item({ stage: 'deploy', shown: 'Deploying', repo: 'out-of-scope' });
    await world.item({ stage: 'deploy', window: 'open', shown: 'Monitoring after Deploy' });
    const orphans = async () => {
      const { inDeployPhase } = await firstPage(world);
      return world.activities.findOrphans({ items: inDeployPhase });
    };
    const orphan = {
      item: world.itemOf(key),
      repo: world.selfHosting,
      workItem: key,
      shown: 'Monitoring after Deploy',
      stage: 'deploy',
    };
    expect(await orphans()).toEqual([orphan]);
    const end = await deployUnderWay(world, key);
    expect(await orphans()).toEqual([]);
    await end();
    expect(await orphans()).toEqual([orphan]);
  });

  test('costs one request more than the project and its states, however many items there are', async () => {
    const world = await guardWorld(servers);
    for (let n = 0; n < 30; n += 1) await world.item({ stage: 'done', shown: 'Deploying' });
    world.forget();
    expect(await drifted(world)).toHaveLength(30);
    expect(world.asked()).toEqual(['GET', 'GET', 'GET']);
    expect(await drifted(world)).toHaveLength(30);
    expect(world.asked()).toEqual(['GET', 'GET', 'GET', 'GET']);
  });

  test.each(['uuid', 'lower case', 'zeros'] as const)(
    'a task that names its work item otherwise is found as well, and healed: %s',
    async (spelling) => {
      const world = await guardWorld(servers);
      const key = await world.item({ stage: null, shown: 'Deploying' });
      const { id } = world.control.workItem(key);
      const named = { uuid: id, 'lower case': key.toLowerCase(), zeros: key.replace('-', '-00') }[spelling];
      await servers.fresh.sql(`insert into tasks (repo, work_item_id, stage) values ($1, $2, 'done')`, [
        world.selfHosting,
        named,
      ]);
      expect(await drifted(world)).toMatchObject([{ workItem: named, wanted: 'done' }]);
      expect(await world.activities.healWorkItem({ ...world.itemOf(key), reason: 'test' })).toMatchObject({
        ...{ workItem: named, wrote: true },
      });
      expect(world.shows(key)).toBe('Done');
      await servers.fresh.sql('delete from tasks where work_item_id = $1', [named]); // every simulated Plane makes the same uuids
    },
  );

  test('a repository out of scope, and everything where the guard is off, is not looked at', async () => {
    const world = await guardWorld(servers);
    await world.item({ stage: 'done', shown: 'Deploying', repo: 'somebody-elses' });
    expect(await drifted(world)).toEqual([]);
    expect(await world.activities.projectsToSweep()).toEqual(['ORCH']);
    const off = await guardWorld(servers, { env: { ORCH_DEPLOY_STATUS_GUARD_ENABLED: 'false' } });
    expect(await off.activities.projectsToSweep()).toEqual([]);
  });

  test('reading stops with the page that reaches back far enough', async () => {
    const world = await guardWorld(servers);
    for (let n = 0; n < 1_001; n += 1) world.control.addWorkItem({ project: 'ORCH', name: `Item ${n}` });
    expect((await firstPage(world)).next).not.toBeNull();
    expect((await firstPage(world, Date.now() + 60_000)).next).toBeNull();
  });

  test('a state that was made anew under its old name is known at once', async () => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage: 'done', shown: 'In Progress' });
    await firstPage(world); // the states are cached now
    world.control.deleteState('ORCH', 'Deploying');
    world.control.addState('ORCH', { name: 'Deploying', group: 'started' });
    world.control.uiSetState(key, 'Deploying');
    expect(await drifted(world)).toMatchObject([{ workItem: key }]);
  });

  test('of those that are known, it tells which have left the deploy phase', async () => {
    const world = await guardWorld(servers);
    const [stays, leaves] = [await world.item({ shown: 'Deploying' }), await world.item({ shown: 'Deploying' })];
    const known = [stays, leaves].map((key) => world.itemOf(key).id);
    world.control.uiSetState(leaves, 'Done');
    const { inDeployPhase, left } = await firstPage(world, null, known);
    expect(inDeployPhase.map(({ item }) => item.id)).toEqual([world.itemOf(stays).id]);
    expect(left).toEqual([world.itemOf(leaves).id]);
  });

  test('what is between its begin and its window is no drift: a run is about to show monitoring itself', async () => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage: 'done', shown: 'Deploying' });
    const ended = await deployUnderWay(world, key);
    expect(await drifted(world)).toEqual([]);
    await ended();
    expect(await drifted(world)).toHaveLength(1);
  });

  test('what is left of the rate limit is kept for writes: sweeps are put off, and healings soon after them', async () => {
    const world = await guardWorld(servers, { env: { ORCH_SWEEP_KEEP_REQUESTS: '20' } });
    world.control.setRateLimit(28);
    await firstPage(world); // 25 are left
    await firstPage(world);
    await expect(firstPage(world)).rejects.toThrow(
      expect.objectContaining({
        name: 'PlaneBudgetSpent',
        message: expect.stringContaining(
          "of Plane's rate limit 24 requests are left, this takes up to 5, and a sweep leaves 20 to what matters more",
        ),
      }),
    );
    const drifted = await world.item({ stage: 'done', shown: 'Deploying' });
    const heal = () => world.activities.healWorkItem({ ...world.itemOf(drifted), reason: 'test' });
    expect(await heal()).toMatchObject({ wrote: true });
    while (world.asked().length < 28 - 14) await heal();
    await expect(heal()).rejects.toThrow('a correction leaves 10 to what matters more');
    const key = await world.item();
    expect(await world.set('deploying', key)).toMatchObject({ wrote: true });
  });
});

describe('healStatus', () => {
  test.each(CASES)('stage $stage, window $window, shown $shown: $wanted', async ({ stage, window, shown, wanted }) => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage, window, shown });
    const { wrote, status } = await world.activities.healStatus(world.request(key));
    expect(wrote).toBe(wanted !== null);
    if (wanted !== null) expect(status).toBe(wanted);
    const shows = { done: 'Done', monitoring: 'Monitoring after Deploy', cancelled: 'Cancelled' };
    expect(world.shows(key)).toBe(wanted === null ? shown : shows[wanted]);
  });

  test('the project’s own cancelled state is found by its group, whatever it is called', async () => {
    const world = await guardWorld(servers);
    world.control.renameState('ORCH', 'Cancelled', 'Dropped');
    const key = await world.item({ stage: 'cancelled', shown: 'Deploying' });
    await world.activities.healStatus(world.request(key));
    expect(world.shows(key)).toBe('Dropped');
  });

  test('between done and its window a run is about to show monitoring itself: nothing is written', async () => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage: 'done', shown: 'Deploying' });
    const ended = await deployUnderWay(world, key);
    expect(await world.activities.healStatus(world.request(key))).toMatchObject({ wrote: false });
    expect(world.shows(key)).toBe('Deploying');
    await ended();
    expect(await world.activities.healStatus(world.request(key))).toMatchObject({ wrote: true });
  });
});

describe('sweepProject', () => {
  /** One sweep of the project; whatever drifted is noted, and corrected. */
  async function sweep(world: GuardWorld, last?: SweptProject, now = Date.now()) {
    world.forget();
    const drifts: Drift[] = [];
    const swept = await sweepProject(
      'ORCH',
      { began: now, full: false, last },
      {
        ...world.activities,
        async correct(found) {
          drifts.push(...found);
          for (const { item } of found) await world.activities.healWorkItem({ ...item, reason: 'test' });
          return { settled: found.map(({ item }) => item.id), failed: [] };
        },
      },
    );
    return { ...swept, drifted: drifts.map(({ workItem }) => workItem), reads: world.asked().length };
  }

  test('of 10 000 work items each is read once a day, and between that one page of them', async () => {
    const world = await guardWorld(servers);
    const oldest = await world.item({ stage: 'done', shown: 'Deploying' });
    for (let n = 0; n < 9_995; n += 1) world.control.addWorkItem({ project: 'ORCH', name: `Item ${n}` }); // it has four already
    const full = await sweep(world);
    expect(full).toMatchObject({ looked: 10_000, drifted: [oldest] });
    expect(world.shows(oldest)).toBe('Done');
    const later = Date.now() + 60 * 60_000; // nothing has changed within the margin
    const next = await sweep(world, full.project, later);
    expect(await sweep(world, { ...next.project, readUpTo: later }, later)).toMatchObject({ looked: 1_000, reads: 1 });
    expect(await sweep(world, full.project, Date.now() + 25 * 60 * 60_000)).toMatchObject({ looked: 10_000 });
  });

  test('what changes without the tracker is found by the next sweep, however long ago the status was written', async () => {
    const world = await guardWorld(servers);
    const [finishes, isCancelled, waits, deleted] = [
      await world.item({ stage: 'deploy', shown: 'Deploying' }),
      await world.item({ stage: 'deploy', shown: 'Monitoring after Deploy' }),
      await world.item({ stage: 'deploy', shown: 'Awaiting Deploy' }),
      await world.item({ stage: 'deploy', shown: 'Deploying' }),
    ];
    for (let n = 0; n < 1_000; n += 1) world.control.addWorkItem({ project: 'ORCH', name: `Item ${n}` });
    const first = await sweep(world);
    expect(first).toMatchObject({ looked: 1_008, inDeployPhase: 4, drifted: [] });
    world.control.deleteWorkItem(deleted);
    const stages = { [finishes]: 'done', [isCancelled]: 'cancelled', [deleted]: 'done' };
    for (const [key, stage] of Object.entries(stages))
      await servers.fresh.sql('update tasks set stage = $2 where work_item_id = $1', [key, stage]); // and no updated_at
    const long = { ...first.project, readUpTo: Date.now() + 60 * 60_000 };
    const second = await sweep(world, long, long.readUpTo);
    expect(second).toMatchObject({ looked: 1_000, inDeployPhase: 4 });
    expect(second.drifted.toSorted()).toEqual([finishes, isCancelled, deleted].toSorted());
    expect([finishes, isCancelled, waits].map(world.shows)).toEqual(['Done', 'Cancelled', 'Awaiting Deploy']);
    const third = await sweep(world, second.project, long.readUpTo);
    expect(third).toMatchObject({ drifted: [] });
    expect(third.project.inDeployPhase.map(({ names }) => names[0])).toEqual([waits]);
  });
});
