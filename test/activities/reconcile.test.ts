import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { D2dPhase, deployWorkflowId } from '../../workflows/messages.ts';
import { type GuardServers, guardServers } from './guard/servers.ts';
import { type GuardWorld, guardWorld } from './guard/world.ts';

// What a sweep reads, and the correction that it makes, on a simulated Plane, a real Postgres and a real Temporal.

let servers: GuardServers;
beforeAll(async () => {
  servers = await guardServers();
});
afterAll(() => servers.close());

const firstPage = (world: GuardWorld, since: number | null = null) =>
  world.activities.readPage({ project: 'ORCH', cursor: null, since });

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

describe('readPage', () => {
  test.each(CASES)('stage $stage, window $window, shown $shown: $wanted', async ({ stage, window, shown, wanted }) => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage, window, shown });
    const { drifts, next } = await firstPage(world);
    expect(drifts).toEqual(
      wanted === null ? [] : [{ repo: world.selfHosting, workItem: key, item: world.itemOf(key), shown, wanted }],
    );
    expect(next).toBeNull();
    expect(world.patches()).toBe(0);
  });

  test('costs one request more than the project and its states, however many items there are', async () => {
    const world = await guardWorld(servers);
    for (let n = 0; n < 30; n += 1) await world.item({ stage: 'done', shown: 'Deploying' });
    world.forget();
    expect((await firstPage(world)).drifts).toHaveLength(30);
    expect(world.asked()).toEqual(['GET', 'GET', 'GET']);
    expect((await firstPage(world)).drifts).toHaveLength(30);
    expect(world.asked()).toEqual(['GET', 'GET', 'GET', 'GET']);
  });

  test('a task that names its work item by uuid is found as well', async () => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage: null, shown: 'Deploying' });
    const { id } = world.control.workItem(key);
    await servers.fresh.sql(`insert into tasks (repo, work_item_id, stage) values ($1, $2, 'done')`, [
      world.selfHosting,
      id,
    ]);
    expect((await firstPage(world)).drifts).toMatchObject([{ workItem: id, wanted: 'done' }]);
    expect(await world.activities.healStatus(world.request(id))).toMatchObject({ wrote: true });
    expect(world.shows(key)).toBe('Done');
    await servers.fresh.sql('delete from tasks where work_item_id = $1', [id]); // every simulated Plane makes the same uuids
  });

  test('a repository out of scope, and everything where the guard is off, is not looked at', async () => {
    const world = await guardWorld(servers);
    await world.item({ stage: 'done', shown: 'Deploying', repo: 'somebody-elses' });
    expect((await firstPage(world)).drifts).toEqual([]);
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
    expect((await firstPage(world)).drifts).toMatchObject([{ workItem: key }]);
  });

  test('what is left of the rate limit is kept for writes: the sweep is put off', async () => {
    const world = await guardWorld(servers, { env: { ORCH_SWEEP_KEEP_REQUESTS: '20' } });
    world.control.setRateLimit(24);
    await firstPage(world); // 21 are left
    await firstPage(world);
    await expect(firstPage(world)).rejects.toThrow(
      expect.objectContaining({
        type: 'PlaneBudget',
        nextRetryDelay: 15_000,
        message: expect.stringContaining(
          "20 requests are left of Plane's rate limit, which are kept for status writes",
        ),
      }),
    );
    expect(world.asked()).toHaveLength(4);
    const key = await world.item();
    expect(await world.set('deploying', key)).toMatchObject({ wrote: true });
  });
});

test('readFinished: tasks that finished of late are asked for one by one', async () => {
  const world = await guardWorld(servers);
  const [stuck, fine, old] = [
    await world.item({ stage: 'done', shown: 'Deploying' }),
    await world.item({ stage: 'done', shown: 'Done' }),
    await world.item({ stage: 'done', shown: 'Deploying' }),
  ];
  const since = Date.now() + 3_600_000;
  await servers.fresh.sql('update tasks set updated_at = $2 where work_item_id = any($1)', [
    [stuck, fine],
    new Date(since + 1_000),
  ]);
  const read = await world.activities.readFinished({ since });
  expect(read).toMatchObject({ looked: 2, inDeployPhase: 1, drifts: [{ workItem: stuck, wanted: 'done' }] });
  await servers.fresh.sql('update tasks set updated_at = now() where work_item_id = any($1)', [[stuck, fine, old]]);
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
    const { client, taskQueue } = servers.temporal;
    const deploy = await client.workflow.start('deployToDone', {
      workflowId: deployWorkflowId(world.selfHosting, key),
      taskQueue: `${taskQueue}-nobody`,
      typedSearchAttributes: [{ key: D2dPhase, value: 'checking' }],
    });
    expect(await world.activities.healStatus(world.request(key))).toMatchObject({ wrote: false });
    expect(world.shows(key)).toBe('Deploying');
    await deploy.terminate();
    expect(await world.activities.healStatus(world.request(key))).toMatchObject({ wrote: true });
  });
});
