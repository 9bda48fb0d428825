import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { migrate } from '../../adapters/postgres/migrate.ts';
import { missingSearchAttributes } from '../../adapters/temporal/search-attributes.ts';
import { startPostgresServer } from '../../demo/servers/postgres-server.ts';
import { startTemporalServer } from '../../demo/servers/temporal-server.ts';
import { runHere } from '../client/run-cli.ts';
import { emptyDatabase, type FreshDatabase } from '../setup/database.ts';
import { STEERING } from '../setup/hostile.ts';
import { PATIENCE_MS } from '../setup/patience.ts';
import { type System, startSystem } from './harness.ts';
import { TO_DONE } from './item.ts';
import { withSystem } from './with-system.ts';
import { startWorkerProcess } from './worker-process.ts';

// What a worker does at its start: what only a person can mend stops it, with all of it told at once; what may come back
// by itself does not. `d2d doctor` says the same from outside.

let system: System;
let bare: FreshDatabase;
beforeAll(async () => {
  [system, bare] = await Promise.all([startSystem(), emptyDatabase()]);
});
afterAll(async () => {
  await system.close();
  await bare.close();
});

const faultsOf = (log: readonly { readonly level: string; readonly msg: string }[]): string[] =>
  log.filter(({ level }) => level === 'error').map(({ msg }) => msg);

test.concurrent('bad settings: all faults at once on stderr, exit code 78, and doctor lists the same', async () => {
  const env = {
    ORCH_POST_DEPLOY_5XX_THRESHOLD: '5',
    ORCH_POST_DEPLOY_WINDOW_SECONDS: '15m',
    ORCH_PLANE_API_KEY: '',
    ORCH_REPOSITORIES_FILE: await system.file('broken.yaml', 'repositories:\n\tshop: {}\n'),
    TEMPORAL_ADDRESS: 'http://localhost:7233',
  };
  const worker = await system.spawnWorker(env);
  expect(await worker.ended).toEqual({ code: 78, signal: null });
  const [head, ...faults] = worker.stderr().trim().split('\n');
  expect(head).toBe('The worker cannot start, 5 settings are wrong:');
  expect(faults.map((fault) => fault.trim())).toEqual([
    expect.stringMatching(/^ORCH_PLANE_API_KEY must be set/),
    'ORCH_POST_DEPLOY_WINDOW_SECONDS must be a number of seconds within 0.2..604800, got "15m" (without a unit: write 900)',
    'ORCH_POST_DEPLOY_5XX_THRESHOLD must be within 0..1, got "5" (a ratio: write 0.05)',
    expect.stringMatching(/broken\.yaml:2:1 is not the YAML that is read here: Tabs are not allowed as indentation/),
    'TEMPORAL_ADDRESS must be host:port without a scheme, got "http://localhost:7233"',
  ]);
  const doctor = await runHere(system.env(env), 'doctor');
  expect(doctor.code).not.toBe(0);
  for (const fault of faults) expect(doctor.stdout + doctor.stderr).toContain(fault.trim());
});

test.concurrent('what a setting holds does not steer the terminal of whoever starts the worker', async () => {
  const env = { ORCH_POST_DEPLOY_WINDOW_SECONDS: '15m\u001b[2J\u202e', TEMPORAL_ADDRESS: 'http://x\u009b2J\u200b' };
  const worker = await system.spawnWorker(env);
  expect(await worker.ended).toEqual({ code: 78, signal: null });
  expect(worker.stderr()).toContain('The worker cannot start, 2 settings are wrong:');
  expect(worker.stderr()).not.toMatch(STEERING);
});

test.concurrent('.env of the current folder is read, the environment wins, and the log says so', async ({
  onTestFinished,
}) => {
  const { PATH = '', HOME = '', ...settings } = system.env();
  const cwd = await mkdtemp(join(tmpdir(), 'd2d-env-'));
  onTestFinished(() => rm(cwd, { recursive: true, force: true }));
  const file = join(cwd, '.env');
  const lines = Object.entries({ ...settings, ORCH_LOG_LEVEL: 'info', TEMPORAL_NAMESPACE: '', TEMPORAL_API_KEY: '' });
  await writeFile(file, lines.map(([name, value]) => `${name}="${value}"\r\n`).join(''));

  const worker = await startWorkerProcess({ PATH, HOME, ORCH_TASK_QUEUE: 'from-the-environment' }, cwd);
  onTestFinished(() => worker.kill());
  expect(await worker.said('settings were read from .env; the environment wins')).toMatchObject({ file });
  expect(await worker.said('the worker is ready')).toMatchObject({ task_queue: 'from-the-environment' });

  await writeFile(file, 'ORCH_TASK_QUEUE\n');
  const stopped = await startWorkerProcess({ PATH, HOME, ...settings }, cwd);
  expect(await stopped.ended).toEqual({ code: 78, signal: null });
  expect(stopped.stderr()).toBe(
    `The worker cannot start: ${file}:1 must be NAME=value, or a comment that begins with #\n`,
  );
});

/** What is wrong with the world, the messages of the worker (in pieces, as ids are in between), by a change of its environment. */
const WRONG: readonly (readonly [string, () => Record<string, string>, readonly string[]])[] = [
  [
    'the table is missing',
    () => ({ DATABASE_URL: bare.url }),
    [
      'The database has no table tasks on its search path: make it with d2d migrate, or name its schema in the database URL.',
    ],
  ],
  [
    'the database does not exist',
    () => ({ DATABASE_URL: bare.url.replace(/\/[^/?]*(\?|$)/, '/nope$1') }),
    ['Postgres is not available: database "nope" does not exist'],
  ],
  [
    'the API key is wrong',
    () => ({ ORCH_PLANE_API_KEY: 'plane_api_wrong' }),
    ['The API key is wrong, expired or revoked: give a valid one.'],
  ],
  [
    'the Plane project is unknown',
    () => ({ ORCH_PLANE_PROJECT: 'NOPE' }),
    ['has no project "NOPE" that this key sees. It sees '],
  ],
  [
    'a Plane state is missing',
    () => ({ ORCH_PLANE_STATE_MONITORING: 'Watching' }),
    ['the project has no state "Watching". It has ', 'Create it, or set the name that is there.'],
  ],
  [
    'the Temporal namespace is missing',
    () => ({ TEMPORAL_NAMESPACE: 'nowhere' }),
    [
      'The Temporal namespace nowhere does not exist: correct TEMPORAL_NAMESPACE, or create it (temporal operator namespace create --namespace nowhere).',
    ],
  ],
  [
    'the Plane state for degraded work is missing',
    () => ({ ORCH_PLANE_STATE_DEGRADED: 'Degraded' }),
    ['the project has no state "Degraded". It has ', 'Create it, or set the name that is there.'],
  ],
];

test.concurrent.each(WRONG)(
  '%s: the worker says so and does not start, and so does doctor',
  async (_, change, messages) => {
    const worker = await system.spawnWorker(change());
    expect(await worker.ended).toEqual({ code: 78, signal: null });
    const faults = faultsOf(worker.log());
    expect(faults).toHaveLength(1);
    for (const message of messages) expect(faults[0]).toContain(message);
    const doctor = await runHere(system.env(change()), 'doctor');
    expect(doctor.code).toBe(1);
    expect(doctor.stdout).toContain(faults[0]?.replaceAll(/\s+/g, ' '));
  },
);

test.concurrent('all faults of its surroundings are reported at once', async () => {
  const env = Object.assign({}, ...[0, 4, 5].map((index) => WRONG[index]?.[1]() ?? {}));
  const worker = await system.spawnWorker(env);
  expect(await worker.ended).toEqual({ code: 78, signal: null });
  expect(faultsOf(worker.log())).toHaveLength(3);
});

describe.concurrent('Temporal is unreachable', () => {
  test('nobody listens: the worker ends by itself and names the address', async () => {
    const worker = await system.spawnWorker({ TEMPORAL_ADDRESS: '127.0.0.1:1' });
    expect(await worker.ended).toEqual({ code: 1, signal: null });
    expect(worker.stderr()).toMatch(
      /^The worker has failed: Temporal at 127\.0\.0\.1:1 cannot be reached \(.*\): check TEMPORAL_ADDRESS and the network\n$/,
    );
  });

  test('something listens and never answers: the same', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const worker = await system.spawnWorker({ TEMPORAL_ADDRESS: `127.0.0.1:${port}` });
    expect(await worker.ended).toEqual({ code: 1, signal: null });
    expect(worker.stderr()).toContain(`Temporal at 127.0.0.1:${port} cannot be reached`);
    silent.close();
  });
});

test.concurrent('on a server without the search attributes the worker registers them', async () => {
  const server = await startTemporalServer({ cli: inject('temporalCli'), ui: 'off' });
  try {
    const worker = await system.startWorker({ TEMPORAL_ADDRESS: server.address });
    const { Connection } = await import('@temporalio/client');
    const connection = await Connection.connect({ address: server.address, connectTimeout: PATIENCE_MS });
    expect(await missingSearchAttributes(connection, 'default')).toEqual([]);
    await connection.close();
    await worker.kill();
  } finally {
    await server.stop();
  }
});

describe.concurrent('what may come back by itself does not stop it', () => {
  test('Plane is away: it warns, starts, and works once Plane is back', () =>
    withSystem({}, async ({ plane, startWorker }, item) => {
      await plane.control.refuseConnections();
      const worker = await startWorker();
      const warning = worker.log().find(({ level, check }) => level === 'warn' && check === 'plane');
      expect(warning?.msg).toMatch(
        /the connection was refused\. Is Plane running, and is the URL right\? Until it is back, statuses are late\.$/,
      );
      await plane.control.acceptConnections();
      await item.start();
      expect(await item.result()).toMatchObject({ outcome: 'done' });
      expect(item.history()).toEqual(TO_DONE);
    }));

  test('the key is used up: it warns, and starts', () =>
    withSystem({}, async ({ plane, startWorker }) => {
      plane.control.setRateLimit(1, 3_600_000);
      const worker = await startWorker();
      const warnings = worker.log().filter(({ level }) => level === 'warn');
      expect(warnings.map(({ msg }) => msg).join('\n')).toMatch(
        /of Plane's rate limit 0 requests are left, .* Until it is back, statuses are late\./,
      );
    }));

  test('Postgres is away: it warns, starts, and works once Postgres is back', async () => {
    const postgres = await startPostgresServer();
    try {
      const databaseUrl = await postgres.createDatabase();
      await migrate({ url: databaseUrl });
      await withSystem({ databaseUrl }, async ({ startWorker }, item) => {
        await postgres.pause();
        const worker = await startWorker();
        const warning = worker.log().find(({ level, check }) => level === 'warn' && check === 'database');
        expect(warning?.msg).toMatch(
          /^Postgres is not available: .*; until it is back, deploys wait and statuses are late$/,
        );
        await item.start();
        await postgres.resume();
        expect(await item.result()).toMatchObject({ outcome: 'done' });
        expect(item.history()).toEqual(TO_DONE);
      });
    } finally {
      await postgres.stop();
    }
  });
});
