import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import { Client, DatabaseError } from 'pg';
import { connectionConfig, type PostgresAddress } from './connection.ts';
import { queryError, unavailable } from './querier.ts';

/** Its books are kept under a name of their own: the database may belong to a program that migrates with the same tool. */
export const MIGRATIONS_TABLE = 'd2d_migrations';

const FOLDER = fileURLToPath(new URL('./migrations', import.meta.url));

/** Longest wait for another worker that migrates at the same moment, ms. */
const WAIT_MS = 30_000;

/** An advisory lock, so that two workers do not migrate at once; not the tool's own, which others may hold. */
const LOCK = 7_311_021_094_061;

/**
 * Brings the database up to date. Idempotent, safe from several processes at once, and it alters nothing that was there.
 * @returns the names of the migrations that ran now.
 * @throws DatabaseUnavailable, or what Postgres says (no right to create a table, for instance).
 */
export async function migrate(address: PostgresAddress): Promise<string[]> {
  const client = new Client({
    ...connectionConfig(address),
    connectionTimeoutMillis: 10_000,
    application_name: 'd2d migrate',
  });
  client.on('error', () => {}); // the statement that runs meets it as well
  try {
    await client.connect();
  } catch (error) {
    throw unavailable(error);
  }
  try {
    await beginLocked(client);
    // Its own `begin` does nothing in a transaction, and its `commit` ends this one.
    const ran = await runner({
      dbClient: client,
      dir: FOLDER,
      direction: 'up',
      migrationsTable: MIGRATIONS_TABLE,
      singleTransaction: true,
      noLock: true,
      log: () => {},
    });
    if (ran.length === 0) await client.query('commit');
    return ran.map(({ name }) => name);
  } catch (error) {
    throw queryError(error);
  } finally {
    await client.end();
  }
}

/** The lock goes with its transaction: a session's own would stay with the connection of a pooler. */
async function beginLocked(client: Client): Promise<void> {
  try {
    await client.query(`begin; set local lock_timeout = ${WAIT_MS}; select pg_advisory_xact_lock(${LOCK})`);
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== LOCK_NOT_AVAILABLE) throw error;
    throw new Error('Another process has migrated this database for 30 s: end it, or wait', { cause: error });
  }
}

const LOCK_NOT_AVAILABLE = '55P03';
