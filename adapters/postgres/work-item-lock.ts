import { createHash } from 'node:crypto';
import { DatabaseError, type PoolClient, type QueryResultRow } from 'pg';
import { oneAtATime } from '../one-at-a-time.ts';
import type { Database } from './database.ts';
import { DatabaseUnavailable, type Querier, queryError } from './querier.ts';

export interface LockLimits {
  /** Longest wait for the lock, ms, at least 1. */
  readonly waitMs: number;
  /** Longest time it is held, ms, at least 1: then the server ends the session, which frees the lock. */
  readonly holdMs: number;
}

/** Waiting, here and at the server together: one other setter at its slowest. Holding: an HTTP call (15 s) and some statements. Source: design, invariant 5. */
export const LOCK_LIMITS: LockLimits = { waitMs: 10_000, holdMs: 20_000 };

/** Somebody else held the lock for the whole time that we were ready to wait. */
export class LockTimeout extends Error {
  override readonly name = 'LockTimeout';
}

/**
 * Runs its second argument while this work item is locked against every other setter of any worker (invariant 4). `querier` is
 * the locked connection: a statement on it is one of its own, so it sees what was committed during the wait.
 */
export type WithWorkItemLock = <T>(
  workItem: string,
  task: (querier: Querier, lost: AbortSignal) => Promise<T>,
  limits?: LockLimits,
) => Promise<T>;

/**
 * The lock is a transaction-level advisory lock: it goes with its transaction, also through a connection pooler, and with its
 * session, however that ends. One round trip begins and locks, one commits.
 *
 * Where the session is lost, `lost` is aborted with the reason, and once the task has ended the call fails, even if the task
 * went well: nothing kept other setters away any more.
 *
 * Those of one process queue up for a work item before they take a connection: of these there are few, and they are for other items.
 * @throws LockTimeout, DatabaseUnavailable, and what the task throws.
 */
export function createWorkItemLock(database: Database, defaults: LockLimits = LOCK_LIMITS): WithWorkItemLock {
  const inTurn = oneAtATime();
  const locked = atServer(database);
  return (workItem, task, limits = defaults) =>
    new Promise((resolve, reject) => {
      const since = performance.now();
      let gaveUp = false;
      const patience = setTimeout(() => {
        gaveUp = true;
        reject(lockTimeout(workItem, limits));
      }, limits.waitMs);
      void inTurn(
        workItem,
        () =>
          new Promise<void>((over) => {
            clearTimeout(patience);
            if (gaveUp) over();
            else
              locked(workItem, task, { ...limits, waitedMs: performance.now() - since }, over)
                .then(resolve, reject)
                .finally(over);
          }),
      );
    });
}

/** With what was waited already, ms. */
type LimitsLeft = LockLimits & { readonly waitedMs: number };

const atServer =
  (database: Database) =>
  async <T>(
    workItem: string,
    task: (querier: Querier, lost: AbortSignal) => Promise<T>,
    limits: LimitsLeft,
    onLost: () => void,
  ): Promise<T> => {
    const session = watch(await database.lockClient(), workItem, limits, database.statementTimeoutMs);
    session.lost.addEventListener('abort', onLost, { once: true });
    try {
      await session.begin();
      const result = await task(session.querier, session.lost);
      session.lost.throwIfAborted();
      await session.querier.query('commit');
      return result;
    } catch (error) {
      session.lost.throwIfAborted(); // what the task met then came of it
      await session.querier.query('rollback').catch(session.giveUp);
      throw error;
    } finally {
      session.release();
    }
  };

const lockTimeout = (workItem: string, { waitMs }: LockLimits, cause?: unknown): LockTimeout =>
  new LockTimeout(`The lock on work item ${workItem} was not free within ${waitMs / 1000} s`, { cause });

/** A 64-bit key in a space of our own: other programs take advisory locks on the same database too. Exported for the tests. */
export const lockKey = (workItem: string): bigint =>
  createHash('sha256').update(`deploy-to-done/work-item/${workItem}`).digest().readBigInt64BE();

/** What the server needs beyond a time-out of its own to say so, ms; after that the connection counts as dead. */
const SLACK_MS = 2_000;

const LOCK_NOT_AVAILABLE = '55P03';

function watch(client: PoolClient, workItem: string, limits: LimitsLeft, statementTimeoutMs: number) {
  const controller = new AbortController();
  const { signal } = controller;
  let timer: NodeJS.Timeout | undefined;
  const lose = (why: string, cause?: unknown): void =>
    controller.abort(new DatabaseUnavailable(`The lock on work item ${workItem} was lost: ${why}`, { cause }));
  const onError = (error: Error): void => lose(error.message, error);
  const onEnd = (): void => lose('the connection ended');
  client.on('error', onError).on('end', onEnd);

  async function ask<Row extends QueryResultRow>(
    text: string,
    values: readonly unknown[] | undefined,
    withinMs: number,
  ) {
    signal.throwIfAborted();
    try {
      const timed = {
        text,
        query_timeout: withinMs + SLACK_MS,
        ...(values === undefined ? {} : { values: [...values] }),
      };
      return await client.query<Row>(timed);
    } catch (error) {
      const known = queryError(error);
      if (known instanceof DatabaseUnavailable) lose(known.message, error);
      throw known;
    }
  }
  const querier: Querier = { query: (text, values) => ask(text, values, statementTimeoutMs) };
  return {
    querier,
    lost: signal,
    giveUp: (error: unknown): void => lose('it could not be rolled back', error),
    async begin(): Promise<void> {
      try {
        const waitMs = Math.max(1, limits.waitMs - limits.waitedMs);
        await ask(beginAndLock(workItem, { ...limits, waitMs }, statementTimeoutMs), undefined, waitMs);
      } catch (error) {
        if (!(error instanceof DatabaseError) || error.code !== LOCK_NOT_AVAILABLE) throw error;
        throw lockTimeout(workItem, limits, error);
      }
      // The server looks at idle time only: a task that keeps asking it is ended from here.
      timer = setTimeout(() => lose(`it was held for more than ${limits.holdMs / 1000} s`), limits.holdMs);
    },
    release(): void {
      clearTimeout(timer);
      if (signal.aborted) {
        client.release(true); // destroyed, which frees the lock on the server; the listeners stay for its last errors
        return;
      }
      client.removeListener('error', onError).removeListener('end', onEnd);
      client.release();
    },
  };
}

/** Several statements in one message take no parameters: what is written into them is numbers only. */
function beginAndLock(workItem: string, { waitMs, holdMs }: LockLimits, statementTimeoutMs: number): string {
  const ms = (value: number): string => `'${Math.max(1, Math.round(value))}ms'`;
  return [
    'begin',
    `set local lock_timeout = ${ms(waitMs)}`,
    `set local statement_timeout = ${ms(waitMs + SLACK_MS / 2)}`, // the lock's own time-out comes first: its error tells more
    `set local idle_in_transaction_session_timeout = ${ms(holdMs)}`,
    `select pg_advisory_xact_lock('${lockKey(workItem)}'::bigint)`,
    `set local statement_timeout = ${ms(statementTimeoutMs)}`,
  ].join('; ');
}
