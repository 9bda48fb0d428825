import { MockActivityEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { activityInterceptors } from '../../activities/interceptor.ts';
import { PlaneUnknownState } from '../../adapters/plane/errors.ts';
import { dataConverter } from '../../adapters/temporal/workflow-source.ts';
import { SET_STATUS_WORKFLOW } from '../../workflows/messages.ts';
import { unique, workflowBundle } from '../setup/temporal.ts';
import { type GuardServers, guardServers } from './guard/servers.ts';
import { type GuardWorld, guardWorld } from './guard/world.ts';

let servers: GuardServers;
beforeAll(async () => {
  servers = await guardServers();
});
afterAll(() => servers.close());

describe('heartbeats', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test.each([
    { activityType: 'setDeploying', isLocal: false, beats: 3 },
    { activityType: 'completeTask', isLocal: false, beats: 3 },
    { activityType: 'observe', isLocal: true, beats: 0 },
    { activityType: 'deploy', isLocal: false, beats: 0 }, // it says by itself how far it is
    { activityType: 'rollback', isLocal: false, beats: 0 },
    { activityType: 'checkHealth', isLocal: false, beats: 0 },
  ])('$activityType, local $isLocal: $beats in 6 s, and none once it has ended', async ({ beats, ...info }) => {
    vi.useFakeTimers();
    const environment = new MockActivityEnvironment(info, { interceptors: [activityInterceptors] });
    let beaten = 0;
    environment.on('heartbeat', () => {
      beaten += 1;
    });
    const running = environment.run(() => new Promise((end) => setTimeout(end, 6_500)));
    await vi.advanceTimersByTimeAsync(6_500);
    await running;
    expect(beaten).toBe(beats);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(beaten).toBe(beats);
  });

  test('nor once it has failed; its error is translated', async () => {
    vi.useFakeTimers();
    const environment = new MockActivityEnvironment({}, { interceptors: [activityInterceptors] });
    const beat = vi.fn();
    environment.on('heartbeat', beat);
    const failure = { method: 'GET', path: '/', status: null, writeMayHaveApplied: false };
    const running = environment.run(() => Promise.reject(new PlaneUnknownState('no such state.', failure)));
    await expect(running).rejects.toMatchObject({ type: 'PlaneUnknownState', nonRetryable: true });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(beat).not.toHaveBeenCalled();
  });
});

describe('on a real worker', () => {
  /** One guarded write by the exported workflow. */
  async function setStatus(world: GuardWorld, workItem: string) {
    const { client, nativeConnection: connection } = servers.temporal;
    const taskQueue = unique('interceptor');
    const worker = await Worker.create({
      connection,
      taskQueue,
      workflowBundle: workflowBundle(),
      dataConverter: dataConverter(),
      activities: world.activities,
      interceptors: { activity: [activityInterceptors] },
    });
    const input = { repo: world.selfHosting, workItem, status: 'deploying', caller: 'test' };
    return worker.runUntil(
      client.workflow.execute(SET_STATUS_WORKFLOW, { taskQueue, workflowId: unique('set'), args: [input] }),
    );
  }

  test('a rate limit: the next attempt comes no sooner than Plane has asked for', async () => {
    const world = await guardWorld(servers);
    const key = await world.item();
    const headers = { 'retry-after': '2' };
    world.control.fault({ mode: 'status', status: 429, headers, match: { method: 'PATCH', times: 1 } });
    expect(await setStatus(world, key)).toMatchObject({ verdict: 'ALLOW', wrote: true });
    const [refused, taken] = world.control.requests().filter(({ method }) => method === 'PATCH');
    expect((taken?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThanOrEqual(2_000); // Temporal's own first interval is 1 s
  });

  test('what only a person can mend ends it with the first attempt', async () => {
    const world = await guardWorld(servers);
    const key = await world.item();
    world.control.revokeKey(world.apiKey);
    await expect(setStatus(world, key)).rejects.toMatchObject({
      cause: { cause: { type: 'PlaneUnauthorized', nonRetryable: true } },
    });
    expect(world.asked()).toEqual(['GET']);
  });
});
