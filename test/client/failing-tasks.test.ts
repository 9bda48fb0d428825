import { afterAll, beforeAll, expect, test } from 'vitest';
import { failingRuns } from '../../adapters/temporal/workflow-tasks.ts';
import { deployWorkflowId, monitorWorkflowId } from '../../workflows/messages.ts';
import { type FreshDatabase, freshDatabase } from '../setup/database.ts';
import { eventually } from '../setup/eventually.ts';
import { type FakeWorld, fakeWorld } from './fake-world.ts';
import { runHere, startCli } from './run-cli.ts';

// A worker whose workflows have changed: what has begun before does not replay, and what begins throws.

const REPLAY = /its workflow task fails: \[TMPRL1100\] Nondeterminism error/;

let old: FakeWorld;
let changed: FakeWorld;
let watched: string;
let fresh: FreshDatabase;
beforeAll(async () => {
  [old, fresh] = await Promise.all([fakeWorld(), freshDatabase()]);
  watched = await old.watched();
  await old.close();
  changed = await fakeWorld('./changed-workflows.ts', old);
});
afterAll(async () => {
  await changed.close();
  await fresh.close();
});

const d2d = (...args: string[]) => runHere(old.env, ...args);

test('status and list say with which message the task of a window fails', async () => {
  const { repo } = old;
  await eventually(async () => {
    const run = await d2d('status', watched, '--json');
    expect(run).toMatchObject({ code: 0 });
    const { deploy, window } = JSON.parse(run.stdout);
    expect(window).toMatchObject({ status: null, unanswered: expect.stringMatching(REPLAY) });
    // No task of the deploy is due: it waits for its window.
    expect(deploy).toMatchObject({
      execution: { workflowId: deployWorkflowId(repo, watched) },
      unanswered: `its query fails: a fault of the code, met by ${watched}`,
    });
  });
  expect((await d2d('status', watched)).stdout).toMatch(REPLAY);
  await eventually(async () =>
    expect((await d2d('list', '--repo', repo)).stdout).toMatch(
      new RegExp(`\n${REPLAY.source}.*: ${watched} \\(window\\)`),
    ),
  );
});

test('a deploy whose code throws says so: start --wait and watch', async () => {
  const workItem = old.item();
  const fails = `its workflow task fails: a fault of the code, met by ${workItem}`;
  const waiting = startCli(old.env, ['start', old.repo, workItem, '--wait']);
  await waiting.said(fails);
  waiting.interrupt();
  const watching = startCli(old.env, ['watch', workItem, '--json']);
  await watching.said(fails);
  watching.interrupt();
  await Promise.all([waiting.ended, watching.ended]);
});

test('doctor and the sweep find them, of their own task queue alone', async () => {
  const { temporal, repo } = old;
  const { client, taskQueue } = changed.temporal;
  const workflowId = monitorWorkflowId(repo, watched);
  await eventually(async () =>
    expect(await failingRuns(client, temporal.taskQueue)).toContainEqual({
      workflowId,
      why: expect.stringContaining('[TMPRL1100]'),
    }),
  );
  expect(await failingRuns(client, taskQueue)).toEqual([]);
  const env = {
    ...old.env,
    DATABASE_URL: fresh.url,
    ORCH_PLANE_URL: 'http://127.0.0.1:1',
    ORCH_PLANE_API_KEY: 'a-key',
    ORCH_PLANE_WORKSPACE: 'acme',
    ORCH_PLANE_PROJECT: 'ORCH',
    ORCH_SELF_HOSTING_REPO: repo,
    ORCH_ARTEFACTS_DIR: '/srv/d2d',
    ORCH_POST_DEPLOY_HEALTH_URL: 'http://127.0.0.1:1/health',
  };
  const { ok, checks } = JSON.parse((await runHere(env, 'doctor', '--json')).stdout);
  expect(ok).toBe(true);
  expect(checks).toContainEqual({
    name: 'runs',
    level: 'warning',
    message: expect.stringMatching(new RegExp(`^${workflowId}: ${REPLAY.source}.*a worker with compatible code runs$`)),
  });
});
