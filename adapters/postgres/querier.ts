import { DatabaseError, type QueryResultRow } from 'pg';

/** The part of `pg` that the rest needs: a pool, or the one connection that holds a lock. */
export interface Querier {
  /**
   * @throws DatabaseUnavailable where the connection fails, is lost or times out; what Postgres says of the statement otherwise.
   */
  query<Row extends QueryResultRow = QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ): Promise<{ readonly rows: Row[]; readonly rowCount: number | null }>;
}

/** Postgres cannot be reached, refuses the connection or has dropped it: try again later. The original is in `cause`. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable';

  /** Whether it cannot come back by itself: no connection can be made by these settings. */
  get refused(): boolean {
    const { cause } = this;
    if (cause instanceof DatabaseError) return isRefusedByPooler(cause) || REFUSED.test(cause.code ?? '');
    if (!(cause instanceof Error)) return false;
    // A server that is away has no socket in its folder.
    const connecting = 'syscall' in cause && cause.syscall === 'connect';
    const code = !connecting && 'code' in cause ? String(cause.code) : '';
    return OUR_FAULT.test(code) || NO_TLS.test(cause.message);
  }
}

/** SQLSTATE 28: authorization; 3D000: no such database. */
const REFUSED = /^(28...|3D000)$/;

/** What a pooler says that does not know a start-up parameter. It uses this SQLSTATE for its outages, too. */
export const isRefusedParameter = (error: unknown): boolean =>
  error instanceof DatabaseError && error.code === '08P01' && /unsupported startup parameter/.test(error.message);

/** What a pooler refuses for good, with SQLSTATEs that it uses for its outages, too: PgBouncer and Supavisor. */
const isRefusedByPooler = ({ code, message }: DatabaseError): boolean =>
  (code === '08P01' || code === 'XX000') &&
  /unsupported startup parameter|no such (user|database)|authentication failed|Tenant or user not found/i.test(message);

/** A file of certificates that is not there or not one, a certificate that is not trusted, a URL that cannot be read. */
const OUR_FAULT = /^(ENOENT|EISDIR|EACCES|ERR_INVALID_|ERR_OSSL_|ERR_TLS_|ERR_SSL_)|CERT|SELF_SIGNED|UNABLE_TO_/;

const NO_TLS = /server does not support SSL|^There was an error establishing an SSL connection/;

/**
 * What heals by itself, by SQLSTATE. 08: connections; 25P: idle time-outs; 40: deadlocks and the like; 53: resources; 55006, 55P03: in use or
 * locked; 57: shut down or cancelled; 58: the system; XX: Postgres itself.
 */
const TRANSIENT = /^(08|25P|40|53|57|58|XX)|^55(006|P03)$/;

/** Whether only a person can heal what Postgres says, so that the same statement would fail again for ever. */
export const needsPerson = (error: unknown): boolean =>
  error instanceof DatabaseUnavailable
    ? error.refused
    : error instanceof DatabaseError && !TRANSIENT.test(error.code ?? 'XX');

/** The error of a statement, as a `DatabaseUnavailable` where it is the connection's and not the statement's. */
export function queryError(error: unknown): unknown {
  return connectionLevel(error) ? unavailable(error) : error;
}

/** For what fails before there is a connection at all: whatever it is, there is no database for us. */
export function unavailable(error: unknown): DatabaseUnavailable {
  if (error instanceof DatabaseUnavailable) return error;
  return new DatabaseUnavailable(`Postgres is not available: ${explain(error)}`, { cause: error });
}

/**
 * SQLSTATE 08: connection exceptions; 57P: shut down, crashed, starting, dropped; 53300: too many connections; 25P03, 25P04: ended by
 * a session time-out; 28: authorization; 3D000: no such database. What `pg` itself throws on a dead socket bears no SQLSTATE at all.
 */
function connectionLevel(error: unknown): boolean {
  if (error instanceof DatabaseUnavailable) return true;
  if (error instanceof DatabaseError) return /^(08...|57P0.|53300|25P03|25P04|28...|3D000)$/.test(error.code ?? '');
  return error instanceof Error && ('syscall' in error || FROM_PG.test(error.message));
}

const FROM_PG =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|Query read timeout|Cannot use a pool after)/;

/** Node gathers refused attempts on several addresses in an AggregateError, whose own message is empty. */
function explain(error: unknown): string {
  if (error instanceof AggregateError) return [...new Set(error.errors.map(explain))].join('; ');
  return error instanceof Error ? error.message : String(error);
}
