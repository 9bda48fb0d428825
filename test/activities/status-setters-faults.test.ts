/** What a setter makes of a Plane that refuses, stalls or breaks, as Temporal gets it; and what a setter may cost. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FAILURE_TYPES } from '../../activities/failures.ts';
import { activityInterceptors } from '../../activities/interceptor.ts';
import { type GuardServers, guardServers } from './guard/servers.ts';
import { type GuardWorld, guardWorld, TARGETS } from './guard/world.ts';

let servers: GuardServers;
beforeAll(async () => {
  servers = await guardServers();
});
afterAll(() => servers.close());

/** The setter as the worker runs it, behind the interceptor. */
const attempt = (world: GuardWorld, key: string) =>
  new MockActivityEnvironment(
    { activityType: 'setDeploying', scheduledTimestampMs: Date.now(), scheduleToCloseTimeoutMs: 90_000 },
    { interceptors: [activityInterceptors] },
  ).run(world.activities.setDeploying, world.request(key));

/** What Temporal is told of an attempt that fails. */
const failureOf = (world: GuardWorld, key: string): Promise<unknown> =>
  attempt(world, key).then(
    () => new Error('the attempt did not fail'),
    (error: unknown) => error,
  );

describe('writes that fail', () => {
  test('429 under the lock: retried when it is over, and the lock is free again at once', async () => {
    const world = await guardWorld(servers);
    const key = await world.item();
    const headers = { 'retry-after': '7' };
    world.control.fault({ mode: 'status', status: 429, headers, match: { method: 'PATCH', times: 1 } });
    expect(await failureOf(world, key)).toMatchObject({
      name: 'ApplicationFailure',
      type: 'PlaneRateLimited',
      nonRetryable: false,
      nextRetryDelay: 7_000,
    });
    expect(await servers.lockIsFree(key)).toBe(true);
    expect(await attempt(world, key)).toMatchObject({ wrote: true });
    expect(world.history(key)).toEqual(['Deploying']);
  });

  test.each([
    { mode: 'applyThenReset' },
    { mode: 'applyThenStatus', status: 500 },
    { mode: 'applyThenPartial' },
  ] as const)('$mode: the retry finds it applied; one activity row', async (fault) => {
    const world = await guardWorld(servers);
    const key = await world.item();
    world.control.fault({ ...fault, match: { method: 'PATCH', times: 1 } });
    expect(await failureOf(world, key)).toMatchObject({
      ...{ name: 'ApplicationFailure', type: 'PlaneUnavailable', nonRetryable: false },
      message: expect.stringContaining('The write may have been applied'),
      details: [[{ status: 'deploying', answer: expect.stringContaining('PATCH') }]],
    });
    world.control.clearRequests();
    expect(await attempt(world, key)).toMatchObject({ verdict: 'ALLOW', status: 'deploying', wrote: false });
    expect(world.asked()).toEqual(['GET']);
    world.control.settleJobs();
    const { id } = world.control.workItem(key);
    const rows = world.snapshot().activities.filter(({ issue, field }) => issue === id && field === 'state');
    expect(rows).toHaveLength(1);
    expect(world.history(key)).toEqual(['Deploying']);
  });

  test('a write that Plane does not take is no success', async () => {
    const world = await guardWorld(servers);
    const key = await world.item();
    world.control.fault({ mode: 'stateIgnored', match: { method: 'PATCH', times: 1 } });
    expect(await failureOf(world, key)).toMatchObject({ type: 'PlaneUnavailable', nonRetryable: false });
    expect(await attempt(world, key)).toMatchObject({ wrote: true });
    expect(world.shows(key)).toBe('Deploying');
  });

  type Harm = (world: GuardWorld, key: string) => void;
  const FOR_A_PERSON: readonly { type: keyof typeof FAILURE_TYPES; what: string; harm: Harm }[] = [
    { type: 'PlaneUnauthorized', what: 'a revoked key', harm: ({ control, apiKey }) => control.revokeKey(apiKey) },
    {
      type: 'PlaneUnauthorized',
      what: '401',
      harm: ({ control }) => control.fault({ mode: 'status', status: 401, body: { detail: 'who is it?' } }),
    },
    {
      type: 'PlaneForbidden',
      what: 'a guest’s key (403)',
      harm: ({ control }) => control.addMember('ORCH', 'deploy-bot', 5),
    },
    { type: 'PlaneNotFound', what: 'a deleted item (404)', harm: ({ control }, key) => control.deleteWorkItem(key) },
    {
      type: 'PlaneUnknownState',
      what: 'no state of that name',
      harm: ({ control }) => control.renameState('ORCH', 'Deploying', 'Rolling out'),
    },
    {
      type: 'PlaneAmbiguousState',
      what: 'two that differ in case',
      harm({ control }) {
        control.renameState('ORCH', 'Deploying', 'DEPLOYING');
        control.addState('ORCH', { name: 'deploying', group: 'started' });
      },
    },
    { type: 'PlaneMisconfigured', what: 'a web page', harm: ({ control }) => control.fault({ mode: 'html200' }) },
  ];

  test.each(FOR_A_PERSON)(
    '$what: $type, for a person; nothing is written, the lock is free',
    async ({ type, harm }) => {
      const world = await guardWorld(servers);
      const key = await world.item();
      harm(world, key);
      expect(await failureOf(world, key)).toMatchObject({ name: 'ApplicationFailure', type, nonRetryable: true });
      expect(FAILURE_TYPES[type].retry).toBe(false);
      expect(world.control.requests().some(({ applied }) => applied)).toBe(false);
      expect(await servers.lockIsFree(key)).toBe(true);
    },
  );

  test('a state that was made anew under its name: the next attempt finds it (recording 120)', async () => {
    const world = await guardWorld(servers);
    const key = await world.item();
    await world.activities.readStatus(world.request(key)); // its states are known from now on
    world.control.deleteState('ORCH', 'Deploying');
    world.control.addState('ORCH', { name: 'Deploying', group: 'started' });
    expect(await failureOf(world, key)).toMatchObject({
      ...{ type: 'PlaneRejected', nonRetryable: false, message: expect.stringContaining('400') },
    });
    expect(await attempt(world, key)).toMatchObject({ wrote: true });
    expect(world.shows(key)).toBe('Deploying');
  });

  test('the key is in no log line and in no failure', async () => {
    const world = await guardWorld(servers);
    const key = await world.item();
    const echo = `you sent X-Api-Key: ${world.apiKey}`;
    const told: string[] = [];
    for (const status of [400, 401, 403, 404, 500, 429]) {
      world.control.fault({ mode: 'status', status, body: { error: echo }, match: { method: 'PATCH', times: 1 } });
      const error = await failureOf(world, key);
      expect(error).toBeInstanceOf(Error);
      if (error instanceof Error) told.push(error.message, String(error.stack), JSON.stringify(error));
    }
    const written = [...world.lines(), ...told].join('\n');
    expect(world.lines()).toHaveLength(6);
    expect(written).toContain('[key]'); // it was echoed, and struck out
    expect(written).not.toContain(world.apiKey);
  });
});

describe('budgets, by count', () => {
  test.each(TARGETS)(
    '%s, nothing known yet: 3 requests for a change; 3 round trips to Postgres; one describe',
    async (target) => {
      const world = await guardWorld(servers);
      const key = await world.item();
      await world.set(target, key);
      expect(world.asked()).toEqual(['GET', 'GET', 'PATCH']); // the item, the project's states, the write
      expect(world.count).toEqual({ lockRoundTrips: 3, statements: 0, describes: 1 }); // begin and lock, select, commit
    },
  );

  test('everything known: a read and a write; already there: one read', async () => {
    const world = await guardWorld(servers);
    const key = await world.item();
    await world.set('awaiting_deploy', key);
    world.forget();
    await world.set('deploying', key);
    expect(world.asked()).toEqual(['GET', 'PATCH']);
    world.forget();
    await world.set('deploying', key);
    expect(world.asked()).toEqual(['GET']);
    expect(world.count).toEqual({ lockRoundTrips: 3, statements: 0, describes: 1 });
  });

  test.each(['convergeDone', 'settleStatus', 'restoreStatus'] as const)('%s: no more than a setter', async (name) => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage: name === 'restoreStatus' ? 'deploy' : 'done', shown: 'Deploying' });
    const request = { ...world.request(key), before: null };
    await world.activities[name](request);
    expect(world.asked()).toEqual(['GET', 'GET', 'PATCH']);
    expect(world.count).toEqual({ lockRoundTrips: 3, statements: 0, describes: 1 });
  });

  test('suppressed: no request at all', async () => {
    const world = await guardWorld(servers);
    await world.set('deploying', await world.item({ stage: 'cancelled' }));
    expect(world.asked()).toEqual([]);
    expect(world.count).toEqual({ lockRoundTrips: 3, statements: 0, describes: 1 });
  });
});
