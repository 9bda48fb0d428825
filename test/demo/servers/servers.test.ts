import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type PostgresServer, startPostgresServer } from '../../../demo/servers/postgres-server.ts';
import { startTemporalServer } from '../../../demo/servers/temporal-server.ts';
import { eventually } from '../../setup/eventually.ts';
import { PATIENCE_MS } from '../../setup/patience.ts';
import { unique } from '../../setup/temporal.ts';

const cli = inject('temporalCli');

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('a busy port is said, and its owner is not taken for ours', () => {
  let owner: Server;
  let port: number;
  beforeAll(async () => {
    owner = createServer().listen(0, '127.0.0.1');
    await once(owner, 'listening');
    const address = owner.address();
    port = typeof address === 'object' && address !== null ? address.port : 0;
  });
  afterAll(() => void owner.close());

  test.each([
    ['Postgres', () => startPostgresServer({ port })],
    ['The Temporal dev server', () => startTemporalServer({ cli, ui: 'off', port })],
    ['The Temporal UI', () => startTemporalServer({ cli, ui: 'on', uiPort: port })],
  ])('%s', async (name, start) => {
    await expect(start()).rejects.toThrow(
      `${name} cannot listen on port ${port} (EADDRINUSE): choose another, or end what listens there`,
    );
  });
});

describe('Temporal', () => {
  test('an executable that is no Temporal says so with its last lines', async () => {
    await expect(startTemporalServer({ cli: '/bin/false', ui: 'off' })).rejects.toThrow(/ended while starting/);
    await expect(startTemporalServer({ cli: '/not/there', ui: 'off' })).rejects.toThrow(
      /could not be started: spawn .*ENOENT/,
    );
  });

  test('with a file its executions outlive a kill -9; the UI answers; stopped, it is gone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'd2d-temporal-'));
    const dbFilename = join(folder, 'temporal.db');
    const workflowId = unique('kept');
    const first = await startTemporalServer({ cli, ui: 'off', dbFilename, namespaces: ['prod'] });
    await using(first.address, (connection) =>
      connection.workflowService.startWorkflowExecution({
        namespace: 'prod',
        workflowId,
        requestId: workflowId,
        workflowType: { name: 'any' },
        taskQueue: { name: 'any' },
      }),
    );
    await first.kill();
    const port = Number(first.address.split(':')[1]);
    const second = await startTemporalServer({ cli, ui: 'on', dbFilename, port });
    expect(second.address).toBe(first.address);
    const { workflowExecutionInfo } = await using(second.address, (connection) =>
      connection.workflowService.describeWorkflowExecution({ namespace: 'prod', execution: { workflowId } }),
    );
    expect(workflowExecutionInfo?.execution?.workflowId).toBe(workflowId);
    expect((await fetch(second.uiUrl ?? '')).ok).toBe(true);
    await second.stop();
    expect(alive(second.pid)).toBe(false);
    await rm(folder, { recursive: true });
  });
});

describe('Postgres', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgresServer();
  });
  afterAll(() => server.stop());

  test.each(['crash', 'pause'] as const)('%s and resume keep the data, at the same URL', async (end) => {
    const url = await server.createDatabase();
    await query(url, 'create table kept (x int)');
    const pid = server.pid();
    await server[end]();
    expect(alive(pid)).toBe(false);
    await expect(query(url, 'select')).rejects.toThrow('ECONNREFUSED');
    await server.resume();
    await query(url, 'select from kept');
  });

  test('a database with a name', async () => {
    expect(new URL(await server.createDatabase('orders "1"')).pathname).toBe('/orders%20%221%22');
    await query(await server.createDatabase('orders'), 'select');
  });
});

test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('no server outlives its owner: %s', async (signal) => {
  const owner = spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL('./owner.ts', import.meta.url)), cli],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const [line] = await once(createInterface(owner.stdout), 'line');
  const { pids, folder } = JSON.parse(String(line)) as { pids: number[]; folder: string };
  expect(pids.map(alive)).toEqual([true, true]);
  expect(existsSync(folder)).toBe(true);
  owner.kill(signal);
  await eventually(() => expect(pids.map(alive)).toEqual([false, false]));
  await eventually(() => expect(existsSync(folder)).toBe(false));
});

async function using<T>(address: string, use: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address, connectTimeout: PATIENCE_MS });
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}

async function query(url: string, text: string): Promise<void> {
  const client = new Client({ connectionString: url });
  try {
    await client.connect();
    await client.query(text);
  } finally {
    await client.end();
  }
}
