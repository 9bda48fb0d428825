import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { lockKey } from '../../adapters/postgres/work-item-lock.ts';
import { SET_STATUS_WORKFLOW } from '../../workflows/messages.ts';
import { runProcess } from '../client/run-cli.ts';
import { unique } from '../setup/temporal.ts';
import { LONG, type System, until } from './harness.ts';
import type { Item } from './item.ts';
import { withSystem } from './with-system.ts';

// Faults of a status write that leave somebody else's half of it behind. Each says how long the status was wrong or late:
// docs/reliability.md has the figures.

const tell = (what: string, ms: number): void => void process.stdout.write(`${what}: ${(ms / 1_000).toFixed(1)} s\n`);

const setStatus = (system: System, repo: string, workItem: string, status = 'deploying') =>
  system.temporal.client.workflow.start(SET_STATUS_WORKFLOW, {
    taskQueue: system.taskQueue,
    workflowId: unique('stale'),
    args: [{ repo, workItem, status, caller: 'stale-caller' }],
  });

const done = (system: System, { workItem }: Item) =>
  system.sql("update tasks set stage = 'done', updated_at = now() where work_item_id = $1", [workItem]);

describe.concurrent('faults of a status write', LONG, () => {
  test('a session that holds the lock and never speaks again: the database ends it, and the write is late', () =>
    withSystem({}, async (system, item) => {
      await system.startWorker();
      // As a worker that was frozen right after it took the lock: the same statements, and then nothing.
      const frozen = new Client({ connectionString: system.env()['DATABASE_URL'] ?? '' });
      frozen.on('error', () => {}); // it is ended
      await frozen.connect();
      await frozen.query(`begin; set local idle_in_transaction_session_timeout = '20s';
        select pg_advisory_xact_lock('${lockKey(item.workItem)}'::bigint)`);
      const since = Date.now();
      await (await setStatus(system, item.repo, item.workItem)).result();
      tell('lock held by a dead session, status late by', Date.now() - since);
      expect(item.history()).toEqual(['Deploying']);
      expect(Date.now() - since).toBeGreaterThan(15_000); // that it was in the way at all
      await frozen.end().catch(() => {});
    }));

  test('a worker that is stopped between its evidence and its write (SIGSTOP) wakes up too late, and writes nothing', () =>
    withSystem({}, async (system, item) => {
      const { control } = system.plane;
      const first = await system.startWorker();
      control.fault({ mode: 'hold', phase: 'after', match: { method: 'GET', path: item.workItem, times: 1 } });
      const stale = await setStatus(system, item.repo, item.workItem, 'awaiting_deploy');
      await control.whenHeld(1); // it has its evidence
      first.signal('SIGSTOP');
      control.release();
      await system.startWorker();
      await stale.result(); // the other worker has tried it again, once the lock was free
      await done(system, item);
      expect((await runProcess(system.env(), 'reconcile')).code).toBe(0);
      expect(item.history()).toEqual(['Awaiting Deploy', 'Done']);
      first.signal('SIGCONT');
      await until(() => expect(first.log().some(({ msg }) => String(msg).includes('Activity failed'))).toBe(true));
      await delay(2_000); // time for a write that must not come
      expect(item.history()).toEqual(['Awaiting Deploy', 'Done']);
    }));

  test('50 work items at once, with a rate limit for a part of them: each status is written, none is lost', () =>
    withSystem({ repos: 50 }, async (system, item) => {
      const { control } = system.plane;
      const items = [item];
      while (items.length < 50) items.push(await system.addItem());
      await system.startWorker();
      control.setRateLimit(60, 10_000); // as Plane, in a sixth of the time
      control.clearRequests();
      const since = Date.now();
      const started = await Promise.all(items.map(({ repo, workItem }) => setStatus(system, repo, workItem)));
      await Promise.all(started.map((handle) => handle.result()));
      const refused = control.requests().filter(({ status }) => status === 429).length;
      tell(
        `50 statuses at once, ${refused} requests refused by the rate limit, the last one after`,
        Date.now() - since,
      );
      expect(refused).toBeGreaterThan(0);
      expect(items.map((each) => each.status())).toEqual(items.map(() => 'Deploying'));
      expect(items.map((each) => each.history().length)).toEqual(items.map(() => 1));
    }));

  test('a state is renamed in mid-run: it keeps its id, and is written all the same', () =>
    withSystem({}, async (system, item) => {
      await system.startWorker();
      await item.start();
      await item.untilShown('Monitoring after Deploy');
      system.plane.control.renameState('ORCH', 'Done', 'Finished');
      expect(await item.result()).toMatchObject({ outcome: 'done' });
      expect(item.status()).toBe('Finished');
    }));

  test('a state is deleted in mid-run: somebody is called, and Done is written once it is there again', () =>
    withSystem({}, async (system, item) => {
      const { control } = system.plane;
      await system.startWorker();
      await item.start();
      await item.untilShown('Monitoring after Deploy');
      control.deleteState('ORCH', 'Done');
      await until(() => expect(system.alerts.about(item.workItem)).toHaveLength(1));
      expect(system.alerts.about(item.workItem)[0]?.text).toContain('the project has no state "Done"');
      control.addState('ORCH', { name: 'Done', group: 'completed' });
      const since = Date.now();
      expect(await item.result()).toMatchObject({ outcome: 'done' });
      tell('a state that was deleted, Done written after it was there again by', Date.now() - since);
      expect(item.status()).toBe('Done');
    }));
});
