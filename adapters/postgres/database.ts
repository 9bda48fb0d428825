import { Pool, type PoolClient, type PoolConfig, type QueryResult, type QueryResultRow } from 'pg';
import { connectionConfig, type PostgresAddress } from './connection.ts';
import { DatabaseUnavailable, isRefusedParameter, type Querier, queryError, unavailable } from './querier.ts';

export interface DatabaseOptions extends PostgresAddress {
  /** Connections for ordinary statements, at least 1. */
  readonly poolSize: number;
  /** Connections for locks, at least 1: each setter that holds a lock, or waits for it at the server, has a connection of its own. */
  readonly lockPoolSize: number;
  /** Longest time of one statement, ms; the server ends it then. */
  readonly statementTimeoutMs: number;
  /** Longest wait for a connection, ms: for a free one of the pool, and for a new one. */
  readonly connectTimeoutMs: number;
  /** Shown in `pg_stat_activity`; locks have ` lock` behind it. */
  readonly applicationName: string;
  /** Told when an idle connection dies, for the log: the next statement makes a new one. */
  readonly onIdleError?: (error: Error) => void;
}

export interface Database extends Querier {
  readonly statementTimeoutMs: number;
  /** A connection of the lock pool, to be released by the caller. @throws DatabaseUnavailable */
  lockClient(): Promise<PoolClient>;
  /** Ends both pools, once what is running has ended. Idempotent. */
  close(): Promise<void>;
}

/** What `pg-pool` says where none of its connections became free; one that cannot be opened in time has another message. */
const NO_FREE_CONNECTION = 'timeout exceeded when trying to connect';

/** A client waits this much longer than the server's own limit, ms, before it takes the connection for dead. */
const DEAD_AFTER_MS = 2_000;

/**
 * Two pools on one database: were locks taken from the pool of the statements that run under them, a burst of setters could
 * block itself. Nothing is connected before it is used, so a database that is away does not keep a worker from starting.
 *
 * The server is told the time-out of statements as each connection starts. A pooler such as PgBouncer refuses that (measured, 1.18):
 * behind one each statement is a transaction that sets it for itself.
 * @throws where the URL is none.
 */
export function createDatabase(options: DatabaseOptions): Database {
  const { statementTimeoutMs, onIdleError = () => {} } = options;
  const pool = (max: number, more: PoolConfig): Pool => {
    const made = new Pool({
      ...connectionConfig(options),
      max,
      connectionTimeoutMillis: options.connectTimeoutMs,
      keepAlive: true,
      ...more,
    });
    made.on('error', onIdleError); // without a listener the death of an idle connection ends the process
    return made;
  };
  const pools = (startUp: PoolConfig) => ({
    statements: pool(options.poolSize, {
      application_name: options.applicationName,
      query_timeout: statementTimeoutMs + DEAD_AFTER_MS,
      ...startUp,
    }),
    locks: pool(options.lockPoolSize, { application_name: `${options.applicationName} lock`, ...startUp }),
  });
  let direct = true;
  let open = pools({ statement_timeout: statementTimeoutMs });
  let closing: Promise<unknown> | undefined;

  /** Runs on the pools, and once more where it is a pooler that they are connected to. */
  async function on<T>(run: (those: typeof open) => Promise<T>): Promise<T> {
    const those = open;
    try {
      return await run(those);
    } catch (error) {
      if (!isRefusedParameter(error) || closing !== undefined) throw error;
      if (those === open) {
        direct = false;
        open = pools({});
        void Promise.allSettled([those.statements.end(), those.locks.end()]);
      }
      return run(open);
    }
  }

  return {
    statementTimeoutMs,
    async query<Row extends QueryResultRow>(text: string, values?: readonly unknown[]) {
      const given = values === undefined ? undefined : [...values];
      try {
        return await on(({ statements }) =>
          direct ? statements.query<Row>(text, given) : withTimeout<Row>(statements, statementTimeoutMs, text, given),
        );
      } catch (error) {
        throw queryError(error);
      }
    },
    async lockClient() {
      try {
        return await on(({ locks }) => locks.connect());
      } catch (error) {
        if (!(error instanceof Error && error.message === NO_FREE_CONNECTION)) throw unavailable(error);
        throw new DatabaseUnavailable(
          `All ${options.lockPoolSize} database connections for locks have been busy for ${options.connectTimeoutMs / 1_000} s: raise ORCH_DATABASE_LOCK_POOL_SIZE`,
          { cause: error },
        );
      }
    },
    async close() {
      closing ??= Promise.all([open.statements.end(), open.locks.end()]);
      await closing;
    },
  };
}

/** One statement that the server ends after so long, on a connection whose session is not ours. */
async function withTimeout<Row extends QueryResultRow>(
  pool: Pool,
  timeoutMs: number,
  text: string,
  values: unknown[] | undefined,
): Promise<QueryResult<Row>> {
  const client = await pool.connect();
  const met = (): void => {}; // the statement that runs, or the next one, meets it as well
  client.on('error', met);
  try {
    await client.query(`begin; set local statement_timeout = ${Math.max(1, Math.round(timeoutMs))}`);
    const result = await client.query<Row>(text, values);
    await client.query('commit');
    client.removeListener('error', met);
    client.release();
    return result;
  } catch (error) {
    client.release(true); // its transaction ends with it
    throw error;
  }
}
