import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, test } from 'vitest';
import { createDeploy } from '../../activities/deploy.ts';
import type { DriverConfig } from '../../adapters/deploy/driver.ts';
import { createDriverFor } from '../../adapters/deploy/drivers.ts';
import { activityEnvironment, inActivity } from '../adapters/deploy/in-activity.ts';
import { recordingLog } from '../adapters/deploy/operation.ts';
import { isAlive, STUBBORN_FAMILY } from '../adapters/deploy/processes.ts';
import { refusingUrl, serve, serveTcp } from '../adapters/http-probe/server.ts';
import { eventually } from '../setup/eventually.ts';
import { PATIENCE_MS } from '../setup/patience.ts';

const request = { repo: 'shop', workItem: 'ORCH-61', version: 'v2', operationId: `${randomUUID()}:deploy` };

const command = (script: string, change: { idempotent?: boolean; timeoutMs?: number } = {}): DriverConfig => ({
  driver: 'command',
  command: [process.execPath, '-e', script],
  cwd: null,
  env: {},
  timeoutMs: PATIENCE_MS,
  idempotent: false,
  ...change,
});

const webhook = (url: string, idempotent: boolean): DriverConfig => ({
  driver: 'webhook',
  url,
  headers: {},
  statusUrl: null,
  pollMs: 10,
  timeoutMs: PATIENCE_MS,
  idempotent,
});

function activity(config: DriverConfig | undefined, attempt = 1) {
  const log = recordingLog();
  const driverFor = createDriverFor({ environment: { PATH: process.env['PATH'] }, graceMs: 200 });
  const { deploy } = createDeploy({ repository: () => config && { deploy: config }, driverFor, log });
  const environment = activityEnvironment(attempt);
  return { log, environment, run: () => inActivity(() => deploy(request), environment) };
}

const failure = (running: Promise<unknown>): Promise<unknown> =>
  running.then(
    () => 'it did not fail',
    (error: unknown) => error,
  );

test('a deploy that works is a result, and logged', async () => {
  const { run, log } = activity(command('console.log("up")'));
  expect(await run()).toEqual({ ok: true, detail: 'up' });
  expect(log.entries.map(({ message }) => message)).toEqual([
    'deploy begins',
    'deploy command output',
    'deploy succeeded',
  ]);
});

test('a deploy that fails or takes too long is a result', async () => {
  const failing = activity(command('process.exitCode = 2'));
  expect(await failing.run()).toEqual({
    ok: false,
    detail: 'the command ended with code 2; it wrote nothing',
  });
  const slow = activity(command('setInterval(() => {}, 1000)', { timeoutMs: 100 }));
  expect(await slow.run()).toMatchObject({
    ok: false,
    detail: expect.stringMatching(/^timed out after 100 ms/),
  });
});

test('a worker whose settings have no driver for it begins nothing, and another one may have it', async () => {
  await expect(activity(undefined).run()).rejects.toMatchObject({
    type: 'NotDescribedHere',
    message: 'nothing was deployed: repository "shop" is not described in the settings',
  });
  await expect(activity({ driver: 'external', timeoutMs: 1_000 }).run()).rejects.toMatchObject({
    type: 'NotDescribedHere',
    message: 'nothing was deployed: shop is deployed by others (driver external)',
  });
});

test('heartbeats reach Temporal', async () => {
  let heard = false;
  const url = await serve((_, response) => {
    response.end(`{"status":"${heard ? 'succeeded' : 'running'}","statusUrl":"/status"}`);
  });
  const { run, environment } = activity(webhook(url, false));
  environment.on('heartbeat', () => {
    heard = true;
  });
  expect(await run()).toMatchObject({ ok: true });
});

/** The pids of a stubborn family once it runs; it is to be stopped by the test. */
async function family(log: ReturnType<typeof recordingLog>): Promise<number[]> {
  return eventually(() => {
    const line = JSON.stringify(log.entries).match(/ready (\d+) (\d+)/);
    expect(line).not.toBeNull();
    return line?.slice(1).map(Number) ?? [];
  });
}

test('a cancel by the workflow is passed on once the whole process group is dead', async () => {
  const { run, log, environment } = activity(command(STUBBORN_FAMILY));
  const running = failure(run());
  const pids = await family(log);
  environment.cancel('CANCELLED');
  expect(await running).toMatchObject({ name: 'CancelledFailure', message: 'CANCELLED' });
  expect(pids.map(isAlive)).toEqual([false, false]);
});

test.each([false, true])(
  'a worker that shuts down interrupts the deploy; retried only if idempotent: %s',
  async (idempotent) => {
    const { run, log, environment } = activity(command(STUBBORN_FAMILY, { idempotent }));
    const running = failure(run());
    const pids = await family(log);
    environment.cancel('WORKER_SHUTDOWN');
    expect(await running).toMatchObject({
      name: 'ApplicationFailure',
      type: 'DeployInterrupted',
      nonRetryable: !idempotent,
      message: 'the deploy was stopped half-way: its worker shut down',
    });
    expect(pids.map(isAlive)).toEqual([false, false]);
  },
);

test.each([false, true])(
  'a deploy of which nobody knows is interrupted too; retried only if idempotent: %s',
  async (idempotent) => {
    const url = await serveTcp((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const { run } = activity(webhook(url, idempotent));
    expect(await failure(run())).toMatchObject({
      type: 'DeployInterrupted',
      nonRetryable: !idempotent,
      message: expect.stringMatching(/^nobody knows whether the deploy has begun/),
    });
  },
);

test.each([false, true])(
  'a deploy whose command somebody else ended is interrupted too; retried only if idempotent: %s',
  async (idempotent) => {
    const { run } = activity(command(`process.kill(process.pid, 'SIGTERM')`, { idempotent }));
    expect(await failure(run())).toMatchObject({
      type: 'DeployInterrupted',
      nonRetryable: !idempotent,
      message: 'the command ended by SIGTERM, not by this worker: nobody knows how far it came; it wrote nothing',
    });
  },
);

describe('a later try that did not begin says nothing of the earlier ones', () => {
  const refusing = () => serve((_, response) => void response.writeHead(409).end('it runs already'));
  const NOBODY =
    /^nobody knows whether the deploy has happened: an earlier try may have begun it, and try 2 could not: /;

  test.each<[string, () => Promise<DriverConfig>]>([
    ['the deployer refuses it', async () => webhook(await refusing(), true)],
    ['nothing could be sent', async () => webhook(await refusingUrl(), true)],
    [
      'the command cannot be started',
      async () => ({ ...command('', { idempotent: true }), command: ['/no/such/program'] }),
    ],
  ])('%s', async (_, config) => {
    const given = await config();
    expect(await activity(given).run()).toMatchObject({ ok: false });
    expect(await failure(activity(given, 2).run())).toMatchObject({
      type: 'DeployInterrupted',
      message: expect.stringMatching(NOBODY),
    });
  });

  test.each<[string, DriverConfig | undefined]>([
    ['the settings no longer describe it', undefined],
    ['others deploy it now', { driver: 'external', timeoutMs: 1_000 }],
  ])('%s', async (_, given) => {
    expect(await failure(activity(given, 2).run())).toMatchObject({
      type: 'DeployInterrupted',
      message: expect.stringMatching(NOBODY),
    });
  });

  test('what it brought to an end is the result, and not what began it', async () => {
    const failing = await serve((_, response) => void response.end('{"status":"failed","detail":"no image"}'));
    expect(await activity(webhook(failing, true), 2).run()).toEqual({ ok: false, detail: 'no image' });
    expect(await activity(webhook(await refusing(), true)).run()).toEqual({
      ok: false,
      detail: 'the deployer answered 409: it runs already',
    });
  });
});

test('nobody knows how far a driver that breaks has come', async () => {
  const { deploy } = createDeploy({
    repository: () => ({ deploy: command('') }),
    driverFor: () => ({ run: () => Promise.reject(new Error('out of ideas')) }),
    log: recordingLog(),
  });
  await expect(inActivity(() => deploy(request))).rejects.toMatchObject({
    type: 'DeployInterrupted',
    nonRetryable: true,
    message: 'the driver broke, and nobody knows how far the deploy came: out of ideas',
  });
});

describe('a driver that needs a person', () => {
  const asking = (signal: (name: unknown, payload: unknown) => Promise<void>) => {
    const asked: unknown[] = [];
    const client = {
      withAbortSignal: (_: AbortSignal, run: () => unknown) => run(),
      workflow: {
        getHandle: (...run: unknown[]) => {
          asked.push(run);
          return { signal };
        },
      },
    } as unknown as Client;
    const log = recordingLog();
    const { deploy } = createDeploy({
      repository: () => ({ deploy: command('') }),
      driverFor: () => ({
        async run(_, { callSomebody }) {
          const called = await callSomebody('its status URL answers 401').then(
            () => 'called',
            () => 'not called',
          );
          return { ok: true, detail: called };
        },
      }),
      log,
    });
    const environment = new MockActivityEnvironment(
      { workflowExecution: { workflowId: 'deploy/shop/ORCH-61', runId: 'run-1' } },
      { client },
    );
    return { asked, log, run: () => inActivity(() => deploy(request), environment) };
  };

  test('has its workflow told, which calls somebody', async () => {
    const sent: unknown[] = [];
    const { asked, run } = asking(async (signal, payload) => void sent.push(signal, payload));
    expect(await run()).toEqual({ ok: true, detail: 'called' });
    expect(asked).toEqual([['deploy/shop/ORCH-61', 'run-1']]);
    expect(sent).toEqual([
      expect.objectContaining({ name: 'driverStuck' }),
      { kind: 'deploy', text: 'its status URL answers 401' },
    ]);
  });

  test('hears where that is not possible, and goes on', async () => {
    const { log, run } = asking(() => Promise.reject(new Error('Temporal is away')));
    expect(await run()).toEqual({ ok: true, detail: 'not called' });
    expect(log.entries.map(({ message }) => message)).toContain(
      'the driver needs a person, but its workflow could not be signalled',
    );
  });
});
