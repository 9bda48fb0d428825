/** Stale setters all at once (invariant 4): what the lock and the skip of a same-state write make of them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DeployPhaseStatus } from '../../decisions/index.ts';
import { type GuardServers, guardServers } from './guard/servers.ts';
import { type GuardWorld, guardWorld, TARGETS } from './guard/world.ts';

let servers: GuardServers;
beforeAll(async () => {
  servers = await guardServers();
});
afterAll(() => servers.close());

const ROUNDS = 12;
const AT_ONCE = 8;

/** Which setter the nth caller of a round calls: all three in every round, in another order each time. */
const targetOf = (round: number, caller: number): DeployPhaseStatus =>
  TARGETS[(caller * (1 + (round % 2)) + round) % TARGETS.length] ?? 'monitoring';

/** `AT_ONCE` setters at once, `ROUNDS` times. */
async function hammer(world: GuardWorld, key: string, each: (round: number) => Promise<void> = async () => {}) {
  for (let round = 0; round < ROUNDS; round += 1) {
    const callers = Array.from({ length: AT_ONCE }, (_, caller) => world.set(targetOf(round, caller), key));
    await Promise.all([...callers, each(round)]);
  }
}

/** A read of a work item, and the write that rests on it, follow one another: nobody else's request comes between. */
function expectWritesToFollowTheirReads(world: GuardWorld): void {
  const ofItems = world.control.requests().filter(({ path }) => path.includes('/work-items/'));
  ofItems.forEach(({ method }, at) => {
    if (method === 'PATCH') expect(ofItems[at - 1]?.method).toBe('GET');
  });
}

test('during the window: 96 stale calls leave Monitoring, written once', async () => {
  const world = await guardWorld(servers);
  const key = await world.item({ stage: 'done', window: 'open', shown: 'Deploying' });
  await hammer(world, key);
  expect(world.history(key)).toEqual(['Monitoring after Deploy']);
  expect(world.patches()).toBe(1);
  expect(world.logged()).toHaveLength(ROUNDS * AT_ONCE);
});

test('after the window: 96 stale calls leave Done, written once', async () => {
  const world = await guardWorld(servers);
  const key = await world.item({ stage: 'done', window: 'closed', shown: 'Monitoring after Deploy' });
  await hammer(world, key);
  expect(world.history(key)).toEqual(['Done']);
  expect(world.patches()).toBe(1);
});

test('the window closes amid them: Monitoring, then Done, and never back', async () => {
  const world = await guardWorld(servers);
  const key = await world.item({ stage: 'done', window: 'open', shown: 'Deploying' });
  await hammer(world, key, async (round) => {
    if (round === ROUNDS / 2) await servers.tellWindow(world.selfHosting, key, 'closed');
  });
  expect(world.history(key)).toEqual(['Monitoring after Deploy', 'Done']);
});

test('the task is done amid them, without a window: once Done is shown it stays', async () => {
  const world = await guardWorld(servers);
  const key = await world.item();
  await hammer(world, key, async (round) => {
    if (round === ROUNDS / 2) await servers.setStage(key, 'done');
  });
  const shown = world.history(key);
  expect(shown.indexOf('Done')).toBe(shown.length - 1);
  expectWritesToFollowTheirReads(world);
});

test('on a task that is not terminal each write follows its own read: the lock excludes', async () => {
  const world = await guardWorld(servers);
  const key = await world.item();
  world.control.fault({ mode: 'slow', ms: 3 });
  await hammer(world, key);
  expectWritesToFollowTheirReads(world);
  expect(world.patches()).toBe(world.history(key).length); // no write that changed nothing
  expect(world.patches()).toBeGreaterThan(ROUNDS);
});

test('it is cancelled amid them: from then on nobody writes', async () => {
  const world = await guardWorld(servers);
  const key = await world.item({ stage: 'done', window: 'open', shown: 'Monitoring after Deploy' });
  await hammer(world, key, async (round) => {
    if (round === 0) await servers.setStage(key, 'cancelled');
  });
  world.control.uiSetState(key, 'Cancelled');
  await hammer(world, key);
  expect(world.shows(key)).toBe('Cancelled');
  expect(world.patches()).toBe(0);
});

test('two workers with a Plane client each exclude one another as well', async () => {
  const world = await guardWorld(servers);
  const key = await world.item({ stage: 'done', window: 'closed', shown: 'Deploying' });
  const other = await guardWorld(servers, {
    env: { ORCH_PLANE_URL: world.url, ORCH_SELF_HOSTING_REPO: world.selfHosting },
  });
  await Promise.all(
    [world, other, world, other].flatMap(({ activities: { setAwaitingDeploy, convergeDone } }) => [
      setAwaitingDeploy(world.request(key)),
      convergeDone(world.request(key)),
    ]),
  );
  expect(world.history(key)).toEqual(['Done']);
  expect(world.patches()).toBe(1);
});

test('different work items do not wait for one another, however many callers wait for one of them', async () => {
  const world = await guardWorld(servers);
  const [held, free] = [await world.item(), await world.item()];
  const letGo = await servers.holdLock(held);
  const waiting = Array.from({ length: 12 }, () => world.set('deploying', held)); // more than there are connections
  await world.set('deploying', free);
  expect(world.history(free)).toEqual(['Deploying']);
  await letGo();
  await Promise.all(waiting);
  expect(world.history(held)).toEqual(['Deploying']);
});
