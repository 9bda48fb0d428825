import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { describe, expect, inject, test } from 'vitest';
import { migrate } from '../../adapters/postgres/migrate.ts';
import { lockKey } from '../../adapters/postgres/work-item-lock.ts';
import { SEARCH_ATTRIBUTES } from '../../adapters/temporal/search-attributes.ts';
import { type PostgresServer, startPostgresServer } from '../../demo/servers/postgres-server.ts';
import { startTemporalServer } from '../../demo/servers/temporal-server.ts';
import type { FaultRule } from '../../demo/simulated-plane/faults.ts';
import { runHere } from '../client/run-cli.ts';
import { eventually } from '../setup/eventually.ts';
import type { System } from './harness.ts';
import {
  expectMissedInOutageOnly,
  HELD_OPEN,
  type Item,
  PROBES_FOR_EVIDENCE,
  TEN_TICKS,
  TO_DONE,
  ticksInOrder,
} from './item.ts';
import { sharedSystem, withSystem } from './with-system.ts';
import type { WorkerProcess } from './worker-process.ts';

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

interface OwnTemporal {
  readonly address: string;
  /** kill -9. */
  kill(): Promise<void>;
  /** Starts it again, on its file. */
  restart(): Promise<void>;
}

async function onOwnTemporal(run: (temporal: OwnTemporal) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'd2d-temporal-'));
  const onDisk = { cli: inject('temporalCli'), ui: 'off', dbFilename: join(folder, 'temporal.db') } as const;
  let server = await startTemporalServer({ ...onDisk, keywords: SEARCH_ATTRIBUTES });
  const { address } = server;
  try {
    await run({
      address,
      kill: () => server.kill(),
      async restart() {
        server = await startTemporalServer({ ...onDisk, port: Number(address.split(':')[1]) });
      },
    });
  } finally {
    await server.kill();
    await rm(folder, { recursive: true, force: true });
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

const tell = (what: string, ms: number): void => void process.stdout.write(`${what}: ${(ms / 1_000).toFixed(1)} s\n`);

/** Waits until a status is shown, now that what was wrong is right again, and tells how late it was. */
async function shownIn(what: string, item: Item, status: string): Promise<void> {
  const since = Date.now();
  await item.untilShown(status);
  tell(`${what}, then ${status} after`, Date.now() - since);
}

/** A deploy is held in the middle. @returns its worker. */
async function deployingHeld({ startWorker, production }: System, item: Item): Promise<WorkerProcess> {
  const worker = await startWorker();
  production.hold(item.repo);
  await item.start();
  await production.whenHeld(item.repo);
  return worker;
}

/** The same, and Plane takes no connections from now on. */
async function deployingWithPlaneAway(system: System, item: Item): Promise<void> {
  await deployingHeld(system, item);
  await item.untilShown('Deploying');
  await system.plane.control.refuseConnections();
}

describe.concurrent('outages', () => {
  const onShared = sharedSystem({ repos: 2 + FAULTS.length });

  test('a session that holds the lock and never speaks again: the database ends it, and the write is late', () =>
    onShared(async (system, item) => {
      // As a worker that was frozen right after it took the lock: the same statements, and then nothing.
      const frozen = new Client({ connectionString: system.env()['DATABASE_URL'] ?? '' });
      frozen.on('error', () => {}); // it is ended
      await frozen.connect();
      const since = Date.now();
      await frozen.query(`begin; set local idle_in_transaction_session_timeout = '20s';
        select pg_advisory_xact_lock('${lockKey(item.workItem)}'::bigint)`);
      await (await item.setStatus('deploying')).result();
      tell('lock held by a dead session, status late by', Date.now() - since);
      expect(item.history()).toEqual(['Deploying']);
      expect(Date.now() - since).toBeGreaterThan(15_000); // that it was in the way at all
      await frozen.end().catch(() => {});
    }));

  test('a worker that is stopped between its evidence and its write (SIGSTOP) wakes up too late, and writes nothing', () =>
    withSystem({ env: { ORCH_LOG_LEVEL: 'debug' } }, async (system, item) => {
      const { control } = system.plane;
      // Both are there from the beginning: one such call is tried for two minutes only.
      const workers = await Promise.all([system.startWorker(), system.startWorker()]);
      control.fault({ mode: 'hold', phase: 'after', match: { method: 'GET', path: item.workItem, times: 1 } });
      // At once when one of them has its evidence: it waits for this answer for 10 s only.
      const stopped = control.whenHeld(1).then(() =>
        eventually(() => {
          const holder = workers.find((worker) => worker.log().some(({ msg }) => msg === 'deploy status guard'));
          if (holder === undefined) throw new Error('no worker has decided on a status yet');
          holder.signal('SIGSTOP');
          return holder;
        }),
      );
      const stale = await item.setStatus('awaiting_deploy');
      const holder = await stopped;
      control.release();
      await stale.result(); // the other worker has tried it again, once the lock was free
      await item.setStage('done');
      expect((await runHere(system.env(), 'reconcile')).code).toBe(0);
      expect(item.history()).toEqual(['Awaiting Deploy', 'Done']);
      holder.signal('SIGCONT');
      // Its poller may have been given an activity of the sweep as well.
      const attempts = () =>
        holder
          .log()
          .filter(
            ({ msg, activityType }) => activityType === 'setAwaitingDeploy' && /^Activity (failed|completed)/.test(msg),
          );
      await eventually(() => expect(attempts()).not.toEqual([]));
      expect(JSON.stringify(attempts()[0])).toMatch(
        // Whichever is noticed first: its age, or that the server has given the attempt up.
        /no whole answer within|The lock on work item .* was lost|The evidence about .* is \d+ s old|as cancelled/,
      );
      await delay(2_000); // time for a write that must not come
      expect(item.history()).toEqual(['Awaiting Deploy', 'Done']);
    }));

  test('50 work items at once, with a rate limit for a part of them: each status is written, none is lost', () =>
    withSystem({ repos: 50 }, async (system, item) => {
      const { control } = system.plane;
      const items = [item];
      while (items.length < 50) items.push(await system.addItem());
      await system.startWorker();
      control.setRateLimit(60, 20_000); // as Plane, in a third of the time
      control.clearRequests();
      const since = Date.now();
      const started = await Promise.all(items.map((each) => each.setStatus('deploying')));
      const refused = () => control.requests().filter(({ status }) => status === 429).length;
      await Promise.all(started.map((handle) => handle.result()));
      tell(
        `50 statuses at once, ${refused()} requests refused by the rate limit, the last one after`,
        Date.now() - since,
      );
      expect(items.map((each) => each.status())).toEqual(items.map(() => 'Deploying'));
      expect(items.map((each) => each.history().length)).toEqual(items.map(() => 1));
      expect(refused()).toBeLessThanOrEqual(10);
    }));

  test('a state is renamed in mid-run: it keeps its id, and is written all the same', () =>
    withSystem({ window: HELD_OPEN }, async (system, item) => {
      await system.startWorker();
      await item.start();
      await item.untilShown('Monitoring after Deploy');
      system.plane.control.renameState('ORCH', 'Done', 'Finished');
      await item.close();
      expect(await item.result()).toMatchObject({ outcome: 'closed_early' });
      expect(item.status()).toBe('Finished');
    }));

  test('a state is deleted in mid-run: somebody is called, and Done is written once it is there again', () =>
    withSystem({ window: HELD_OPEN }, async (system, item) => {
      const { control } = system.plane;
      await system.startWorker();
      await item.start();
      await item.untilShown('Monitoring after Deploy');
      control.deleteState('ORCH', 'Done');
      await item.close();
      await eventually(() => expect(system.alerts.about(item.workItem)).toHaveLength(1));
      expect(system.alerts.about(item.workItem)[0]?.text).toContain('the project has no state "Done"');
      control.addState('ORCH', { name: 'Done', group: 'completed' });
      await shownIn('a state deleted and made again', item, 'Done');
      expect(await item.result()).toMatchObject({ outcome: 'closed_early' });
      expect(item.status()).toBe('Done');
    }));

  // The longest one goes first: the first new try of a write that only a person can mend comes after a minute.
  test('the API key is revoked and replaced: somebody is called, and Done is written by a worker with the new one', () =>
    withSystem({ window: HELD_OPEN }, async (system, item) => {
      const { control } = system.plane;
      const worker = await system.startWorker();
      await item.start();
      await item.untilShown('Monitoring after Deploy');
      control.revokeKey(system.plane.apiKey);
      await item.close();
      const uncertain = `${item.workItem}: its status in the tracker is not certain`;
      const alert = await eventually(() => {
        const sent = system.alerts.about(item.workItem).filter(({ title }) => title === uncertain);
        expect(sent).toHaveLength(1);
        return sent[0];
      });
      expect(alert).toMatchObject({
        text: expect.stringMatching(
          /the last status cannot be written; retrying every few minutes: .* The API key is wrong, expired or revoked/,
        ),
      });
      expect(item.status()).toBe('Monitoring after Deploy');
      control.addKey({ token: 'plane_api_another', displayName: 'deploy-bot' });
      worker.signal('SIGTERM');
      await worker.ended;
      await system.startWorker({ ORCH_PLANE_API_KEY: 'plane_api_another' });
      await shownIn('a key that was replaced', item, 'Done');
      expect(await item.result()).toMatchObject({ outcome: 'closed_early' });
      expect(item.history()).toEqual(TO_DONE);
    }));

  test('Plane is away for longer than a status may take: the deploy and the watch go on, and Done is written', () =>
    withSystem({}, async (system, item) => {
      const { control } = system.plane;
      await deployingWithPlaneAway(system, item);
      system.production.release(item.repo);
      await eventually(async () =>
        expect((await item.deployStatus()).notes.map(({ text }) => text)).toEqual([
          expect.stringMatching(/^Monitoring after Deploy could not be shown: /),
        ]),
      );
      expect(await item.windowStatus()).toMatchObject({ phase: 'closed', outcome: 'healthy' });
      expect([item.status(), await item.stage()]).toEqual(['Deploying', 'done']);
      await control.acceptConnections();
      await shownIn('Plane away for longer than a status may take', item, 'Done');
      expect(await item.result()).toMatchObject({ outcome: 'done' });
      expect(item.history()).toEqual(['Awaiting Deploy', 'Deploying', 'Done']);
    }));

  test('Plane is away while a run is cancelled: the status from before it is put back once Plane is there again', () =>
    withSystem({}, async (system, item) => {
      const { control } = system.plane;
      await deployingWithPlaneAway(system, item);
      await system.client.cancelRun(item, { by: 'oncall', reason: 'not now' });
      system.production.release(item.repo);
      await eventually(async () =>
        expect(await item.deployStatus()).toMatchObject({
          phase: 'finished',
          notes: expect.arrayContaining([
            expect.objectContaining({
              text: expect.stringMatching(/^the last status could not be written yet and is retried: /),
            }),
          ]),
        }),
      );
      expect(item.status()).toBe('Deploying');
      await eventually(async () =>
        expect((await runHere(system.env(), 'status', item.workItem)).stdout).toMatch(
          /tries again: restoreStatus, attempt \d+: .* the connection was refused/,
        ),
      );
      await control.acceptConnections();
      await shownIn('Plane away while a run is cancelled', item, 'In Progress');
      expect(await item.result()).toMatchObject({ outcome: 'cancelled' });
    }));

  test('Temporal is killed in mid-window: the worker stays, and the window goes on once Temporal is back', () =>
    onOwnTemporal((temporal) =>
      withSystem({ temporalAddress: temporal.address, window: TEN_TICKS }, async (system, item) => {
        const worker = await system.startWorker();
        await item.start();
        await item.untilProbed(PROBES_FOR_EVIDENCE);
        const killedAt = Date.now();
        await temporal.kill();
        await delay(2_000); // long enough for calls to fail meanwhile
        await temporal.restart();
        expect(await item.result()).toMatchObject({ outcome: 'done' });
        expect(item.history()).toEqual(TO_DONE);
        expectMissedInOutageOnly(await item.windowStatus(), killedAt);
        worker.signal('SIGTERM');
        expect(await worker.ended).toEqual({ code: 0, signal: null });
      }),
    ));

  // The SDK repeats a result for some 10 s, and a heartbeat is late by the whole outage.
  test.each([
    ['14 s, in which the command ends', 14_000, true],
    ['60 s, and the command ends afterwards', 60_000, false],
  ])(
    'Temporal is away during a deploy for %s: the deploy runs on, once, and its result counts',
    (_, awayMs, endsMeanwhile) =>
      onOwnTemporal((temporal) =>
        withSystem(
          { temporalAddress: temporal.address, env: { ORCH_TEMPORAL_OUTAGE_SECONDS: '300' } },
          async (system, item) => {
            const { production } = system;
            const worker = await deployingHeld(system, item);
            await temporal.kill();
            if (endsMeanwhile) production.release(item.repo);
            await delay(awayMs);
            await temporal.restart();
            if (!endsMeanwhile) {
              await delay(5_000); // a heartbeat time-out would end it now
              production.release(item.repo);
            }
            expect(await item.result()).toMatchObject({ outcome: 'done' });
            expect(production.operations(item.repo)).toHaveLength(1);
            expect(worker.log().filter(({ msg }) => msg === 'deploy was cut off')).toEqual([]);
          },
        ),
      ),
  );

  test('Temporal is away for longer than is promised: the worker ends the command before it may be run again', () =>
    onOwnTemporal((temporal) =>
      withSystem(
        { temporalAddress: temporal.address, driver: 'idempotent', env: { ORCH_TEMPORAL_OUTAGE_SECONDS: '3' } },
        async (system, item) => {
          const { production } = system;
          const worker = await deployingHeld(system, item);
          await temporal.kill();
          const cut = await worker.said('deploy was cut off');
          expect(JSON.stringify(cut)).toContain('its worker could not reach Temporal for 3 s');
          production.release(item.repo);
          await temporal.restart();
          expect(await item.result()).toMatchObject({ outcome: 'done' });
          const told = worker
            .log()
            .flatMap(({ msg }) => (/^deploy (begins|was cut off|succeeded)$/.test(String(msg)) ? [msg] : []));
          expect(told).toEqual(['deploy begins', 'deploy was cut off', 'deploy begins', 'deploy succeeded']);
        },
      ),
    ));

  test('Postgres stops in mid-window: the window goes on, Done is late, and written once Postgres is back', () =>
    onOwnPostgres((postgres, databaseUrl) =>
      withSystem({ databaseUrl, window: { ...HELD_OPEN, intervalSeconds: 4 } }, async (system, item) => {
        await system.startWorker();
        await item.start();
        await item.untilShown('Monitoring after Deploy');
        await item.untilTick(1);
        await postgres.pause();
        const { tick } = await item.windowStatus();
        await item.untilTick(tick + 2);
        const report = await item.close();
        expect(item.status()).toBe('Monitoring after Deploy');
        await postgres.resume();
        await shownIn('Postgres stopped in mid-window', item, 'Done');
        expect(await item.result()).toMatchObject({ outcome: 'closed_early' });
        expect(item.history()).toEqual(TO_DONE);
        expect(report.degradedAt).toBeNull();
        ticksInOrder(report);
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
        await eventually(async () => expect((await item.deployStatus()).phase).toBe('checking'));
        expect(item.status()).toBe('Deploying');
        await postgres.resume();
        await shownIn('Postgres killed before the deploy was recorded', item, 'Monitoring after Deploy');
        expect(await item.result()).toMatchObject({ outcome: 'done' });
        expect(item.history()).toEqual(TO_DONE);
        expect(await item.stage()).toBe('done');
        expect(system.production.operations(item.repo)).toHaveLength(1);
      }),
    ));

  test('Plane is down while the window closes: Done is written once it is back', () =>
    withSystem({ window: HELD_OPEN }, async (system, item) => {
      const { control } = system.plane;
      await system.startWorker();
      await item.start();
      await item.untilShown('Monitoring after Deploy');
      await control.refuseConnections();
      await item.close();
      expect((await item.windowStatus()).phase).toBe('closed');
      expect(item.status()).toBe('Monitoring after Deploy');
      await control.acceptConnections();
      await shownIn('Plane down while the window closed', item, 'Done');
      expect(await item.result()).toMatchObject({ outcome: 'closed_early' });
      expect(item.history()).toEqual(TO_DONE);
    }));

  test('the work item is deleted in mid-run: mirroring ends, the watch does not', () =>
    onShared(async (system, item) => {
      // By the first probe: its window is open then, however late this test is.
      const deleted = system.production
        .whenProbed(item.repo)
        .then(() => system.plane.control.deleteWorkItem(item.workItem));
      await item.start();
      await deleted;
      expect(await item.result()).toMatchObject({ outcome: 'done' });
      expect(await item.stage()).toBe('done');
      const { outcome, notes } = await item.windowStatus();
      expect(outcome).toBe('healthy');
      expect(notes.map(({ text }) => text)).toEqual([
        expect.stringMatching(/^mirroring ended: .* It is unknown, deleted or archived\.$/),
      ]);
    }));

  test('two writes of Plane go wrong: each status is shown once, whatever the answer was', () =>
    onShared(async (system, first) => {
      const items = [first];
      while (items.length < FAULTS.length) items.push(await system.addItem());
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
        .filter(({ method, path }) => method === 'PATCH' && path.includes(first.planeId));
      for (const [index, { status, at }] of writes.entries()) {
        if (status === 429) expect((writes[index + 1]?.at ?? 0) - at).toBeGreaterThanOrEqual(2_000);
      }
    }));
});
