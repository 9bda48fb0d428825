import { defaultFailureConverter, defaultPayloadConverter } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { activityInterceptors } from '../../activities/interceptor.ts';
import { createSentWrites, type SentWrite, sentWrites } from '../../activities/sent-writes.ts';
import { PlaneUnavailable, PlaneUnknownState } from '../../adapters/plane/errors.ts';
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

describe('what was sent by the tries before', () => {
  const evidence = { inForce: true, dbStage: 'deploy', windowActive: false };
  const sent = (at: number): SentWrite => ({ at, status: 'deploying', evidence, answer: 'x'.repeat(1_000) });

  async function tried(before: unknown) {
    const environment = new MockActivityEnvironment(
      { heartbeatDetails: before },
      { interceptors: [activityInterceptors] },
    );
    const told: unknown[] = [];
    environment.on('heartbeat', (details) => told.push(structuredClone(details)));
    const failure = await environment
      .run(async () => {
        const writes = sentWrites();
        writes.answered(writes.begin({ at: 20, status: 'deploying', evidence }), 'y'.repeat(1_000));
        throw new PlaneUnavailable('away.', { method: 'PATCH', path: '/', status: 500, writeMayHaveApplied: true });
      })
      .then(
        () => null,
        (error: unknown) => error,
      );
    return { failure, told: told.at(-1) };
  }

  test('the last ten are handed on, with the beginning of the answer', async () => {
    const { told } = await tried(Array.from({ length: 12 }, (_, at) => sent(at)));
    expect(told).toMatchObject([
      ...[3, 4, 5, 6, 7, 8, 9, 10, 11].map((at) => ({ at })),
      { at: 20, answer: `${'y'.repeat(200)}…` },
    ]);
  });

  test('a failure bears the last three of them: the server drops all of one that is longer than 4 KB', async () => {
    const writes = createSentWrites([], () => {});
    for (let at = 1; at <= 12; at += 1)
      writes.answered(writes.begin({ at, status: 'deploying', evidence }), 'x'.repeat(1_000));
    const { failure } = await tried(writes.all);
    expect(failure).toMatchObject({ type: 'PlaneUnavailable', details: [[{ at: 11 }, { at: 12 }, { at: 20 }]] });
    const proto = defaultFailureConverter.errorToFailure(failure, defaultPayloadConverter);
    expect(temporal.api.failure.v1.Failure.encode(proto).finish().length).toBeLessThan(4_096);
  });

  test.each([undefined, null, 'a word', { percent: 5 }])(
    'details that are none of ours are passed over: %j',
    async (before) => {
      expect((await tried(before)).told).toMatchObject([{ at: 20 }]);
    },
  );
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
