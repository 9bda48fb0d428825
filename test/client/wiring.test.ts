import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createTasks } from '../../adapters/postgres/tasks.ts';
import { SEARCH_ATTRIBUTES } from '../../adapters/temporal/search-attributes.ts';
import { startHealing } from '../../adapters/temporal/start-healing.ts';
import { sweepScheduleId } from '../../adapters/temporal/sweep-schedule.ts';
import { createWiring } from '../../client/wiring.ts';
import { startTemporalServer } from '../../demo/servers/temporal-server.ts';
import { deployWorkflowId, healWorkflowId } from '../../workflows/messages.ts';
import { emptyDatabase, type FreshDatabase, freshDatabase } from '../setup/database.ts';
import { eventually } from '../setup/eventually.ts';
import { connectTemporal, type TemporalAccess, unique } from '../setup/temporal.ts';
import { runHere, runProcess, startCli } from './run-cli.ts';

// What the command makes of settings, database and Plane; no worker runs, so nothing is taken up.

/** Nobody listens there. */
const NOWHERE = '127.0.0.1:1';

let temporal: TemporalAccess;
let fresh: FreshDatabase;
let env: Record<string, string>;
const repo = unique('shop');

beforeAll(async () => {
  [temporal, fresh] = await Promise.all([connectTemporal(), freshDatabase()]);
  env = {
    TEMPORAL_ADDRESS: temporal.address,
    ORCH_TASK_QUEUE: temporal.taskQueue,
    DATABASE_URL: fresh.url,
    ORCH_PLANE_URL: `http://${NOWHERE}`,
    ORCH_PLANE_API_KEY: 'a-key',
    ORCH_PLANE_WORKSPACE: 'acme',
    ORCH_PLANE_PROJECT: 'ORCH',
    ORCH_SELF_HOSTING_REPO: repo,
    ORCH_ARTEFACTS_DIR: '/srv/d2d',
    ORCH_POST_DEPLOY_HEALTH_URL: 'http://127.0.0.1:1/health',
  };
});
afterAll(async () => {
  await temporal.close();
  await fresh.close();
});

describe.concurrent('names', () => {
  test('the task tells the id and the repository, in the spelling of the settings', async () => {
    const workItem = unique('T').toUpperCase().replace(/-.*/, '-61');
    await createTasks(fresh.database).insert({ repo: repo.toUpperCase(), workItem, stage: 'deploy' });
    const started = await runHere(env, 'start', ` ${workItem.toLowerCase()} `, '--json');
    expect(started).toMatchObject({ code: 0 });
    expect(JSON.parse(started.stdout)).toMatchObject({
      repo,
      workItem,
      workflowId: deployWorkflowId(repo, workItem),
    });
    expect((await runHere(env, 'status', workItem, '--json')).stdout).toContain(
      `"workflowId":"deploy/${repo}/${workItem}"`,
    );
  });

  test('a work item that has a task but no run says at which stage it stands', async () => {
    const workItem = unique('item');
    await createTasks(fresh.database).insert({ repo, workItem, stage: 'review' });
    expect(await runHere(env, 'status', workItem)).toMatchObject({
      code: 4,
      stderr: expect.stringContaining(
        `error: ${workItem}: no deploy and no window is known (its task, of repository ${repo}, stands at stage review); `,
      ),
    });
  });

  test('the healings of a task that goes by its uuid are found by that, with Plane away', async () => {
    const workItem = randomUUID();
    await createTasks(fresh.database).insert({ repo, workItem: workItem.toUpperCase(), stage: 'done' });
    for (let healings = 0; healings < 2; healings += 1) {
      await startHealing(temporal.client, temporal.taskQueue, { id: workItem, project: randomUUID() });
      await temporal.client.workflow.getHandle(healWorkflowId(temporal.taskQueue, workItem)).terminate();
    }
    await eventually(async () => {
      const { stderr } = await runHere(env, 'explain', workItem, '--limit', '1');
      expect(stderr).toContain('--limit');
      expect(stderr).not.toContain('Plane');
    });
  });

  test('with Plane away, a start does not guess what an unknown name means', async () => {
    const { code, stdout, stderr } = await runHere(env, 'start', repo, 'ORCH-404');
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(/^error: ORCH-404 cannot be looked up: .*; d2d doctor says more\n$/);
  });

  test('with the database away, a start fails and everything else goes by the name', async () => {
    const away = { ...env, DATABASE_URL: `postgres://d2d:hunter2@${NOWHERE}/d2d` };
    expect(await runHere(away, 'start', repo, 'ORCH-1')).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^error: Postgres is not available: .*; d2d doctor says more\n$/),
    });
    const status = await runHere(away, 'status', 'orch-404', '--json');
    expect(status.code).toBe(4);
    const [note, error] = status.stderr.trimEnd().split('\n');
    expect(JSON.parse(note ?? '')).toEqual({
      note: expect.stringMatching(/^Postgres is not available: .*; going by the name alone$/),
    });
    expect(JSON.parse(error ?? '')).toMatchObject({
      error: { message: expect.stringContaining('ORCH-404: no deploy') },
    });
    expect(status.stderr).not.toContain('hunter2');
  });

  test('with a database but faulty settings, a start lists the faults', async () => {
    const { ORCH_PLANE_URL: _, ...half } = env;
    expect(await runHere(half, 'start', repo, 'ORCH-1')).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(
        /^error: a setting is wrong: ORCH_PLANE_URL must be set .*; d2d settings shows all of them\n$/,
      ),
    });
    expect((await runHere(half, 'status', 'ORCH-404')).stderr).toContain('the settings are faulty');
  });
});

describe('doctor', () => {
  test('says all that is wrong, and only a fault fails', async () => {
    const { code, stdout } = await runHere(env, 'doctor', '--json');
    const { ok, checks } = JSON.parse(stdout);
    expect({ code, ok }).toEqual({ code: 0, ok: true });
    expect(checks).toContainEqual({ name: 'database', level: 'ok', message: expect.any(String) });
    expect(checks).toContainEqual({ name: 'plane', level: 'warning', message: expect.any(String) });
    expect(checks).toContainEqual({ name: 'temporal', level: 'ok', message: expect.any(String) });
    const message = `no worker is polling task queue ${temporal.taskQueue}; start one`;
    expect(checks).toContainEqual({ name: 'workers', level: 'warning', message });
  });

  test('a task that cannot be set to done is told before a deploy, and the clock is compared', async () => {
    const own = await freshDatabase();
    try {
      await createTasks(own.database).insert({ repo, workItem: 'ORCH-1', stage: 'deploy' });
      await own.sql(`create function refuse() returns trigger language plpgsql as $$ begin raise 'not by you'; end $$`);
      await own.sql('create trigger refuse before update on tasks for each row execute function refuse()');
      await eventually(async () => {
        const { checks } = JSON.parse((await runHere({ ...env, DATABASE_URL: own.url }, 'doctor', '--json')).stdout);
        expect(checks).toContainEqual({
          name: 'database',
          level: 'warning',
          message: expect.stringMatching(/refused.*: not by you \(tried with ORCH-1, at stage "deploy"\)$/),
        });
        expect(checks).toContainEqual({ name: 'clock', level: 'ok', message: "within a second of Temporal's" });
      });
    } finally {
      await own.close();
    }
  });

  test('whether sweeps run, and whether they are paused', async () => {
    // Once a day: no sweep but the one below begins while the test looks.
    const swept = { ...env, ORCH_TASK_QUEUE: unique('queue'), ORCH_SWEEP_SECONDS: '86400' };
    const sweeps = async () => {
      const { checks } = JSON.parse((await runHere(swept, 'doctor', '--json')).stdout);
      return checks.find(({ name }: { name: string }) => name === 'sweeps');
    };
    expect(await sweeps()).toMatchObject({ level: 'warning', message: expect.stringContaining('not scheduled yet') });
    await runHere(swept, 'schedule', 'apply');
    expect(await sweeps()).toMatchObject({ level: 'ok', message: 'every 86400 s, none is known to have ended' });
    const schedule = temporal.client.schedule.getHandle(sweepScheduleId(swept.ORCH_TASK_QUEUE));
    await schedule.trigger();
    const { client } = temporal;
    const { workflowId, firstExecutionRunId } = await eventually(async () => {
      const { recentActions } = (await schedule.describe()).info;
      expect(recentActions).toHaveLength(1);
      return recentActions[0]?.action.workflow ?? { workflowId: '', firstExecutionRunId: '' };
    });
    await client.workflow.getHandle(workflowId, firstExecutionRunId).terminate();
    expect(await sweeps()).toMatchObject({
      level: 'warning',
      message: expect.stringMatching(/^the last one .* terminated$/),
    });
    await client.workflowService.deleteWorkflowExecution({ namespace: 'default', workflowExecution: { workflowId } });
    await eventually(async () =>
      expect(await sweeps()).toMatchObject({ message: 'every 86400 s, none is known to have ended' }),
    );
    await schedule.pause('too loud');
    expect(await sweeps()).toMatchObject({ level: 'warning', message: expect.stringMatching(/^paused: .*--unpause/) });
    await schedule.delete();
  });

  test('with faulty settings it says that it has checked nothing else', async () => {
    const { code, stdout } = await runHere({ TEMPORAL_ADDRESS: temporal.address }, 'doctor');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAULT {4}settings: DATABASE_URL must be set/m);
    expect(stdout).toContain('Temporal, database, Plane: not checked, as the settings are wrong\n');
    expect(stdout).toMatch(/\d+ faults: a worker would not start\n$/);
  });
});

test.concurrent('schedule apply makes the schedule of the sweeps what the settings say', async () => {
  const swept = (seconds: string) => runHere({ ...env, ORCH_SWEEP_SECONDS: seconds }, 'schedule', 'apply');
  const id = `reconcile-statuses/${temporal.taskQueue}`;
  expect(await swept('300')).toMatchObject({ code: 0, stdout: `the schedule was created (${id}, every 300 s)\n` });
  expect(await swept('60')).toMatchObject({ code: 0, stdout: `the schedule was updated (${id}, every 60 s)\n` });
  const removed = await runHere({ ...env, ORCH_SWEEP_SECONDS: '0' }, 'schedule', 'apply', '--json');
  expect(JSON.parse(removed.stdout)).toEqual({ applied: 'removed', scheduleId: id, everySeconds: 0 });
  expect(await swept('0')).toMatchObject({ stdout: `there is no schedule (${id}, ORCH_SWEEP_SECONDS is 0)\n` });
  expect(await runHere({ TEMPORAL_ADDRESS: temporal.address }, 'schedule', 'apply')).toMatchObject({ code: 78 });
});

test.concurrent('a sweep by hand that no worker takes up says so', async () => {
  const run = startCli({ ...env, ORCH_TASK_QUEUE: unique('nobody') }, ['reconcile', '--dry-run']);
  await run.said('no worker has begun it yet: check that one runs on task queue nobody-');
  run.interrupt();
  expect(await run.ended).toMatchObject({ code: 130, stdout: '' });
});

test.concurrent('a namespace that does not exist is told as such', async () => {
  expect(await runHere(env, 'list', '--namespace', 'nope')).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/^error: The Temporal namespace nope does not exist: correct TEMPORAL_NAMESPACE/),
  });
});

test.concurrent('to close it while Temporal is away leaves nothing that fails later', async () => {
  const server = await startTemporalServer({ cli: inject('temporalCli'), ui: 'off', keywords: SEARCH_ATTRIBUTES });
  const wiring = createWiring({ TEMPORAL_ADDRESS: server.address, ORCH_TASK_QUEUE: unique('queue') });
  const client = await wiring.client({}, () => {});
  await client.start({ repo, workItem: 'ORCH-1', version: 'v2' });
  // No worker answers: it is under way for seconds. Caught here, as it may fail before the other steps are done.
  const looking = client.status({ workItem: 'ORCH-1' }).catch(() => {});
  await server.kill();
  await wiring.close();
  // What is thrown outside of any promise, as by a timer, fails the run as an unhandled error.
  await Promise.race([looking, delay(2_000)]);
});

test.concurrent('the bundled d2d migrates and checks: what it loads late is there', async () => {
  const bare = await emptyDatabase();
  try {
    const own = { ...env, DATABASE_URL: bare.url };
    expect(await runProcess(own, 'migrate')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^migrated: /) });
    expect(await runProcess(own, 'migrate')).toMatchObject({ code: 0, stdout: 'the database is up to date\n' });
    expect((await runProcess(own, 'doctor', '--json')).stdout).toContain('"checks"');
  } finally {
    await bare.close();
  }
});
