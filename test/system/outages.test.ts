import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, inject, test } from 'vitest';
import { migrate } from '../../adapters/postgres/migrate.ts';
import { SEARCH_ATTRIBUTES } from '../../adapters/temporal/search-attributes.ts';
import { type PostgresServer, startPostgresServer } from '../../demo/servers/postgres-server.ts';
import { startTemporalServer } from '../../demo/servers/temporal-server.ts';
import type { FaultRule } from '../../demo/simulated-plane/faults.ts';
import { LONG, startSystem, until } from './harness.ts';
import { expectMissedInOutageOnly, TO_DONE, ticksInOrder } from './item.ts';
import { withSystem } from './with-system.ts';

// What a worker depends on goes away in mid-run: a status is late rather than wrong, and nothing is lost or stuck.

async function onOwnPostgres(run: (postgres: PostgresServer, databaseUrl: string) => Promise<void>): Promise<void> {
  const postgres = await startPostgresServer();
  try {
    const databaseUrl = await postgres.createDatabase();
    await migrate({ url: databaseUrl });
    await run(postgres, databaseUrl);
  } finally {
    await postgres.stop();
  }
}

/** Answers that a write of Plane may get. */
const FAULTS: readonly (readonly [string, FaultRule])[] = [
  ['429 with Retry-After', { mode: 'status', status: 429, body: { error: 'slow' }, headers: { 'Retry-After': '2' } }],
  ['500, not applied', { mode: 'status', status: 500, body: { error: 'Something went wrong' } }],
  ['500 after it was applied', { mode: 'applyThenStatus', status: 500, body: { error: 'Something went wrong' } }],
  ['a reset after it was applied', { mode: 'applyThenReset' }],
  ['a reset before', { mode: 'resetBefore' }],
  ['a web page in place of an answer', { mode: 'status', status: 502, body: '<html>Bad gateway</html>' }],
];

describe.concurrent('outages', LONG, () => {
  // The longest one goes first: the first new try of a write that only a person can mend comes after a minute.
  test('the API key is revoked: somebody is called, and Done is written once the key is back', () =>
    withSystem({}, async (system, item) => {
      const { control } = system.plane;
      await system.startWorker();
      await item.start();
      await item.untilShown('Monitoring after Deploy');
      control.revokeKey(system.plane.apiKey);
      await until(() => expect(system.alerts.about(item.workItem)).toHaveLength(1));
      expect(system.alerts.about(item.workItem)[0]).toMatchObject({
        title: `${item.workItem}: its status in the tracker is not certain`,
        text: expect.stringMatching(
          /the last status cannot be written, it is tried again every few minutes: .* The API key is wrong, expired or revoked/,
        ),
      });
      expect(item.status()).toBe('Monitoring after Deploy');
      control.restoreKey(system.plane.apiKey);
      expect(await item.result()).toMatchObject({ outcome: 'done' });
      expect(item.history()).toEqual(TO_DONE);
    }));

  test('Temporal is killed in mid-window: the worker stays, and the window goes on once Temporal is back', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'd2d-temporal-'));
    const onDisk = { cli: inject('temporalCli'), ui: 'off', dbFilename: join(folder, 'temporal.db') } as const;
    const first = await startTemporalServer({ ...onDisk, keywords: SEARCH_ATTRIBUTES });
    let running = first;
    try {
      await withSystem(
        { temporalAddress: first.address, window: { seconds: 30, intervalSeconds: 3 } },
        async (system, item) => {
          const worker = await system.startWorker();
          await item.start();
          await item.untilTick(2);
          const killedAt = Date.now();
          await first.kill();
          await delay(2_000); // long enough for calls to fail meanwhile
          running = await startTemporalServer({ ...onDisk, port: Number(first.address.split(':')[1]) });
          expect(await item.result()).toMatchObject({ outcome: 'done' });
          expect(item.history()).toEqual(TO_DONE);
          expectMissedInOutageOnly(await item.windowStatus(), killedAt);
          worker.signal('SIGTERM');
          expect(await worker.ended).toEqual({ code: 0, signal: null });
        },
      );
    } finally {
      await running.kill();
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('Postgres stops in mid-window: the window goes on, Done is late, and written once Postgres is back', () =>
    onOwnPostgres((postgres, databaseUrl) =>
      withSystem({ databaseUrl }, async (system, item) => {
        await system.startWorker();
        await item.start();
        await item.untilShown('Monitoring after Deploy');
        await item.untilTick(1);
        await postgres.pause();
        await until(async () =>
          expect(await item.windowStatus()).toMatchObject({ phase: 'closed', outcome: 'healthy' }),
        );
        expect(item.status()).toBe('Monitoring after Deploy');
        await postgres.resume();
        expect(await item.result()).toMatchObject({ outcome: 'done' });
        expect(item.history()).toEqual(TO_DONE);
        ticksInOrder(await item.windowStatus());
      }),
    ));

  test('Postgres is killed before the deploy is recorded: tasks.stage is set once it is back', () =>
    onOwnPostgres((postgres, databaseUrl) =>
      withSystem({ databaseUrl }, async (system, item) => {
        await system.startWorker();
        system.production.hold(item.repo);
        await item.start();
        await system.production.whenHeld(item.repo);
        await postgres.crash();
        system.production.release(item.repo);
        await until(async () => expect((await item.deployStatus()).phase).toBe('checking'));
        expect(item.status()).toBe('Deploying');
        await postgres.resume();
        expect(await item.result()).toMatchObject({ outcome: 'done' });
        expect(item.history()).toEqual(TO_DONE);
        expect(await item.stage()).toBe('done');
        expect(system.production.operations(item.repo)).toHaveLength(1);
      }),
    ));

  test('Plane is down while the window closes: Done is written once it is back', () =>
    withSystem({}, async (system, item) => {
      const { control } = system.plane;
      await system.startWorker();
      await item.start();
      await item.untilShown('Monitoring after Deploy');
      await control.refuseConnections();
      await until(async () => expect((await item.windowStatus()).phase).toBe('closed'));
      expect(item.status()).toBe('Monitoring after Deploy');
      await control.acceptConnections();
      expect(await item.result()).toMatchObject({ outcome: 'done' });
      expect(item.history()).toEqual(TO_DONE);
    }));

  test('the work item is deleted in mid-run: mirroring ends, the watch does not', () =>
    withSystem({}, async (system, item) => {
      await system.startWorker();
      await item.start();
      await item.untilShown('Monitoring after Deploy');
      await item.untilTick(1);
      system.plane.control.deleteWorkItem(item.workItem);
      expect(await item.result()).toMatchObject({ outcome: 'done' });
      expect(await item.stage()).toBe('done');
      const { outcome, notes } = await item.windowStatus();
      expect(outcome).toBe('healthy');
      expect(notes.map(({ text }) => text)).toEqual([
        expect.stringMatching(/^mirroring ended: .* It is unknown, deleted or archived\.$/),
      ]);
    }));

  test('two writes of Plane go wrong: each status is shown once, whatever the answer was', async () => {
    const system = await startSystem({ repos: FAULTS.length });
    try {
      await system.startWorker();
      const items = await Promise.all(FAULTS.map(() => system.addItem()));
      for (const [index, [, fault]] of FAULTS.entries()) {
        const path = items[index]?.planeId ?? '';
        for (const nth of [2, 3])
          system.plane.control.fault({ ...fault, match: { method: 'PATCH', path, nth, times: 1 } });
      }
      await Promise.all(items.map((item) => item.start()));
      for (const [index, item] of items.entries()) {
        const name = FAULTS[index]?.[0];
        expect(await item.result(), name).toMatchObject({ outcome: 'done' });
        expect(item.history(), name).toEqual(TO_DONE);
      }
      const met = system.plane.control.requests().filter(({ fault }) => fault !== null);
      expect(met).toHaveLength(2 * FAULTS.length);

      // The rate limit is waited out: nothing is written before the time that Plane has named.
      const writes = system.plane.control
        .requests()
        .filter(({ method, path }) => method === 'PATCH' && path.includes(items[0]?.planeId ?? ''));
      for (const [index, { status, at }] of writes.entries()) {
        if (status === 429) expect((writes[index + 1]?.at ?? 0) - at).toBeGreaterThanOrEqual(2_000);
      }
    } finally {
      await system.close();
    }
  });
});
