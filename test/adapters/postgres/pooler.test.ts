import { DatabaseError } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDatabase, type Database } from '../../../adapters/postgres/database.ts';
import { migrate } from '../../../adapters/postgres/migrate.ts';
import { unavailable } from '../../../adapters/postgres/querier.ts';
import { tableFaults } from '../../../adapters/postgres/table-faults.ts';
import { createTasks } from '../../../adapters/postgres/tasks.ts';
import { createWorkItemLock } from '../../../adapters/postgres/work-item-lock.ts';
import { emptyDatabase, type FreshDatabase } from '../../setup/database.ts';
import { startPooler } from './pooler.ts';

let fresh: FreshDatabase;
let pooler: Awaited<ReturnType<typeof startPooler>>;
let url: string;
const opened: Database[] = [];
beforeEach(async () => {
  fresh = await emptyDatabase();
  pooler = await startPooler(fresh.url);
  url = pooler.url;
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
  pooler.close();
  await fresh.close();
});

function database() {
  const made = createDatabase({
    url,
    poolSize: 3,
    lockPoolSize: 3,
    statementTimeoutMs: 500,
    connectTimeoutMs: 10_000,
    applicationName: 'through a pooler',
  });
  opened.push(made);
  return made;
}

test('migrations through a pooler leave no lock with it', async () => {
  expect(await migrate({ url })).toHaveLength(1);
  expect(await migrate({ url: fresh.url })).toEqual([]);
  expect(await migrate({ url })).toEqual([]);
  expect(await tableFaults(database())).toEqual([]);
});

test('statements and locks work behind a pooler that refuses start-up parameters', async () => {
  await migrate({ url });
  const through = database();
  const tasks = createTasks(through);
  const locked = createWorkItemLock(through);
  const asked = [1, 2, 3].map((n) =>
    locked('ORCH-1', async (held) => (await held.query<{ n: number }>('select $1::int as n', [n])).rows[0]?.n),
  );
  expect(await tasks.insert({ repo: 'shop', workItem: 'ORCH-1', stage: 'deploy' })).toBe(true);
  expect(await Promise.all(asked)).toEqual([1, 2, 3]);
  expect(await tasks.compareAndSetStage('ORCH-1', 'deploy', 'done')).toBe(true);
  expect(await tasks.stageOf('ORCH-1')).toBe('done');
});

test.each([
  ['08P01', 'unsupported startup parameter: statement_timeout', true],
  ['08P01', 'no such database: orch', true],
  ['08P01', 'no such user: orch', true],
  ['08P01', 'server login failed: FATAL password authentication failed for user "orch"', true],
  ['08P01', 'SASL authentication failed', true],
  ['XX000', 'Tenant or user not found', true],
  ['XX000', 'could not read block 7', false],
  ['08P01', 'query_wait_timeout', false],
  ['08P01', 'server login has been failing, try again later (server_login_retry)', false],
  ['28P01', 'password authentication failed for user "u"', true],
  ['57P03', 'the database system is starting up', false],
])('%s %s: whether only a person can heal it', (code, message, refused) => {
  const said = Object.assign(new DatabaseError(message, 0, 'error'), { code });
  expect(unavailable(said).refused).toBe(refused);
});

test('a server without its Unix socket is away, a file of certificates that is not there is not', () => {
  const missing = (change: object) => Object.assign(new Error('ENOENT'), { code: 'ENOENT', ...change });
  expect(unavailable(missing({ syscall: 'connect' })).refused).toBe(false);
  expect(unavailable(missing({ syscall: 'open' })).refused).toBe(true);
});

test('the server ends a statement there, too, and no session keeps the setting', async () => {
  const through = database();
  await expect(through.query('select pg_sleep(60)')).rejects.toMatchObject({ code: '57014' });
  const { rows } = await through.query(
    `select count(*)::int as busy from pg_stat_activity where datname = current_database() and query like '%pg_sleep(60)' and state = 'active'`,
  );
  expect(rows).toEqual([{ busy: 0 }]);
});
