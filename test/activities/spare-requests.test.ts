/** What is left of Plane's rate limit for the writes of runs, however many work items are to be healed at once. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { createSpareRequests } from '../../activities/spare-requests.ts';
import { type GuardServers, guardServers } from './guard/servers.ts';
import { type GuardWorld, guardWorld } from './guard/world.ts';

let servers: GuardServers;
beforeAll(async () => {
  servers = await guardServers();
});
afterAll(() => servers.close());

const LIMIT = 60;
const KEEP = 20;
/** The most requests of one look. */
const LOOK = 5;

/** A worker on a Plane that takes 60 requests a minute, which counts from now on, and work items that have drifted. */
async function drifted(items: number) {
  // One minute of the rate limit, and the turn of each look, last as long as the test.
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const env = { ORCH_SWEEP_KEEP_REQUESTS: String(KEEP) };
  const world = await guardWorld(servers, { env });
  const another = () =>
    guardWorld(servers, { env: { ...env, ORCH_PLANE_URL: world.url, ORCH_SELF_HOSTING_REPO: world.selfHosting } });
  const keys: string[] = [];
  while (keys.length < items) keys.push(await world.item({ stage: 'done', shown: 'Deploying' }));
  const run = await world.item();
  world.control.setRateLimit(LIMIT);
  const refused = () => world.control.requests().filter(({ status }) => status === 429).length;

  /** Heals these at once, and again where it is not their turn. @returns how many were put off; all the others are healed, and no request was refused. */
  async function heal(by: GuardWorld, some: readonly string[]): Promise<number> {
    const one = async (key: string): Promise<'healed' | 'put off'> => {
      try {
        await by.activities.healWorkItem({ ...world.itemOf(key), reason: 'test' });
        return 'healed';
      } catch (error) {
        expect(error).toMatchObject({ type: 'PlaneBudget' });
        if (!String(error).includes('wait for their turn')) return 'put off';
        await delay(20);
        return one(key);
      }
    };
    const came = await Promise.all(some.map(one));
    const putOff = came.filter((each) => each === 'put off').length;
    expect(some.map(world.shows).filter((shown) => shown !== 'Done')).toHaveLength(putOff);
    expect(refused()).toBe(0);
    return putOff;
  }

  /** A run's own write goes through, with what is left. */
  async function expectRunToWrite(): Promise<void> {
    expect(await world.set('deploying', run)).toMatchObject({ wrote: true });
    expect(refused()).toBe(0);
  }

  return { world, another, keys, heal, left: () => LIMIT - world.control.requests().length, expectRunToWrite };
}

test('30 healings at once: those that would take what is kept for runs are put off, and no request is refused', async () => {
  const { world, keys, heal, left, expectRunToWrite } = await drifted(30);
  expect(await heal(world, keys)).toBe(18); // the first one takes 5, as it asks for project and states, and the next ones 3 each
  expect(left()).toBe(22);
  await expectRunToWrite();
});

test('two workers on one key leave about the same: one look less at the most', async () => {
  const { world, another, keys, heal, left, expectRunToWrite } = await drifted(30);
  const other = await another();
  const putOff = await Promise.all([heal(world, keys.slice(0, 15)), heal(other, keys.slice(15))]);
  for (const each of putOff) expect(each).toBeGreaterThan(0);
  expect(left()).toBeGreaterThanOrEqual(KEEP - LOOK);
  await expectRunToWrite();
});

test('a worker that knows nothing yet of what another one has used finds out with one look', async () => {
  const { world, another, keys, heal, left, expectRunToWrite } = await drifted(30);
  const other = await another();
  await heal(world, keys.slice(0, 15));
  expect(left()).toBe(22);
  expect(await heal(other, keys.slice(15))).toBe(14);
  expect(left()).toBe(22 - LOOK);
  await expectRunToWrite();
});

test('a handful wait for their turn, the others are put off at once: each holds an activity slot', async () => {
  const withSpareRequests = createSpareRequests(() => null, KEEP);
  let end = (): void => {};
  const looks = Array.from({ length: 10 }, (_, n) =>
    withSpareRequests(async () => {
      if (n === 0) await new Promise<void>((resolve) => (end = resolve));
      return n;
    }),
  );
  const putOff = Promise.allSettled(looks.slice(5));
  expect(await putOff).toEqual(
    Array.from({ length: 5 }, () => ({
      status: 'rejected',
      reason: expect.objectContaining({ type: 'PlaneBudget', nextRetryDelay: 5_000 }),
    })),
  );
  end();
  expect(await Promise.all(looks.slice(0, 5))).toEqual([0, 1, 2, 3, 4]);
  expect(await withSpareRequests(async () => 'another')).toBe('another');
});

test('who has waited too long for its turn does not look: its activity may have been given up', async () => {
  const withSpareRequests = createSpareRequests(() => null, KEEP);
  const looked: string[] = [];
  let failFirst = (): void => {};
  const first = withSpareRequests(
    () => new Promise((_, reject) => (failFirst = () => reject(new Error('Plane hangs')))),
  );
  const second = withSpareRequests(async () => looked.push('second'));
  const spy = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 10_001);
  try {
    failFirst();
    await expect(first).rejects.toThrow('Plane hangs');
    await expect(second).rejects.toMatchObject({ type: 'PlaneBudget', nextRetryDelay: 5_000 });
    await withSpareRequests(async () => looked.push('third'));
    expect(looked).toEqual(['third']);
  } finally {
    spy.mockRestore();
  }
});
