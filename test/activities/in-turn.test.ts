// What is left of Plane's rate limit for the writes of runs, however many work items are to be healed at once. All the rest:
// test/adapters/plane/budget.test.ts
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { asFailure } from '../../activities/failures.ts';
import { type GuardServers, guardServers } from './guard/servers.ts';
import { type GuardWorld, guardWorld } from './guard/world.ts';

let servers: GuardServers;
beforeAll(async () => {
  servers = await guardServers();
});
afterAll(() => servers.close());

const LIMIT = 60;
/** What a healing leaves to runs, and the most requests that it takes. */
const KEPT = 10;
const LOOK = 5;

/** A worker on a Plane that takes 60 requests a minute, which counts from now on, and work items that have drifted. */
async function drifted(items: number) {
  // One minute of the rate limit, and the turn of each look, last as long as the test.
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const world = await guardWorld(servers);
  const another = () =>
    guardWorld(servers, { env: { ORCH_PLANE_URL: world.url, ORCH_SELF_HOSTING_REPO: world.selfHosting } });
  const keys: string[] = [];
  while (keys.length < items) keys.push(await world.item({ stage: 'done', shown: 'Deploying' }));
  const run = await world.item();
  world.control.setRateLimit(LIMIT);
  const refused = () => world.control.requests().filter(({ status }) => status === 429).length;

  /** Heals these at once, and again where it is not their turn. @returns how many were put off; all the others are healed. */
  async function heal(by: GuardWorld, some: readonly string[]): Promise<number> {
    const one = async (key: string): Promise<'healed' | 'put off'> => {
      try {
        await by.activities.healWorkItem({ ...world.itemOf(key), reason: 'test' });
        return 'healed';
      } catch (error) {
        expect(['PlaneBudget', 'PlaneRateLimited']).toContain(Reflect.get(Object(asFailure(error)), 'type'));
        if (!String(error).includes('wait for their turn already')) return 'put off';
        await delay(20);
        return one(key);
      }
    };
    const came = await Promise.all(some.map(one));
    const putOff = came.filter((each) => each === 'put off').length;
    expect(some.map(world.shows).filter((shown) => shown !== 'Done')).toHaveLength(putOff);
    return putOff;
  }

  /** A run's own write goes through, with what is left. */
  async function expectRunToWrite(): Promise<void> {
    expect(await world.set('deploying', run)).toMatchObject({ wrote: true });
  }

  return { world, another, keys, heal, left: () => LIMIT - world.control.requests().length, refused, expectRunToWrite };
}

test('30 healings at once: those that would take what is kept for runs are put off, and no request is refused', async () => {
  const { world, keys, heal, left, expectRunToWrite } = await drifted(30);
  const putOff = await heal(world, keys);
  expect(putOff).toBeGreaterThan(5);
  expect(putOff).toBeLessThan(22);
  expect(left()).toBeGreaterThanOrEqual(KEPT);
  expect(left()).toBeLessThan(KEPT + 2 * LOOK);
  await expectRunToWrite();
});

test('two workers on one key leave something to runs, too', async () => {
  const { world, another, keys, heal, expectRunToWrite } = await drifted(30);
  const other = await another();
  const putOff = await Promise.all([heal(world, keys.slice(0, 15)), heal(other, keys.slice(15))]);
  expect(putOff.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(0);
  await expectRunToWrite();
});

test('a worker that knows nothing yet of what another one has used finds out by its first requests', async () => {
  const { world, another, keys, heal, left, expectRunToWrite } = await drifted(30);
  const other = await another();
  await heal(world, keys.slice(0, 16));
  const before = left();
  expect(before).toBeLessThan(KEPT + 2 * LOOK);
  await heal(other, keys.slice(16));
  expect(before - left()).toBeLessThanOrEqual(3 * LOOK);
  await expectRunToWrite();
});

test('a setter whose requests are not left takes no lock, and asks for nothing', async () => {
  const { world } = await drifted(0);
  const key = await world.item();
  const set = () => world.set(world.shows(key) === 'Deploying' ? 'awaiting_deploy' : 'deploying', key);
  await expect(
    (async () => {
      for (let n = 0; n < LIMIT; n += 1) await set();
    })(),
  ).rejects.toThrow('it would not get its turn soon');
  world.forget();
  await expect(set()).rejects.toThrow('it would not get its turn soon');
  expect([world.count.lockRoundTrips, world.asked().length]).toEqual([0, 0]);
});
