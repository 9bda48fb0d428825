import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { connectionConfig } from '../../../adapters/postgres/connection.ts';
import { createDatabase, type Database, type DatabaseOptions } from '../../../adapters/postgres/database.ts';
import { DatabaseUnavailable } from '../../../adapters/postgres/querier.ts';
import { type FreshDatabase, freshDatabase } from '../../setup/database.ts';
import { eventually } from '../../setup/eventually.ts';
import { holdTimers } from '../../setup/hold-time.ts';
import { PATIENCE_MS } from '../../setup/patience.ts';

let fresh: FreshDatabase;
beforeAll(async () => {
  fresh = await freshDatabase();
});
afterAll(() => fresh.close());

const opened: Database[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((database) => database.close()));
});

function open(options: Partial<DatabaseOptions> = {}): Database {
  const database = createDatabase({
    url: fresh.url,
    poolSize: 2,
    lockPoolSize: 1,
    statementTimeoutMs: PATIENCE_MS,
    connectTimeoutMs: PATIENCE_MS,
    applicationName: 'd2d open',
    ...options,
  });
  opened.push(database);
  return database;
}

describe('TLS', () => {
  const url = 'postgres://u:p@db.example:5432/d?sslmode=require&sslrootcert=/x.pem&application_name=theirs';
  const bare = 'postgres://u:p@db.example:5432/d?application_name=theirs';

  test.each([
    ['', false],
    ['?sslmode=disable', false],
    ['?sslmode=require', { rejectUnauthorized: false }],
    ['?sslmode=verify-full', {}],
    ['?sslmode=verify-full&sslrootcert=system', {}],
    [
      '?sslmode=require&sslrootcert=package.json',
      { ca: expect.any(String), checkServerIdentity: expect.any(Function) },
    ],
  ])('without the option the URL decides, as libpq means it: %s', (query, ssl) => {
    const { connectionString = '' } = connectionConfig({ url: `postgres://u:p@db.example/d${query}` });
    expect(new Client({ connectionString })).toMatchObject({ connectionParameters: { ssl } });
  });

  test('a file of certificates that is not there cannot heal by itself', async () => {
    const failed = await open({ url: `${fresh.url}?sslmode=require&sslrootcert=/no/such.pem` })
      .query('select 1')
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({ name: 'DatabaseUnavailable', refused: true });
  });

  test.each([
    { tls: { mode: 'disable' }, ssl: false },
    { tls: { mode: 'require' }, ssl: { rejectUnauthorized: false } },
    { tls: { mode: 'require', ca: 'PEM' }, ssl: { ca: 'PEM', checkServerIdentity: expect.any(Function) } },
    { tls: { mode: 'verify-full' }, ssl: { rejectUnauthorized: true } },
    { tls: { mode: 'verify-full', ca: 'PEM' }, ssl: { rejectUnauthorized: true, ca: 'PEM' } },
  ] as const)('$tls overrides what the URL says', ({ tls, ssl }) => {
    expect(connectionConfig({ url, tls })).toEqual({ connectionString: bare, ssl });
  });

  describe('at a Unix socket', () => {
    /** A folder with the socket of the server, port 5432. */
    async function socketFolder(): Promise<string> {
      const folder = await mkdtemp(join(tmpdir(), 'd2d-socket-'));
      const { hostname, port } = new URL(fresh.url);
      const server = createServer((client) => {
        const upstream = connect(Number(port), hostname).on('error', () => client.destroy());
        client
          .on('error', () => upstream.destroy())
          .pipe(upstream)
          .pipe(client);
      });
      await new Promise<void>((resolve) => {
        server.listen(join(folder, '.s.PGSQL.5432'), resolve);
      });
      onTestFinished(async () => {
        server.close();
        await rm(folder, { recursive: true });
      });
      return folder;
    }

    test.each<[string, (folder: string) => string, Partial<DatabaseOptions>]>([
      ['by its folder as the host', (folder) => `@/%d?host=${folder}`, {}],
      ['by its folder in place of the host', (folder) => `@${encodeURIComponent(folder)}/%d`, {}],
      ['whatever is said of TLS in the URL', (folder) => `@/%d?host=${folder}&sslmode=require`, {}],
      ['whatever is said of TLS beside it', (folder) => `@/%d?host=${folder}`, { tls: { mode: 'verify-full' } }],
    ])('a user connects: %s', async (_, at, options) => {
      const { username, password, pathname } = new URL(fresh.url);
      const url = `postgres://${username}:${password}${at(await socketFolder()).replace('/%d', pathname)}`;
      const database = open({ url, ...options });
      expect((await database.query('select current_user::text as who')).rows).toEqual([{ who: username }]);
      await database.close();
    });
  });

  test('a server without TLS is refused where TLS is required', async () => {
    await expect(open({ tls: { mode: 'require' } }).query('select 1')).rejects.toThrow(/does not support SSL/);
  });

  test.each(['', 'localhost:5432', 'mysql://u:secret@h/d'])('%j is no database URL, and is not repeated', (wrong) => {
    expect(() => connectionConfig({ url: wrong })).toThrow('must be like postgres://user:password@host:5432/database');
    expect(() => connectionConfig({ url: wrong })).not.toThrow(/secret/);
  });
});

describe('connection-level failures are DatabaseUnavailable', () => {
  test('nobody listens', async () => {
    const url = `postgres://u:p@127.0.0.1:${await getPort()}/d`;
    await expect(open({ url }).query('select 1')).rejects.toThrow(/^Postgres is not available: connect ECONNREFUSED/);
    await expect(open({ url }).lockClient()).rejects.toBeInstanceOf(DatabaseUnavailable);
  });

  test('a server that accepts and says nothing', async () => {
    const silent = await listen();
    const url = `postgres://u:p@127.0.0.1:${silent.port}/d`;
    await expect(open({ url, connectTimeoutMs: 100 }).query('select 1')).rejects.toBeInstanceOf(DatabaseUnavailable);
    silent.server.close();
  });

  test('a wrong password, a database that is not there', async () => {
    const wrong = Object.assign(new URL(fresh.url), { password: 'wrong' }).href;
    await expect(open({ url: wrong }).query('select 1')).rejects.toThrow(/password authentication failed/);
    await expect(open({ url: `${fresh.url}_not` }).query('select 1')).rejects.toBeInstanceOf(DatabaseUnavailable);
  });

  test('a session that is ended in the middle of a statement', async () => {
    const refused = expect(open().query('select pg_sleep(200)')).rejects.toBeInstanceOf(DatabaseUnavailable);
    const end = () =>
      fresh.sql(`select pg_terminate_backend(pid) from pg_stat_activity where query = 'select pg_sleep(200)'`);
    await eventually(async () => expect(await end()).toHaveLength(1));
    await refused;
  });

  test('all connections of the lock pool are taken', async () => {
    const time = holdTimers();
    const database = open({ connectTimeoutMs: 100 });
    const client = await database.lockClient();
    const refused = database.lockClient();
    time.pass(100);
    await expect(refused).rejects.toBeInstanceOf(DatabaseUnavailable);
    await expect(refused).rejects.toThrow(
      /^All \d+ database connections for locks have been busy for 0.1 s: raise ORCH_DATABASE_LOCK_POOL_SIZE$/,
    );
    client.release();
  });
});

test('a statement that takes too long is ended, and is the fault of the statement', async () => {
  holdTimers(); // the client does not give up before the server
  await expect(open({ statementTimeoutMs: 100 }).query('select pg_sleep(200)')).rejects.toMatchObject({
    code: '57014',
  });
});

test('the death of an idle connection is told, and the next statement has a new one', async () => {
  const onIdleError = vi.fn();
  const database = open({ onIdleError });
  await database.query('select 1');
  await fresh.sql(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'd2d open'`);
  await eventually(() => expect(onIdleError).toHaveBeenCalledOnce());
  expect((await database.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
});

test('closing twice is closing once', async () => {
  const database = open();
  await database.query('select 1');
  await database.close();
  await database.close();
  await expect(database.query('select 1')).rejects.toBeInstanceOf(DatabaseUnavailable);
});

async function listen(): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.on('error', () => {}));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, port: address.port };
}
