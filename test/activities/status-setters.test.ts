/** The last word (`convergeDone`, `settleStatus`), the way back (`restoreStatus`), and evidence that has grown old. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { EvidenceDeps, ShownStatus } from '../../activities/status-evidence.ts';
import { createStatusSetters } from '../../activities/status-setters.ts';
import { createPlaneClient, type PlaneClient } from '../../adapters/plane/plane-client.ts';
import { createTracker } from '../../adapters/plane/tracker.ts';
import type { Querier } from '../../adapters/postgres/querier.ts';
import { createTasks } from '../../adapters/postgres/tasks.ts';
import { createWorkItemLock } from '../../adapters/postgres/work-item-lock.ts';
import { eventually } from '../setup/eventually.ts';
import { type GuardServers, guardServers } from './guard/servers.ts';
import { type GuardWorld, guardWorld, SHOWN, TARGETS } from './guard/world.ts';

let servers: GuardServers;
beforeAll(async () => {
  servers = await guardServers();
});
afterAll(() => servers.close());

const OFF = { ORCH_DEPLOY_STATUS_GUARD_ENABLED: 'false' };
const DEPLOY_PHASE = TARGETS.map((target) => SHOWN[target]);

const trackerOver = (client: PlaneClient) => createTracker({ client, names: { ...SHOWN }, projectOf: () => 'ORCH' });

/** The setters, as a worker has them, but for some of what they are over. */
const settersOver = (
  world: GuardWorld,
  over: Pick<EvidenceDeps<Querier>, 'tracker'> & Partial<EvidenceDeps<Querier>>,
) =>
  createStatusSetters<Querier>({
    guard: { enabled: true, repos: [], selfHostingRepo: world.selfHosting },
    withWorkItemLock: createWorkItemLock(servers.fresh.database),
    findTask: (workItem, held = servers.fresh.database) => createTasks(held).find(workItem),
    findSpelled: async () => null,
    findByOtherName: async () => null,
    windowActive: async () => false,
    deployUnderWay: async () => false,
    latestRun: async () => null,
    log: { info: () => {} },
    ...over,
  });

describe('convergeDone, the terminal sync', () => {
  test.each([
    { stage: 'done', window: 'none', status: 'done', verdict: 'CONVERGE_DONE', shows: 'Done' },
    { stage: 'done', window: 'closed', status: 'done', verdict: 'CONVERGE_DONE', shows: 'Done' },
    { stage: 'done', window: 'open', status: 'monitoring', verdict: 'ALLOW', shows: 'Monitoring after Deploy' },
    { stage: 'deploy', window: 'none', status: null, verdict: 'ALLOW', shows: 'Deploying' },
    { stage: 'deploy', window: 'open', status: null, verdict: 'ALLOW', shows: 'Deploying' },
    { stage: null, window: 'none', status: null, verdict: 'ALLOW', shows: 'Deploying' },
    { stage: 'cancelled', window: 'open', status: null, verdict: 'SUPPRESS', shows: 'Deploying' },
  ] as const)('stage $stage, window $window: $status', async ({ stage, window, status, verdict, shows }) => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage, window, shown: 'Deploying' });
    const result = await world.activities.convergeDone({ ...world.request(key), reason: 'the window is over' });
    expect(result).toMatchObject({ verdict, status, wrote: status !== null });
    expect(world.shows(key)).toBe(shows);
    expect(world.patches()).toBe(status === null ? 0 : 1);
    expect(world.logged()).toMatchObject([{ target: 'done', db_stage: stage, verdict, reason: 'the window is over' }]);
  });

  test.each(['In Progress', 'Todo', 'Cancelled'])(
    'somebody has moved the item to %s during the run: it stays',
    async (shown) => {
      const world = await guardWorld(servers);
      const key = await world.item({ stage: 'done', shown });
      const before = world.control.workItem(await world.item({ shown: 'Backlog' })).stateId;
      const end = { ...world.request(key), own: { acknowledged: true, before } };
      expect(await world.activities.convergeDone(end)).toMatchObject({ wrote: false, shown, chosen: true });
      expect(world.patches()).toBe(0);
    },
  );

  test('no status of the run has arrived: what stood there before is nobody’s choice', async () => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage: 'done', shown: 'In Progress' });
    const before = world.control.workItem(key).stateId;
    const end = { ...world.request(key), own: { acknowledged: false, before } };
    expect(await world.activities.convergeDone(end)).toMatchObject({ wrote: true, status: 'done' });
    expect(world.shows(key)).toBe('Done');
  });

  test('a task that was reopened while it converged gets no Done', async () => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage: 'done', shown: 'Deploying' });
    const letGo = await servers.holdLock(key);
    const call = world.activities.convergeDone(world.request(key)); // waits; the stage is read once the lock is held
    await servers.setStage(key, 'deploy');
    await letGo();
    expect(await call).toMatchObject({ status: null, wrote: false });
    expect(world.history(key)).toEqual([]);
  });

  test('it is the last word: it moves an item from where a person has put it', async () => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage: 'done', shown: 'In Progress' });
    expect(await world.activities.convergeDone(world.request(key))).toMatchObject({ wrote: true });
    expect(world.shows(key)).toBe('Done');
  });
});

describe('settleStatus, the read-back (invariant 5)', () => {
  test.each(DEPLOY_PHASE)('after the window %s is corrected to Done, with one line', async (shown) => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage: 'done', window: 'closed', shown });
    expect(await world.activities.settleStatus(world.request(key))).toMatchObject({ wrote: true });
    expect(world.history(key)).toEqual(['Done']);
    expect(world.logged()).toMatchObject([{ target: 'done', verdict: 'CONVERGE_DONE' }]);
    world.forget();
    expect(await world.activities.settleStatus(world.request(key))).toMatchObject({ wrote: false });
    expect(world.asked()).toEqual(['GET']);
    expect(world.lines()).toEqual([]);
  });

  test.each(['Awaiting Deploy', 'Deploying'])('under a window %s is corrected to Monitoring', async (shown) => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage: 'done', window: 'open', shown });
    expect(await world.activities.settleStatus(world.request(key))).toMatchObject({ wrote: true });
    expect(world.history(key)).toEqual(['Monitoring after Deploy']);
    expect(await world.activities.settleStatus(world.request(key))).toMatchObject({ wrote: false });
  });

  test.each(['In Progress', 'Cancelled', 'Backlog', 'Done'])('a person’s move to %s stays', async (state) => {
    const world = await guardWorld(servers);
    for (const window of ['closed', 'open'] as const) {
      const key = await world.item({ stage: 'done', window, shown: 'Monitoring after Deploy' });
      world.control.uiSetState(key, state);
      expect(await world.activities.settleStatus(world.request(key))).toMatchObject({ wrote: false });
      expect(world.shows(key)).toBe(state);
    }
    expect(world.patches()).toBe(0);
  });

  test.each(['deploy', 'cancelled', ''])('stage %j: Plane is not even read', async (stage) => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage, shown: 'Deploying' });
    expect(await world.activities.settleStatus(world.request(key))).toMatchObject({ wrote: false });
    expect(world.asked()).toEqual([]);
  });

  test('an old status that somebody’s save of another field brings back is found and mended', async () => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage: 'done', shown: 'Deploying' });
    await world.activities.convergeDone(world.request(key));
    world.control.uiSetState(key, 'Deploying'); // the whole row of an old read was saved
    expect(await world.activities.settleStatus(world.request(key))).toMatchObject({ wrote: true });
    expect(world.shows(key)).toBe('Done');
  });
});

describe('restoreStatus, the way back of a run that did not reach done', () => {
  /** What a run reads before its first write. */
  async function begun(world: GuardWorld, shown: string, stage = 'deploy') {
    const key = await world.item({ stage, shown });
    const before = await world.activities.readStatus(world.request(key));
    world.control.uiSetState(key, 'Deploying');
    world.forget();
    return { key, before, restore: () => world.activities.restoreStatus({ ...world.request(key), before }) };
  }

  test.each(['In Progress', 'Backlog', 'Done'])('%s, the item’s own, is put back', async (shown) => {
    const world = await guardWorld(servers);
    const { key, restore } = await begun(world, shown);
    expect(await restore()).toMatchObject({ verdict: 'ALLOW', status: shown === 'Done' ? 'Done' : shown, wrote: true });
    expect(world.shows(key)).toBe(shown);
    expect(world.asked()).toEqual(['GET', 'PATCH']);
    expect(world.logged()).toMatchObject([{ target: 'before', verdict: 'ALLOW' }]);
  });

  test.each(DEPLOY_PHASE)('in place of %s, which says nothing any more, Awaiting Deploy', async (shown) => {
    const world = await guardWorld(servers);
    const { key, restore } = await begun(world, shown);
    expect(await restore()).toMatchObject({ verdict: 'ALLOW', status: 'awaiting_deploy', wrote: true });
    expect(world.shows(key)).toBe('Awaiting Deploy');
    expect(world.asked()).toEqual(['GET', 'PATCH']);
  });

  test('Awaiting Deploy that stands there already is not written again', async () => {
    const world = await guardWorld(servers);
    const { key, restore } = await begun(world, 'Awaiting Deploy');
    world.control.uiSetState(key, 'Awaiting Deploy');
    expect(await restore()).toMatchObject({ verdict: 'ALLOW', status: 'awaiting_deploy', wrote: false });
    expect(world.asked()).toEqual(['GET']);
  });

  const NOTHING: readonly (ShownStatus | null)[] = [null, { id: '', name: '', status: null }];
  test.each(NOTHING)('nothing known of before (%j): Awaiting Deploy', async (before) => {
    const world = await guardWorld(servers);
    const key = await world.item({ shown: 'Deploying' });
    const result = await world.activities.restoreStatus({ ...world.request(key), before });
    expect(result).toMatchObject({ verdict: 'ALLOW', status: 'awaiting_deploy', wrote: true });
    expect(world.history(key)).toEqual(['Awaiting Deploy']);
  });

  test('a state that was deleted meanwhile cannot be put back: Awaiting Deploy', async () => {
    const world = await guardWorld(servers);
    world.control.addState('ORCH', { name: 'Reviewed', group: 'started' });
    const { key, restore } = await begun(world, 'Reviewed');
    await world.activities.readStatus(world.request(key)); // so that the project's states are cached
    world.control.deleteState('ORCH', 'Reviewed');
    await expect(restore(), 'the state is in the cache still').rejects.toThrow(/object does not exist/);
    expect(await restore()).toMatchObject({ verdict: 'ALLOW', status: 'awaiting_deploy', wrote: true });
    expect(world.shows(key)).toBe('Awaiting Deploy');
  });

  const ENDED = { runId: 'run-2', running: false, phase: 'finished', outcome: 'done' };
  test.each([
    ['a newer run that took the task to done', { ...ENDED, outcome: 'done' }, { wrote: false }],
    ['a newer run that was refused', { ...ENDED, outcome: 'refused' }, { wrote: true }],
    ['a newer run that runs', { ...ENDED, running: true, outcome: null }, { wrote: false, waits: true }],
    ['no other run', { ...ENDED, runId: 'run-1' }, { wrote: true }],
    ['no run that Temporal keeps', null, { wrote: true }],
  ])('asked after its run has ended, with %s', async (_, latest, result) => {
    const world = await guardWorld(servers);
    const key = await world.item({ shown: 'Deploying' });
    const client = createPlaneClient({ url: world.url, apiKey: world.apiKey, workspace: world.workspace });
    const setters = settersOver(world, { tracker: trackerOver(client), latestRun: async () => latest });
    const request = { ...world.request(key), run: 'run-1' };
    expect(await setters.restoreStatus({ ...request, before: null })).toMatchObject(result);
    expect(world.patches()).toBe(result.wrote ? 1 : 0);
    await client.close();
  });

  test.each(['Cancelled', 'Todo', 'Done'])('a person’s move to %s meanwhile stays', async (state) => {
    const world = await guardWorld(servers);
    const { key, restore } = await begun(world, 'In Progress');
    world.control.uiSetState(key, state);
    expect(await restore()).toMatchObject({ verdict: 'ALLOW', status: null, wrote: false });
    expect(world.shows(key)).toBe(state);
  });

  test.each([
    { stage: 'done', window: 'none', status: 'done', verdict: 'CONVERGE_DONE', shows: 'Done' },
    { stage: 'done', window: 'open', status: 'monitoring', verdict: 'ALLOW', shows: 'Monitoring after Deploy' },
    { stage: 'cancelled', window: 'none', status: null, verdict: 'SUPPRESS', shows: 'Deploying' },
  ] as const)(
    'the task is $stage by now, window $window: $shows',
    async ({ stage, window, status, verdict, shows }) => {
      const world = await guardWorld(servers);
      const { key, restore } = await begun(world, 'In Progress');
      await servers.setStage(key, stage);
      await servers.openWindow(world.selfHosting, key, window);
      expect(await restore()).toMatchObject({ verdict, status, wrote: status !== null });
      expect(world.shows(key)).toBe(shows);
    },
  );

  test('the kill-switch is off: one PATCH, to what stood there before', async () => {
    const world = await guardWorld(servers, { env: OFF });
    const { key, restore } = await begun(world, 'In Progress', 'done');
    world.control.uiSetState(key, 'Cancelled');
    expect(await restore()).toMatchObject({ verdict: 'ALLOW', status: 'In Progress', wrote: true });
    expect(world.asked()).toEqual(['PATCH']);
    expect(world.shows(key)).toBe('In Progress');
  });
});

describe('a work item by another name than its task has', () => {
  const spelled = (world: GuardWorld, key: string) => ({
    'lower case': key.toLowerCase(),
    zeros: key.replace('-', '-0'),
    uuid: world.control.workItem(key).id,
    spaces: ` ${key} `,
  });
  const SPELLINGS = ['lower case', 'zeros', 'uuid', 'spaces'] as const;

  test.each(SPELLINGS)('%s: a finished one does not flap, whoever calls, and from whatever repository', async (how) => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage: 'done', shown: 'Done' });
    for (const repo of [world.selfHosting, 'nobodys'])
      for (const target of TARGETS) {
        const result = await world.set(target, spelled(world, key)[how], { repo });
        expect(result).toMatchObject({ verdict: 'CONVERGE_DONE', wrote: false, workItem: key });
      }
    expect(world.patches()).toBe(0);
    expect(new Set(world.logged().map(({ work_item }) => work_item))).toEqual(new Set([key]));
  });

  test('its key, where the task goes by its uuid', async () => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage: null, shown: 'Done' });
    const { id } = world.control.workItem(key);
    await servers.fresh.sql("insert into tasks (repo, work_item_id, stage) values ($1, $2, 'done')", [
      world.selfHosting,
      id,
    ]);
    onTestFinished(async () => {
      await servers.fresh.sql('delete from tasks where work_item_id = $1', [id]); // each Plane begins with the same ids
    });
    for (const repo of [world.selfHosting, 'nobodys'])
      expect(await world.set('deploying', key, { repo })).toMatchObject({ verdict: 'CONVERGE_DONE', workItem: id });
    expect(world.patches()).toBe(0);
  });

  test.each(SPELLINGS)('%s: it is the same lock, and the same window', async (how) => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage: 'done', window: 'open', shown: 'Deploying' });
    world.control.fault({ mode: 'hold', phase: 'after', match: { method: 'GET', path: key, times: 1 } });
    const first = world.set('awaiting_deploy', key);
    await world.control.whenHeld(1);
    const second = world.set('deploying', spelled(world, key)[how]);
    await delay(300); // it would have looked at the item by now
    const looks = world.control.requests().filter(({ path }) => path.includes('fields=id') && path.includes(key));
    expect(looks.length).toBeLessThanOrEqual(how === 'uuid' ? 2 : 1);
    world.control.release();
    expect(await first).toMatchObject({ status: 'monitoring', wrote: true });
    expect(await second).toMatchObject({ status: 'monitoring', wrote: false });
  });

  test.each(
    [500, 429, 403, 404].flatMap((status) => [
      { status, inScope: true },
      { status, inScope: false },
    ]),
  )(
    'where Plane answers $status to the question for its names, nothing is written (in scope: $inScope)',
    async (how) => {
      const { status, inScope } = how;
      const world = await guardWorld(servers);
      const key = await world.item({ stage: 'done', shown: 'Done' });
      const { id } = world.control.workItem(key);
      world.control.fault({ mode: 'status', status, match: { method: 'GET', path: id } });
      const call = world.set('deploying', id, { repo: inScope ? world.selfHosting : 'nobodys' });
      await expect(call).rejects.toThrow(String(status));
      expect(world.patches()).toBe(0);
    },
  );

  test('its uuid, from a repository of another project of Plane: that one does not have it, whatever was asked before', async () => {
    const world = await guardWorld(servers, {
      repositories: 'repositories: { elsewhere: { plane: { project: OPS }, deploy: { driver: external } } }',
    });
    const key = await world.item({ stage: 'done', shown: 'Done' });
    const { id } = world.control.workItem(key);
    expect(await world.set('deploying', id)).toMatchObject({ verdict: 'CONVERGE_DONE' });
    await expect(world.set('deploying', id, { repo: 'elsewhere' })).rejects.toThrow('404');
    expect(world.patches()).toBe(0);
  });
});

test('a healing that finds a deploy just gone looks at its window again: it is not Done yet', async () => {
  const world = await guardWorld(servers);
  const client = createPlaneClient({ url: world.url, apiKey: world.apiKey, workspace: world.workspace });
  const key = await world.item({ stage: 'done', shown: 'Deploying' });
  let opened = false;
  const setters = settersOver(world, {
    windowActive: async () => opened,
    async deployUnderWay() {
      opened = true; // its window opens just now, and with it the deploy says so
      return false;
    },
    tracker: trackerOver(client),
  });
  expect(await setters.healStatus(world.request(key))).toMatchObject({ wrote: false, shown: 'Deploying' });
  expect(await setters.healStatus(world.request(key))).toMatchObject({ wrote: true, status: 'monitoring' });
  expect(world.history(key)).toEqual(['Monitoring after Deploy']);
  await client.close();
});

describe('evidence that does not hold any more', () => {
  const endLockSessions = () =>
    servers.fresh.sql(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name like '% lock' and state = 'idle in transaction'`,
    );

  test('the lock is lost while Plane is read: nothing is written (invariant 4)', async () => {
    const world = await guardWorld(servers);
    const key = await world.item();
    world.control.fault({ mode: 'hold', phase: 'after', match: { method: 'GET', times: 1 } });
    const call = world.set('deploying', key);
    await world.control.whenHeld(1);
    await endLockSessions();
    await servers.setStage(key, 'done');
    expect(await world.activities.convergeDone(world.request(key))).toMatchObject({ wrote: true }); // the lock is free
    world.control.release();
    await expect(call).rejects.toThrow(/The lock on work item .* was lost/);
    expect(world.history(key)).toEqual(['Done']);
    expect(world.patches()).toBe(1);
  });

  test('the lock is lost right before the write is sent: it is not', async () => {
    const world = await guardWorld(servers);
    const client = createPlaneClient({ url: world.url, apiKey: world.apiKey, workspace: world.workspace });
    const key = await world.item();
    let loss: AbortSignal | undefined;
    const tracker = trackerOver({
      ...client,
      async setState(item, state, options) {
        await endLockSessions();
        await eventually(() => expect(loss?.aborted).toBe(true));
        return client.setState(item, state, options);
      },
    });
    const lock = createWorkItemLock(servers.fresh.database);
    const setters = settersOver(world, {
      tracker,
      withWorkItemLock: (workItem, run) =>
        lock(workItem, (held, lost) => {
          loss = lost;
          return run(held, lost);
        }),
    });
    const call = setters.setDeploying(world.request(key));
    await expect(call).rejects.toThrow(/The lock on work item .* was lost/);
    expect(world.patches()).toBe(0);
    await client.close();
  });

  test('the lock is lost while Plane is written: the evidence is read again, and what has changed is converged', async () => {
    const world = await guardWorld(servers);
    const key = await world.item();
    world.control.fault({ mode: 'hold', phase: 'before', match: { method: 'PATCH', times: 1 } });
    const call = world.set('deploying', key);
    await world.control.whenHeld(1);
    await endLockSessions();
    await servers.setStage(key, 'done');
    expect(await world.activities.convergeDone(world.request(key))).toMatchObject({ wrote: true }); // the lock is free
    world.control.release(); // and the old write lands over it
    expect(await call).toMatchObject({ verdict: 'CONVERGE_DONE', status: 'done', wrote: true });
    expect(world.history(key)).toEqual(['Done', 'Deploying', 'Done']);
  });

  // A process that stands still (SIGSTOP) loses time by both clocks; while a whole machine sleeps the first of them stands still, too.
  const CLOCKS = { 'the clock that only grows': performance, 'the clock of the day': Date };
  const CLOCK_NAMES = ['the clock that only grows', 'the clock of the day'] as const;

  test.each(CLOCK_NAMES)(
    'a write that took more than 20 s is looked at once more, though its lock was kept, by %s',
    async (clock) => {
      const world = await guardWorld(servers);
      const client = createPlaneClient({ url: world.url, apiKey: world.apiKey, workspace: world.workspace });
      const now = CLOCKS[clock].now();
      let lost = 0;
      const spy = vi.spyOn(CLOCKS[clock], 'now').mockImplementation(() => now + lost);
      let key = '';
      let tookMs = 15_000;
      const tracker = trackerOver({
        ...client,
        async setState(item, state, options) {
          await client.setState(item, state, options);
          lost += tookMs;
          await servers.setStage(key, 'done'); // the task is done by the time of the answer
        },
      });
      const lock = createWorkItemLock(servers.fresh.database);
      const setters = settersOver(world, {
        tracker,
        withWorkItemLock: (workItem, run) => lock(workItem, (held) => run(held)), // nobody tells that it is lost
      });
      try {
        key = await world.item();
        expect(await setters.setDeploying(world.request(key))).toMatchObject({ verdict: 'ALLOW', wrote: true });
        expect(world.history(key)).toEqual(['Deploying']);
        tookMs = 20_001;
        key = await world.item();
        expect(await setters.setDeploying(world.request(key))).toMatchObject({ verdict: 'CONVERGE_DONE', wrote: true });
        expect(world.history(key)).toEqual(['Deploying', 'Done']);
      } finally {
        spy.mockRestore();
        await client.close();
      }
    },
  );

  test.each(
    CLOCK_NAMES.flatMap((clock) => [
      { clock, frozen: 'when it has looked at Plane' },
      { clock, frozen: 'right before it sends' },
    ]),
  )('a worker that was frozen $frozen reads anew, by $clock', async ({ clock, frozen }) => {
    const world = await guardWorld(servers);
    const client = createPlaneClient({ url: world.url, apiKey: world.apiKey, workspace: world.workspace });
    const key = await world.item();
    const now = CLOCKS[clock].now();
    let lost = 0;
    const spy = vi.spyOn(CLOCKS[clock], 'now').mockImplementation(() => now + lost);
    let frozenMs = 20_001;
    const freeze = (when: string): void => {
      if (when === frozen) lost += frozenMs;
    };
    const tracker = trackerOver({
      ...client,
      setState(item, state, options) {
        freeze('right before it sends');
        return client.setState(item, state, options);
      },
    });
    const setters = settersOver(world, {
      tracker: {
        ...tracker,
        async shown(repo, workItem) {
          const shown = await tracker.shown(repo, workItem);
          freeze('when it has looked at Plane');
          return shown;
        },
      },
    });
    try {
      await expect(setters.setDeploying(world.request(key))).rejects.toThrow(
        `The evidence about ${key} is 20 s old, more than the 20 s within which its status may be written`,
      );
      expect(world.patches()).toBe(0);
      frozenMs = 15_000;
      expect(await setters.setDeploying(world.request(key))).toMatchObject({ wrote: true });
    } finally {
      spy.mockRestore();
      await client.close();
    }
  });
});
