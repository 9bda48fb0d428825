/** TC-01 to TC-12 of the deploy status guard, at the setters: docs/guard-tests.md lists them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GuardVerdict } from '../../decisions/index.ts';
import { unique } from '../setup/temporal.ts';
import { type GuardServers, guardServers, WINDOWS, type WindowKind } from './guard/servers.ts';
import { guardWorld, SHOWN, TARGETS } from './guard/world.ts';

let servers: GuardServers;
beforeAll(async () => {
  servers = await guardServers();
});
afterAll(() => servers.close());

const OFF = { ORCH_DEPLOY_STATUS_GUARD_ENABLED: 'false' };
const ACTIVE: readonly WindowKind[] = ['started', 'open', 'acting'];

describe('TC-01 verdict table', () => {
  const STAGES: readonly { stage: string | null; means: 'open' | 'done' | 'cancelled' }[] = [
    { stage: 'deploy', means: 'open' },
    { stage: 'in review', means: 'open' },
    { stage: null, means: 'open' },
    { stage: 'done', means: 'done' },
    { stage: ' DONE ', means: 'done' },
    { stage: 'cancelled', means: 'cancelled' },
    { stage: 'Cancelled\n', means: 'cancelled' },
  ];
  const ROWS = STAGES.flatMap(({ stage, means }) => WINDOWS.map((window) => ({ stage, means, window })));

  test.each(ROWS)('TC-01 stage $stage, window $window: each setter', async ({ stage, means, window }) => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage, window });
    const active = ACTIVE.includes(window);
    for (const target of TARGETS) {
      world.control.uiSetState(key, 'In Progress');
      world.forget();
      const expected: { verdict: GuardVerdict; status: keyof typeof SHOWN | null } =
        means === 'cancelled'
          ? { verdict: 'SUPPRESS', status: null }
          : means === 'open'
            ? { verdict: 'ALLOW', status: target }
            : active
              ? { verdict: 'ALLOW', status: 'monitoring' }
              : { verdict: 'CONVERGE_DONE', status: 'done' };
      const { verdict, status } = expected;
      expect(await world.set(target, key)).toMatchObject({ verdict, status, wrote: status !== null });
      expect(world.shows(key)).toBe(status === null ? 'In Progress' : SHOWN[status]);
      expect(world.patches()).toBe(status === null ? 0 : 1);
      expect(world.logged()).toMatchObject([{ target, db_stage: stage, window_active: active, verdict }]);
    }
  });
});

describe('TC-02 each setter', () => {
  test.each(TARGETS)('TC-02 %s shows its status on a task that is not terminal, and nothing else', async (target) => {
    const world = await guardWorld(servers);
    const key = await world.item();
    expect(await world.set(target, key)).toMatchObject({ verdict: 'ALLOW', status: target, wrote: true });
    expect(world.history(key)).toEqual([SHOWN[target]]);
  });

  test('TC-02 in a row they show what a deploy shows', async () => {
    const world = await guardWorld(servers);
    const key = await world.item();
    for (const target of TARGETS) await world.set(target, key);
    expect(world.history(key)).toEqual(TARGETS.map((target) => SHOWN[target]));
  });
});

describe('TC-03 the window is armed before the terminal sync (D3)', () => {
  test('TC-03 the first Monitoring is allowed on a done task, though no worker has seen its window yet', async () => {
    const world = await guardWorld(servers);
    const key = await world.item({ shown: 'Deploying' });
    await servers.setStage(key, 'done');
    await servers.openWindow(world.selfHosting, key, 'started');
    expect(await world.set('monitoring', key)).toMatchObject({ verdict: 'ALLOW', status: 'monitoring', wrote: true });
    expect(world.history(key)).toEqual(['Monitoring after Deploy']);
  });

  test('TC-03 the other order loses it: without a window that is armed, Monitoring converges to Done', async () => {
    const world = await guardWorld(servers);
    const key = await world.item({ shown: 'Deploying', stage: 'done' });
    expect(await world.set('monitoring', key)).toMatchObject({ verdict: 'CONVERGE_DONE' });
    expect(world.history(key)).toEqual(['Done']);
  });

  test.each(TARGETS)('TC-03 a stale %s under the window shows Monitoring all the same', async (target) => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage: 'done', window: 'open', shown: 'Monitoring after Deploy' });
    expect(await world.set(target, key)).toMatchObject({ verdict: 'ALLOW', status: 'monitoring', wrote: false });
    expect(world.history(key)).toEqual([]);
  });
});

describe('TC-04 a re-drive after the window', () => {
  test.each(['closed', 'ended'] as const)('TC-04 the window is %s: every setter converges to Done', async (window) => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage: 'done', window: 'open', shown: 'Monitoring after Deploy' });
    expect(await world.set('monitoring', key)).toMatchObject({ verdict: 'ALLOW', wrote: false });
    await servers.tellWindow(world.selfHosting, key, window === 'ended' ? 'end' : 'closed');
    for (const target of TARGETS) {
      expect(await world.set(target, key)).toMatchObject({ verdict: 'CONVERGE_DONE', status: 'done' });
    }
    expect(world.history(key)).toEqual(['Done']);
  });

  test('TC-04 the incident of ORCH-061: a hundred stale calls do not move Done', async () => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage: 'done', shown: 'Done' });
    for (let n = 0; n < 100; n += 1) await world.set(n % 2 === 0 ? 'awaiting_deploy' : 'monitoring', key);
    expect(world.history(key)).toEqual([]);
    expect(world.patches()).toBe(0);
  });
});

describe('TC-05 zombie tick (FR-3, D4)', () => {
  test.each(ACTIVE)('TC-05 the task was cancelled while its window is %s: nobody writes anything', async (window) => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage: 'done', window, shown: 'Monitoring after Deploy' });
    expect(await world.set('monitoring', key)).toMatchObject({ verdict: 'ALLOW' });
    await servers.setStage(key, 'cancelled');
    world.forget();
    for (const target of TARGETS) {
      expect(await world.set(target, key)).toMatchObject({ verdict: 'SUPPRESS', status: null, wrote: false });
    }
    const request = world.request(key);
    expect(await world.activities.convergeDone(request)).toMatchObject({
      verdict: 'SUPPRESS',
      status: null,
      wrote: false,
    });
    expect(await world.activities.settleStatus(request)).toMatchObject({ wrote: false });
    expect(world.asked()).toEqual([]);
    expect(world.shows(key)).toBe('Monitoring after Deploy');
  });
});

describe('TC-06 the kill-switch is 1:1', () => {
  test.each(TARGETS)('TC-06 off: %s is one PATCH a call, whatever stands there', async (target) => {
    const world = await guardWorld(servers, { env: OFF });
    const key = await world.item({ stage: 'cancelled', shown: SHOWN[target] });
    await world.set(target, key);
    world.forget();
    for (let call = 1; call <= 3; call += 1) {
      expect(await world.set(target, key)).toMatchObject({ verdict: 'ALLOW', status: target, wrote: true });
      expect(world.asked()).toEqual(Array.from({ length: call }, () => 'PATCH'));
    }
  });

  test('TC-06 off: the incident is there again', async () => {
    const world = await guardWorld(servers, { env: OFF });
    const key = await world.item({ stage: 'done', shown: 'Done' });
    await world.set('awaiting_deploy', key);
    await world.set('monitoring', key);
    expect(world.history(key)).toEqual(['Awaiting Deploy', 'Monitoring after Deploy']);
  });

  test('TC-06 off: it does not wait for the lock', async () => {
    const world = await guardWorld(servers, { env: OFF });
    const key = await world.item({ stage: 'done' });
    const letGo = await servers.holdLock(key);
    await world.set('deploying', key); // with the lock it would fail after 10 s
    expect(await servers.lockIsFree(key)).toBe(false);
    expect(world.history(key)).toEqual(['Deploying']);
    await letGo();
  });

  test('TC-06 off: nothing is read, so it works where neither Postgres nor Temporal can be reached', async () => {
    const world = await guardWorld(servers, { env: OFF, postgres: 'gone', temporal: 'gone' });
    const key = await world.item({ stage: 'done' });
    for (const target of TARGETS) await world.set(target, key);
    await world.activities.convergeDone(world.request(key));
    await world.activities.restoreStatus({ ...world.request(key), before: null });
    expect(world.history(key)).toEqual([
      'Awaiting Deploy',
      'Deploying',
      'Monitoring after Deploy',
      'Done',
      'Awaiting Deploy',
    ]);
    expect(world.count).toEqual({ lockRoundTrips: 0, statements: 0, describes: 0 });
    expect(await world.activities.settleStatus(world.request(key))).toMatchObject({ wrote: false });
  });

  test('TC-06 off: one log line a call, which says that nothing was read', async () => {
    const world = await guardWorld(servers, { env: OFF });
    const key = await world.item({ stage: 'done', window: 'open' });
    await world.set('deploying', key);
    expect(world.logged()).toEqual([
      {
        level: 'info',
        msg: 'deploy status guard',
        work_item: key,
        caller: 'test',
        target: 'deploying',
        db_stage: null,
        window_active: false,
        verdict: 'ALLOW',
      },
    ]);
  });
});

describe('TC-07 the scope, a CSV', () => {
  const guarded = { verdict: 'CONVERGE_DONE', status: 'done' };
  const unguarded = { verdict: 'ALLOW', status: 'deploying', wrote: true };

  test.each([
    { list: 'shop', repo: 'shop', inScope: true },
    { list: ' Shop , ,other', repo: 'shop', inScope: true },
    { list: 'other,shop', repo: ' SHOP ', inScope: true },
    { list: 'shop', repo: 'shop-2', inScope: false },
    { list: 'shop', repo: 'self', inScope: false },
    { list: '', repo: 'self', inScope: true },
    { list: '', repo: ' SELF ', inScope: true },
    { list: ' , ', repo: 'self', inScope: true },
    { list: '', repo: 'shop', inScope: false },
  ])('TC-07 "$list" and the repository "$repo": in scope $inScope', async ({ list, repo, inScope }) => {
    const env = { ORCH_DEPLOY_STATUS_GUARD_REPOS: list, ORCH_SELF_HOSTING_REPO: 'Self' };
    const world = await guardWorld(servers, { env });
    const key = await world.item({ stage: 'done', repo });
    expect(await world.set('deploying', key, { repo })).toMatchObject(inScope ? guarded : unguarded);
  });

  test('TC-07 out of scope is exactly the unguarded behaviour: a PATCH a call, no lock, no evidence', async () => {
    const world = await guardWorld(servers, { temporal: 'gone' });
    const repo = unique('shop');
    const key = await world.item({ stage: 'done', repo, window: 'open', shown: 'Deploying' });
    const letGo = await servers.holdLock(key);
    await world.set('deploying', key, { repo });
    world.forget();
    await world.set('deploying', key, { repo });
    await letGo();
    expect(world.asked()).toEqual(['PATCH']);
    expect(world.count).toEqual({ lockRoundTrips: 0, statements: 1, describes: 0 }); // its repository is read, no more
    expect(world.logged()).toMatchObject([{ db_stage: null, window_active: false, verdict: 'ALLOW' }]);
    expect(await world.activities.settleStatus({ ...world.request(key), repo })).toMatchObject({ wrote: false });
  });

  test('TC-07 the repository is the task’s: who names another one does not get round the guard', async () => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage: 'done', window: 'open', shown: 'Done' });
    for (const repo of ['shop', '', world.selfHosting.toUpperCase()]) {
      world.control.uiSetState(key, 'Done');
      expect(await world.set('awaiting_deploy', key, { repo })).toMatchObject({
        verdict: 'ALLOW',
        status: 'monitoring',
      });
    }
  });

  test('TC-07 nor into it: a task of a repository out of scope stays unguarded, and no lock is held meanwhile', async () => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage: 'done', repo: unique('shop'), shown: 'Deploying' });
    world.control.fault({ mode: 'hold', phase: 'before', match: { method: 'PATCH' } });
    const call = world.set('deploying', key, { repo: world.selfHosting });
    await world.control.whenHeld(1);
    expect(await servers.lockIsFree(key)).toBe(true);
    world.control.release();
    expect(await call).toMatchObject(unguarded);
    expect(world.count.describes).toBe(0);
  });

  test('TC-07 only where there is no task the caller’s word counts', async () => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage: null, shown: 'Deploying' });
    expect(await world.set('deploying', key)).toMatchObject({ verdict: 'ALLOW', status: 'deploying', wrote: false });
    expect(await world.set('deploying', key, { repo: 'shop' })).toMatchObject(unguarded);
    world.forget();
    expect(await world.set('deploying', key, { repo: 'shop' })).toMatchObject(unguarded);
    expect(world.asked(), 'its other names, in case a task goes by one of them').toEqual(['GET', 'PATCH']);
  });
});

describe('TC-08 log line (D5)', () => {
  test.each(TARGETS)('TC-08 %s: one line a verdict, with the fields of D5 and no other', async (target) => {
    const world = await guardWorld(servers);
    const fields = { level: 'info', msg: 'deploy status guard', caller: 'test', target };
    const open = await world.item({ stage: 'deploy' });
    const watched = await world.item({ stage: 'done', window: 'open' });
    const done = await world.item({ stage: ' Done' });
    const cancelled = await world.item({ stage: 'cancelled' });
    for (const key of [open, watched, done, cancelled]) await world.set(target, key);
    expect(world.logged()).toEqual([
      { ...fields, work_item: open, db_stage: 'deploy', window_active: false, verdict: 'ALLOW' },
      { ...fields, work_item: watched, db_stage: 'done', window_active: true, verdict: 'ALLOW' },
      { ...fields, work_item: done, db_stage: ' Done', window_active: false, verdict: 'CONVERGE_DONE' },
      { ...fields, work_item: cancelled, db_stage: 'cancelled', window_active: false, verdict: 'SUPPRESS' },
    ]);
  });

  test('TC-08 an attempt that fails later has its line too: it says what was decided', async () => {
    const world = await guardWorld(servers);
    const key = await world.item();
    world.control.fault({ mode: 'status', status: 500, match: { method: 'PATCH', times: 1 } });
    await expect(world.set('deploying', key)).rejects.toThrow();
    await world.set('deploying', key);
    expect(world.logged()).toMatchObject([{ verdict: 'ALLOW' }, { verdict: 'ALLOW' }]);
  });
});

describe('TC-09 idempotence', () => {
  test.each(TARGETS)('TC-09 %s again: one read, no write', async (target) => {
    const world = await guardWorld(servers);
    const key = await world.item();
    await world.set(target, key);
    world.control.settleJobs(); // Plane moves `updated_at` once more behind a write
    const { updatedAt } = world.control.workItem(key);
    for (let again = 0; again < 3; again += 1) {
      world.forget();
      expect(await world.set(target, key)).toMatchObject({ verdict: 'ALLOW', status: target, wrote: false });
      expect(world.asked()).toEqual(['GET']);
    }
    expect(world.control.workItem(key).updatedAt).toBe(updatedAt);
    expect(world.history(key)).toEqual([SHOWN[target]]);
  });

  test('TC-09 the retry after a crash between the write and its report finds the status, and writes nothing', async () => {
    const world = await guardWorld(servers);
    const key = await world.item();
    world.control.fault({ mode: 'hold', phase: 'after', match: { method: 'PATCH', times: 1 } });
    const lost = world.set('deploying', key); // applied, and nobody ever hears of it
    await world.control.whenHeld(1);
    await servers.fresh.sql(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name like '% lock'`,
    );
    const beside = await guardWorld(servers); // the worker that takes over
    const theirs = await beside.item({ stage: null });
    expect(await beside.set('deploying', theirs)).toMatchObject({ wrote: true });
    world.control.clearRequests();
    expect(await world.set('deploying', key)).toMatchObject({ verdict: 'ALLOW', status: 'deploying', wrote: false });
    expect(world.asked()).toEqual(['GET']);
    world.control.release();
    expect(await lost, 'it has lost its lock, and looks once more').toMatchObject({ wrote: false });
    expect(world.history(key)).toEqual(['Deploying']);
  });

  test('TC-09 converging twice is converging once', async () => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage: 'done', shown: 'Deploying' });
    expect(await world.activities.convergeDone(world.request(key))).toMatchObject({ wrote: true });
    expect(await world.activities.convergeDone(world.request(key))).toMatchObject({ wrote: false });
    expect(world.history(key)).toEqual(['Done']);
  });
});

describe('TC-10 cancelled', () => {
  test.each(TARGETS)('TC-10 %s on a cancelled task asks Plane for nothing at all', async (target) => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage: 'cancelled', shown: 'Cancelled' });
    expect(await world.set(target, key)).toMatchObject({ verdict: 'SUPPRESS', status: null, wrote: false });
    expect(world.asked()).toEqual([]);
  });
});

describe('TC-11 reason', () => {
  test.each(TARGETS)('TC-11 %s takes a reason, or none', async (target) => {
    const world = await guardWorld(servers);
    const key = await world.item();
    await world.set(target, key, { reason: 'stale caller' });
    await world.set(target, key);
    const [given, left] = world.logged();
    expect(given).toMatchObject({ reason: 'stale caller', caller: 'test' });
    expect(left).not.toHaveProperty('reason');
  });
});

describe('TC-12 never raises, and no stamp without evidence (invariant 3)', () => {
  test.each([
    { stage: ' DONE ', verdict: 'CONVERGE_DONE' },
    { stage: 'Done\n', verdict: 'CONVERGE_DONE' },
    { stage: '\tCANCELLED', verdict: 'SUPPRESS' },
    { stage: '', verdict: 'ALLOW' },
    { stage: ' ', verdict: 'ALLOW' },
    { stage: 'done?', verdict: 'ALLOW' },
    { stage: 'canceled', verdict: 'ALLOW' },
    { stage: '__proto__', verdict: 'ALLOW' },
    { stage: "☃'; drop table tasks; --", verdict: 'ALLOW' },
    { stage: 'x'.repeat(10_000), verdict: 'ALLOW' },
  ])('TC-12 a row with the stage $stage.length characters long: $verdict', async ({ stage, verdict }) => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage });
    for (const target of TARGETS) expect(await world.set(target, key)).toMatchObject({ verdict });
  });

  const UNREACHABLE = [
    { what: 'Postgres', options: { postgres: 'gone' }, error: /Postgres is not available/ },
    { what: 'Temporal', options: { temporal: 'gone' }, error: /^Failed to describe workflow/ },
  ] as const;

  test.each(UNREACHABLE)('TC-12 $what cannot be reached: every setter throws, nothing is written', async (row) => {
    const world = await guardWorld(servers, row.options);
    const { convergeDone, settleStatus, restoreStatus } = world.activities;
    const calls = [
      ...TARGETS.map((target) => (key: string) => world.set(target, key)),
      (key: string) => convergeDone(world.request(key)),
      (key: string) => settleStatus(world.request(key)),
      (key: string) => restoreStatus({ ...world.request(key), before: null }),
    ];
    const items: string[] = [];
    for (const _ of calls) items.push(await world.item({ stage: 'done', shown: 'Monitoring after Deploy' }));
    const outcomes = await Promise.allSettled(calls.map(async (call, at) => call(items[at] ?? '')));
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { message: expect.stringMatching(row.error) } });
    }
    expect(world.asked()).toEqual([]);
    expect(world.lines()).toEqual([]);
  });

  test('TC-12 out of scope, too, the task’s repository must be known before anything is written', async () => {
    const world = await guardWorld(servers, { postgres: 'gone' });
    const key = await world.item();
    await expect(world.set('deploying', key, { repo: 'shop' })).rejects.toThrow(/Postgres is not available/);
    expect(world.asked()).toEqual([]);
  });

  test('TC-12 a table that is not there is no evidence either', async () => {
    const world = await guardWorld(servers);
    const key = await world.item({ stage: 'done', window: 'open' });
    await servers.fresh.sql('alter table tasks rename to tasks_away');
    try {
      await expect(world.set('deploying', key)).rejects.toThrow(/tasks/);
    } finally {
      await servers.fresh.sql('alter table tasks_away rename to tasks');
    }
    expect(world.asked()).toEqual([]);
    expect(await servers.lockIsFree(key)).toBe(true);
  });
});
