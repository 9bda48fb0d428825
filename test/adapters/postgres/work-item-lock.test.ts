import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createDatabase } from '../../../adapters/postgres/database.ts';
import { DatabaseUnavailable } from '../../../adapters/postgres/querier.ts';
import { createTasks } from '../../../adapters/postgres/tasks.ts';
import {
  createWorkItemLock,
  type LockLimits,
  LockTimeout,
  lockKey,
  type WithWorkItemLock,
} from '../../../adapters/postgres/work-item-lock.ts';
import { type FreshDatabase, freshDatabase } from '../../setup/database.ts';
import { eventually } from '../../setup/eventually.ts';
import { holdTimers } from '../../setup/hold-time.ts';
import { PATIENCE_MS } from '../../setup/patience.ts';

/** They end no wait of a test that is not about them. */
const PATIENT: LockLimits = { waitMs: PATIENCE_MS, holdMs: PATIENCE_MS };

let fresh: FreshDatabase;
let withLock: WithWorkItemLock;
/** Of another worker. */
let othersLock: WithWorkItemLock;
beforeAll(async () => {
  fresh = await freshDatabase();
  withLock = createWorkItemLock(fresh.database, PATIENT);
  othersLock = createWorkItemLock(fresh.database, PATIENT);
});
afterAll(() => fresh.close());

/** Held until it is let go. */
function holder(workItem: string) {
  let letGo = (): void => {};
  const until = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let nowHeld = (): void => {};
  const held = new Promise<void>((resolve) => {
    nowHeld = resolve;
  });
  const done = withLock(workItem, async () => {
    nowHeld();
    await until;
  });
  return { held, letGo, done };
}

const killLockSessions = (which: 'all' | 'in a transaction' | 'waiting' = 'all'): Promise<unknown> =>
  fresh.sql(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'd2d test lock'
        and ${{ all: 'true', 'in a transaction': `state = 'idle in transaction'`, waiting: `wait_event_type = 'Lock'` }[which]}`,
  );

const locksHeld = async (): Promise<number | undefined> => {
  const [row] = await fresh.sql<{ held: number }>(
    `select count(*)::int as held from pg_locks where locktype = 'advisory'
       and database = (select oid from pg_database where datname = current_database())`,
  );
  return row?.held;
};

describe('exclusion (invariant 4)', () => {
  test('holders of one work item follow one another', async () => {
    const log: string[] = [];
    const visit = (name: string) =>
      withLock('LOCK-1', async () => {
        log.push(`${name} in`);
        await delay(20);
        log.push(`${name} out`);
      });
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map(visit));
    const pairs = Array.from({ length: 5 }, (_, index) => log.slice(2 * index, 2 * index + 2));
    for (const [entered, left] of pairs) expect(left).toBe(entered?.replace(' in', ' out'));
    expect(new Set(log).size).toBe(10);
  });

  test('different work items do not wait for one another', async () => {
    const first = holder('LOCK-2');
    await first.held;
    expect(await withLock('LOCK-3', async () => 'not blocked')).toBe('not blocked');
    first.letGo();
    await first.done;
  });

  test('a stage that was committed while we waited is seen under the lock', async () => {
    const tasks = createTasks(fresh.database);
    await tasks.insert({ repo: 'shop', workItem: 'LOCK-4', stage: 'deploy' });
    const first = holder('LOCK-4');
    await first.held;
    const second = othersLock('LOCK-4', (querier) => createTasks(querier).stageOf('LOCK-4'));
    await eventually(async () => expect(await locksHeld()).toBe(2)); // one holds, one waits
    await tasks.compareAndSetStage('LOCK-4', 'deploy', 'done');
    first.letGo();
    expect(await second).toBe('done');
    await first.done;
  });

  test('those of one process wait without a connection, in their order; who has lost the lock is not waited for', async () => {
    const first = holder('LOCK-5');
    await first.held;
    const order: number[] = [];
    const others = [1, 2, 3].map((n) => withLock('LOCK-5', async () => void order.push(n)));
    expect(await withLock('LOCK-6', async () => 'free')).toBe('free');
    expect(await locksHeld()).toBe(1);
    await killLockSessions('in a transaction');
    await Promise.all(others);
    expect(order).toEqual([1, 2, 3]);
    first.letGo();
    await expect(first.done).rejects.toBeInstanceOf(DatabaseUnavailable);
  });

  test('who gives up in the queue is passed over', async () => {
    const first = holder('LOCK-7');
    await first.held;
    const impatient = withLock('LOCK-7', async () => 'never', { ...PATIENT, waitMs: 50 });
    const patient = withLock('LOCK-7', async () => 'mine');
    await expect(impatient).rejects.toThrow('The lock on work item LOCK-7 was not free within 0.05 s');
    first.letGo();
    expect(await patient).toBe('mine');
    await first.done;
  });

  test('the key is a 64-bit number of our own name space', () => {
    const key = lockKey('ORCH-61');
    expect(BigInt.asIntN(64, key)).toBe(key);
    expect(lockKey('ORCH-62')).not.toBe(key);
  });

  test.each(["'; drop table tasks; --", '', 'ü€𝄞', '%s $1 \\'])(
    'any name of a work item can be locked: %j',
    async (workItem) => {
      expect(await withLock(workItem, async () => 'done')).toBe('done');
    },
  );
});

describe('limits', () => {
  test('who waits too long gets a LockTimeout, though statements have a shorter limit', async () => {
    holdTimers(); // the client does not give up before the server
    const impatient = createDatabase({
      url: fresh.url,
      poolSize: 1,
      lockPoolSize: 1,
      statementTimeoutMs: 1_000,
      connectTimeoutMs: PATIENCE_MS,
      applicationName: 'd2d impatient',
    });
    const first = holder('LIMIT-1');
    await first.held;
    const second = createWorkItemLock(impatient)('LIMIT-1', async () => 'never', { ...PATIENT, waitMs: 1_500 });
    await expect(second).rejects.toThrow(new LockTimeout('The lock on work item LIMIT-1 was not free within 1.5 s'));
    await expect(second).rejects.toBeInstanceOf(LockTimeout);
    first.letGo();
    await first.done;
    // The connection that met the time-out is in order again.
    expect(await createWorkItemLock(impatient, PATIENT)('LIMIT-1', async () => 'free')).toBe('free');
    await impatient.close();
  });

  test('who holds too long loses the lock, is told so, and the call fails', async () => {
    let told: unknown;
    const slow = withLock(
      'LIMIT-2',
      async (_querier, lost) => {
        await once(lost, 'abort');
        told = lost.reason;
      },
      { ...PATIENT, holdMs: 200 },
    );
    await expect(slow).rejects.toBeInstanceOf(DatabaseUnavailable);
    expect(told).toBeInstanceOf(DatabaseUnavailable);
    expect(await withLock('LIMIT-2', async () => 'free')).toBe('free');
  });

  test('who keeps asking the database cannot hold longer either', async () => {
    const time = holdTimers(); // at the server the lock is never idle for so long
    const busy = withLock(
      'LIMIT-3',
      async (querier) => {
        for (let asked = 1; ; asked += 1) {
          await querier.query('select pg_sleep(0.02)');
          if (asked === 10) time.pass(60_000);
        }
      },
      { ...PATIENT, holdMs: 60_000 },
    );
    await expect(busy).rejects.toThrow('The lock on work item LIMIT-3 was lost: it was held for more than 60 s');
  });
});

describe('failures', () => {
  test('what the task throws comes out unchanged, and the lock is free', async () => {
    const mine = new Error('Plane said no');
    await expect(withLock('FAIL-1', () => Promise.reject(mine))).rejects.toBe(mine);
    await expect(withLock('FAIL-1', (querier) => querier.query('select nonsense'))).rejects.toMatchObject({
      code: '42703',
    });
    // Of this work item: a session that was destroyed by the test before may still be ending on the server.
    expect(await fresh.sql('select pg_try_advisory_xact_lock($1) as free', [String(lockKey('FAIL-1'))])).toEqual([
      { free: true },
    ]);
  });

  test('a session that is killed under its holder fails the call, whatever the task returns', async () => {
    const first = holder('FAIL-2');
    await first.held;
    await killLockSessions();
    first.letGo();
    await expect(first.done).rejects.toThrow(/^The lock on work item FAIL-2 was lost: /);
    await expect(first.done).rejects.toBeInstanceOf(DatabaseUnavailable);
    // The dead client did not go back into the pool; that idle ones have died takes a moment to arrive here.
    await eventually(async () => expect(await withLock('FAIL-2', async () => 'free')).toBe('free'));
  });

  test('a session that is killed while it waits fails the call', async () => {
    const first = holder('FAIL-3');
    await first.held;
    const refused = expect(othersLock('FAIL-3', async () => 'never')).rejects.toBeInstanceOf(DatabaseUnavailable);
    await eventually(async () => expect(await locksHeld()).toBe(2));
    await killLockSessions('waiting');
    await refused;
    first.letGo();
    await first.done;
  });

  test('idle sessions that are killed are replaced', async () => {
    await withLock('FAIL-4', async () => {});
    await killLockSessions();
    await eventually(async () => expect(await withLock('FAIL-4', async () => 'again')).toBe('again'));
  });
});

test('budget: one round trip to begin and lock, one to commit', async () => {
  await withLock('TRIPS', async () => {}); // connects
  const sent = vi.spyOn(Client.prototype, 'query');
  try {
    await withLock('TRIPS', async () => {});
    expect(sent).toHaveBeenCalledTimes(2);
  } finally {
    sent.mockRestore();
  }
});
