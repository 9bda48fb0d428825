/** Setters, settle, sweep and the ends of runs where the tracker has a state for work that left production degraded. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GuardServers, guardServers } from './guard/servers.ts';
import { guardWorld, TARGETS } from './guard/world.ts';

let servers: GuardServers;
beforeAll(async () => {
  servers = await guardServers();
});
afterAll(() => servers.close());

const STATE = 'Degraded';
const ON = { ORCH_PLANE_STATE_DEGRADED: STATE };
const FINISHED = { D2dPhase: 'finished', D2dOutcome: 'degraded_alerted' };
const CLOSED = { D2dPhase: 'closed', D2dOutcome: 'degraded_alerted', D2dVerdict: 'DEGRADED' };

async function worldWith(env: Record<string, string> = ON) {
  const world = await guardWorld(servers, { env });
  world.control.addState('ORCH', { name: STATE, group: 'started' });
  return {
    ...world,
    /** An item of a done task whose deploy, and its window, have ended degraded. */
    async degraded(shown: string) {
      const key = await world.item({ stage: 'done', shown });
      const { end } = await servers.startDeploy(world.selfHosting, key, FINISHED, CLOSED);
      await end();
      world.forget();
      return key;
    },
    /** An item of a task that is not done, whose deploy never became healthy. */
    async unhealthy(shown: string) {
      const key = await world.item({ shown });
      const outcome = { D2dPhase: 'finished', D2dOutcome: 'unhealthy_after_deploy' };
      const run = await servers.startDeploy(world.selfHosting, key, outcome);
      world.forget();
      return { key, ...run };
    },
  };
}

describe('after a window that ended degraded', () => {
  test.each(['Deploying', 'Awaiting Deploy', 'Monitoring after Deploy'])(
    'an old status, %s, is corrected by each setter, the settle and a sweep',
    async (shown) => {
      const world = await worldWith();
      for (const target of TARGETS) {
        const key = await world.degraded(shown);
        expect(await world.set(target, key)).toMatchObject({
          ...{ verdict: 'CONVERGE_DONE', status: 'degraded', wrote: true },
          evidence: { lastDeploy: 'degraded' },
        });
        expect(world.shows(key)).toBe(STATE);
      }
      for (const correct of [world.activities.settleStatus, world.activities.healStatus]) {
        const key = await world.degraded(shown);
        expect(await correct(world.request(key))).toMatchObject({ status: 'degraded', wrote: true });
        expect(world.shows(key)).toBe(STATE);
      }
    },
  );

  test.each([STATE, 'Done', 'In Progress'])('%s stays, whoever comes', async (shown) => {
    const world = await worldWith();
    const key = await world.degraded(shown);
    for (const target of TARGETS) expect(await world.set(target, key)).toMatchObject({ wrote: false });
    const { settleStatus, healStatus, convergeDone, healWorkItem } = world.activities;
    expect(await settleStatus(world.request(key))).toMatchObject({ wrote: false });
    expect(await healStatus(world.request(key))).toMatchObject({ wrote: false });
    expect(await convergeDone({ ...world.request(key), redrive: true })).toMatchObject({ wrote: false });
    expect(await healWorkItem({ ...world.itemOf(key), reason: 'event' })).toBeNull();
    expect(world.shows(key)).toBe(shown);
    expect(world.patches()).toBe(0);
  });

  test('the last word writes it over whatever is shown, once', async () => {
    const world = await worldWith();
    for (const shown of ['Done', 'In Progress', 'Monitoring after Deploy']) {
      const key = await world.degraded(shown);
      expect(await world.activities.convergeDone(world.request(key))).toMatchObject({
        status: 'degraded',
        wrote: true,
      });
      expect(await world.activities.convergeDone(world.request(key))).toMatchObject({ wrote: false });
      expect(world.history(key)).toEqual([STATE]);
    }
  });

  test('a sweep finds the old status, and not the item that rests', async () => {
    const world = await worldWith();
    const [drifted, resting] = [await world.degraded('Deploying'), await world.degraded(STATE)];
    const { readPage, findDrifts } = world.activities;
    const { inDeployPhase } = await readPage({ project: 'ORCH', cursor: null, since: null, known: [] });
    const named = inDeployPhase.flatMap(({ names }) => names);
    expect(named).toContain(drifted);
    expect(named).not.toContain(resting);
    const items = inDeployPhase.filter(({ names }) => names.includes(drifted));
    expect(await findDrifts({ items })).toMatchObject([{ workItem: drifted, wanted: 'degraded' }]);
  });

  test('one that was terminated after it had proved degraded has its verdict on record', async () => {
    const world = await worldWith();
    const key = await world.item({ stage: 'done', shown: 'Monitoring after Deploy' });
    const phase = { D2dPhase: 'acting', D2dVerdict: 'DEGRADED' };
    const { end } = await servers.startDeploy(world.selfHosting, key, { D2dPhase: 'monitoring' }, phase);
    expect(await world.activities.convergeDone(world.request(key))).toMatchObject({ status: 'monitoring' });
    await end('terminated');
    expect(await world.activities.convergeDone(world.request(key))).toMatchObject({ status: 'degraded' });
  });

  test('a later deploy without a window overtakes it; a re-drive does not', async () => {
    const world = await worldWith();
    const key = await world.degraded('Deploying');
    const redrive = { D2dPhase: 'finished', D2dOutcome: 'already_done' };
    await (await servers.startDeploy(world.selfHosting, key, redrive)).end();
    expect(await world.set('deploying', key)).toMatchObject({ status: 'degraded' });
    await (await servers.startDeploy(world.selfHosting, key, { D2dPhase: 'finished', D2dOutcome: 'done' })).end();
    expect(await world.activities.convergeDone(world.request(key))).toMatchObject({ status: 'done', wrote: true });
  });
});

describe('after a deploy that never became healthy', () => {
  const before = { id: '', name: 'In Progress', status: null };

  test('its end writes it, and setters and a sweep put it back over an old status', async () => {
    const world = await worldWith();
    const { key } = await world.unhealthy('Deploying');
    const ended = { ...world.request(key), before, degraded: true as const };
    expect(await world.activities.restoreStatus(ended)).toMatchObject({ status: 'degraded', wrote: true });
    expect(await world.activities.restoreStatus(ended)).toMatchObject({ wrote: false });
    expect(await world.set('deploying', key)).toMatchObject({ verdict: 'ALLOW', status: 'degraded', wrote: false });
    world.control.uiSetState(key, 'Awaiting Deploy');
    expect(await world.activities.healStatus(world.request(key))).toMatchObject({ status: 'degraded', wrote: true });
    world.control.uiSetState(key, 'Todo');
    for (const target of TARGETS) expect(await world.set(target, key)).toMatchObject({ wrote: false });
    expect(world.shows(key)).toBe('Todo');
  });

  test('its end writes it over what was shown before, too, where the tracker was away at the begin', async () => {
    const world = await worldWith();
    const { key } = await world.unhealthy('In Progress');
    const ended = { ...world.request(key), before: null, degraded: true as const };
    expect(await world.activities.restoreStatus(ended)).toMatchObject({ status: 'degraded', wrote: true });
    expect(world.shows(key)).toBe(STATE);
  });

  test('the next deploy takes it away', async () => {
    const world = await worldWith();
    const { key, end } = await world.unhealthy(STATE);
    await end();
    await servers.startDeploy(world.selfHosting, key, { D2dPhase: 'awaiting_approval' });
    expect(await world.set('awaiting_deploy', key)).toMatchObject({ status: 'awaiting_deploy', wrote: true });
    expect(await world.set('deploying', key)).toMatchObject({ status: 'deploying', wrote: true });
  });

  test('and puts it back, where it ends before the deploy', async () => {
    const world = await worldWith();
    const key = await world.item({ shown: STATE });
    await servers.startDeploy(world.selfHosting, key, { D2dPhase: 'awaiting_approval' });
    const shown = await world.activities.readStatus({ repo: world.selfHosting, workItem: key });
    expect(shown).toMatchObject({ name: STATE, status: 'degraded' });
    await world.set('awaiting_deploy', key);
    await world.activities.restoreStatus({ ...world.request(key), before: shown });
    expect(world.history(key)).toEqual(['Awaiting Deploy', STATE]);
  });
});

test('where nothing is known of a deploy, a state that somebody has put there stays', async () => {
  const world = await worldWith();
  for (const stage of ['done', 'deploy', null]) {
    const key = await world.item({ stage, shown: STATE });
    expect(await world.set('deploying', key)).toMatchObject({ status: 'degraded', wrote: false });
  }
});

test('a cancelled task leaves the deploy phase for the project’s own state, also beside one of that group', async () => {
  const world = await guardWorld(servers, { env: ON });
  world.control.addState('ORCH', { name: STATE, group: 'cancelled' });
  const key = await world.item({ stage: 'cancelled', shown: 'Deploying' });
  expect(await world.activities.healStatus(world.request(key))).toMatchObject({ status: 'cancelled', wrote: true });
  expect(world.shows(key)).toBe('Cancelled');
});

describe('the guard is not in force', () => {
  test.each([
    ['switched off', { ORCH_DEPLOY_STATUS_GUARD_ENABLED: 'false' }],
    ['out of scope', { ORCH_DEPLOY_STATUS_GUARD_REPOS: 'another' }],
  ])('%s: the end of a deploy is one write of it, and nothing is read', async (_name, env) => {
    const world = await worldWith({ ...ON, ...env });
    const key = await world.item({ shown: 'Deploying' });
    const [end, before] = [{ ...world.request(key), degraded: true as const }, null];
    expect(await world.activities.convergeDone(end)).toMatchObject({ status: 'degraded', wrote: true });
    expect(await world.activities.restoreStatus({ ...end, before })).toMatchObject({ status: 'degraded', wrote: true });
    expect(await world.activities.convergeDone(world.request(key))).toMatchObject({ status: 'done' });
    expect(world.patches()).toBe(3);
    expect(world.count.describes).toBe(0);
  });
});

test('without the setting nothing more is asked, and the end of a deploy is Done', async () => {
  const world = await worldWith({});
  const key = await world.degraded('Monitoring after Deploy');
  const end = { ...world.request(key), degraded: true as const };
  const { evidence, status } = await world.activities.convergeDone(end);
  expect({ evidence, status }).toEqual({
    evidence: { inForce: true, dbStage: 'done', windowActive: false },
    status: 'done',
  });
  expect(world.count.describes).toBe(1);
  world.control.uiSetState(key, STATE);
  expect(await world.set('deploying', key)).toMatchObject({ status: 'done', wrote: true });
  expect(world.logged().every((line) => !('last_deploy' in line))).toBe(true);
});

test('with it, at most two describes more, and none while a window is active', async () => {
  const world = await worldWith();
  const done = await world.degraded(STATE);
  await world.set('deploying', done);
  expect(world.count.describes).toBe(3);
  const { key } = await world.unhealthy(STATE);
  await world.set('deploying', key);
  expect(world.count.describes).toBe(2);
  const watched = await world.item({ stage: 'done', window: 'open' });
  world.forget();
  await world.set('deploying', watched);
  expect(world.count.describes).toBe(1);
});
