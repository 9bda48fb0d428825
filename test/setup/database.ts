import { Client, type QueryResultRow } from 'pg';
import { inject } from 'vitest';
import { createDatabase, type Database } from '../../adapters/postgres/database.ts';
import { migrate } from '../../adapters/postgres/migrate.ts';
import { eventually } from './eventually.ts';
import { PATIENCE_MS } from './patience.ts';

export interface FreshDatabase {
  readonly url: string;
  /** Migrated, with limits that decide no test; closed by `close`. */
  readonly database: Database;
  /** A statement as the superuser, past the code under test. */
  sql<Row extends QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Ends what is open here. @throws where the code under test has left a connection open. */
  close(): Promise<void>;
}

/** A database for one test file, on the run's Postgres, migrated. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const fresh = await emptyDatabase();
  await migrate({ url: fresh.url });
  return fresh;
}

/** The same before the migrations. */
export async function emptyDatabase(): Promise<FreshDatabase> {
  const name = `d2d_${process.pid}_${Date.now().toString(36)}_${Math.random().toString(36).slice(2, 8)}`;
  const admin = new Client({ connectionString: inject('postgresUrl'), application_name: 'test' });
  await admin.connect();
  await admin.query(`create database ${name}`);
  await admin.end();
  const url = Object.assign(new URL(inject('postgresUrl')), { pathname: `/${name}` }).href;
  const database = createDatabase({
    url,
    poolSize: 8,
    lockPoolSize: 8,
    statementTimeoutMs: PATIENCE_MS,
    connectTimeoutMs: PATIENCE_MS,
    applicationName: 'd2d test',
  });
  const client = new Client({ connectionString: url, application_name: 'test' });
  client.on('error', () => {}); // some tests end every session
  await client.connect();
  const sql: FreshDatabase['sql'] = async <Row extends QueryResultRow>(text: string, values?: unknown[]) =>
    (await client.query<Row>(text, values)).rows;
  return {
    url,
    database,
    sql,
    async close() {
      await database.close();
      try {
        await assertNoneLeft(sql);
      } finally {
        await client.end();
      }
    },
  };
}

/** A session ends on the server some milliseconds after its client has closed it. */
const assertNoneLeft = (sql: FreshDatabase['sql']): Promise<void> =>
  eventually(async () => {
    const left = await sql<{ application_name: string }>(
      `select application_name from pg_stat_activity
        where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()`,
    );
    if (left.length > 0)
      throw new Error(`Connections left open: ${left.map((row) => row.application_name).join(', ')}`);
  });
