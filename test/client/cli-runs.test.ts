import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createD2dClient } from '../../client/client.ts';
import { deployWorkflowId, reopenWorkflowId } from '../../workflows/messages.ts';
import { eventually } from '../setup/eventually.ts';
import { STEERING } from '../setup/hostile.ts';
import { type FakeWorld, fakeWorld } from './fake-world.ts';
import { runInNoTime, runProcess, startCli } from './run-cli.ts';

// The command against a real Temporal, and workflows that only answer; as a process of its own where that may matter.

let world: FakeWorld;
beforeAll(async () => {
  world = await fakeWorld();
});
afterAll(() => world.close());

const d2d = (...args: string[]) => world.d2d(...args);

test('reopen says that no worker has begun it, and is withdrawn by Ctrl-C', async () => {
  const { repo, env, temporal, item } = world;
  const workItem = item();
  const nobody = { ...env, ORCH_TASK_QUEUE: 'nobody-polls' };
  const waiting = startCli(nobody, ['reopen', workItem, '--repo', repo, '--reason', 'v3 is next']);
  await waiting.said('no worker has begun it yet: check that one runs on task queue nobody-polls');
  waiting.interrupt();
  expect((await waiting.ended).code).toBe(130);
  const handle = temporal.client.workflow.getHandle(reopenWorkflowId('nobody-polls', repo, workItem));
  expect((await handle.describe()).status.name).toBe('TERMINATED');
});

describe.concurrent('start', () => {
  test('says what was started, and Temporal knows it by its summary and attributes', async () => {
    const { repo, env, temporal, item } = world;
    const workItem = item();
    const { code, stdout, stderr } = await runProcess(env, 'start', repo, workItem.toLowerCase(), '--version', 'v2');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `${workItem}: deploy of ${repo} started (${deployWorkflowId(repo, workItem)})\n`,
    });
    expect(stderr).toBe(`${workItem}: follow it with d2d watch ${workItem}\n`);
    const description = await temporal.client.workflow.getHandle(deployWorkflowId(repo, workItem)).describe();
    expect(await description.staticSummary()).toBe(`${workItem}: deploy ${repo} v2 to done`);
    expect(description.searchAttributes).toMatchObject({ D2dRepo: [repo], D2dWorkItem: [workItem] });
  });

  test('a second start is refused, names the running one and what to do', async () => {
    const { repo, env, item } = world;
    const workItem = item();
    const first = JSON.parse((await d2d('start', repo, workItem, '--json')).stdout);
    const second = await runProcess(env, 'start', repo, workItem);
    expect(second.code).toBe(2);
    expect(second.stdout).toBe('');
    expect(second.stderr).toBe(
      `error: ${workItem}: a deploy is running already: ${first.workflowId} (run ${first.runId}); ` +
        `look at it with d2d status ${workItem}; end it with d2d cancel ${workItem} --run --reason "…" before you start another\n`,
    );
  });

  test.each([
    ['v-owing', 'finished'],
    ['v-settling', 'monitoring'],
  ])('a start while the one before has its status to write still says so: %s', async (version, phase) => {
    const { repo, item } = world;
    const workItem = item();
    await d2d('start', repo, workItem, '--version', version);
    await eventually(async () => expect((await d2d('status', workItem, '--json')).stdout).toContain(phase));
    expect(await d2d('start', repo, workItem)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /its last deploy is over, and still writes or reads back its status: .*; start it again in a minute; if this lasts, d2d status .* says why\n$/,
      ),
    });
    expect(await d2d('cancel', workItem, '--run', '--reason', 'not now')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('its deploy is over, and a cancel changes nothing'),
    });
  });

  test('after its end it can be started again', async () => {
    const { repo, item } = world;
    const workItem = item();
    expect(await d2d('start', repo, workItem, '--version', 'done', '--wait')).toMatchObject({ code: 0 });
    expect(await d2d('start', repo, workItem, '--version', 'done', '--wait')).toMatchObject({ code: 0 });
  });

  test('what is refused at once is told, though nobody waits', async () => {
    const { repo, env, item } = world;
    const workItem = item();
    expect(await runInNoTime(env, 'start', repo, workItem, '--version', 'refused')).toMatchObject({
      code: 2,
      stdout: `${workItem}: refused: the test asked for refused\n`,
    });
  });

  test('a repository that nobody knows has to be named', async () => {
    const { item } = world;
    const workItem = item();
    expect(await d2d('start', workItem)).toMatchObject({
      code: 2,
      stderr: `error: ${workItem}: the repository is not known: without DATABASE_URL its task cannot be looked at; name it: d2d start <repo> ${workItem}\n`,
    });
  });

  test.each([
    [{ repo: 'my shop' }, /^repo must begin with a letter or digit .*, got "my shop"$/],
    [{ repo: 'shop\u202e' }, /^repo must begin with a letter or digit/],
    [{ workItem: 'release of march' }, /^workItem must be a key such as ORCH-61 .*, got "release of march"$/],
    [{ workItem: 'OR\u200bCH-61' }, /^workItem must be a key such as ORCH-61/],
    [{ version: 'v 2' }, /^version must begin with a letter or digit .*, got "v 2"$/],
  ])('a name that breaks its pattern is refused before anything is started: %j', async (change, message) => {
    const { temporal, repo, item } = world;
    const { client, taskQueue } = temporal;
    const started = createD2dClient({ temporal: client, taskQueue }).start({ repo, workItem: item(), ...change });
    await expect(started).rejects.toMatchObject({
      name: 'D2dError',
      kind: 'refused',
      message: expect.stringMatching(message),
    });
  });

  test('whoever asks is shown without what misleads a reader', async () => {
    const { repo, item } = world;
    const workItem = item();
    await d2d('start', repo, workItem, '--version', 'v2', '--by', 'ci\u200b');
    const given = ['approve', workItem, '--by', 'al\u202eice', '--reason', 'fine\u2066'];
    expect(await d2d(...given)).toMatchObject({
      code: 0,
      stdout: `${workItem}: deploy approved by al\\u{202e}ice (fine\\u{2066})\n`,
    });
    const { stdout } = await d2d('status', workItem);
    expect(stdout).toContain('requested by ci\\u{200b}');
    expect(stdout).not.toMatch(STEERING);
    const { stdout: json } = await d2d('status', workItem, '--json');
    expect(json).not.toMatch(STEERING);
    expect(JSON.parse(json)).toMatchObject({
      deploy: { status: { approval: { by: 'al\u202eice', reason: 'fine\u2066' } } },
    });
  });

  test.each([
    ['unhealthy_after_deploy', 13],
    ['degraded_rolled_back', 21],
  ])('--wait exits by the outcome: %s', async (outcome, code) => {
    const { repo, item } = world;
    const workItem = item();
    const run = await d2d('start', repo, workItem, '--version', outcome, '--wait', '--json');
    expect(run.code).toBe(code);
    expect(JSON.parse(run.stdout)).toEqual({
      repo,
      workItem,
      workflowId: deployWorkflowId(repo, workItem),
      runId: expect.any(String),
      outcome,
      reason: `the test asked for ${outcome}`,
    });
  });

  test('--wait shows the progress on stderr and the end on stdout', async () => {
    const { repo, env, item } = world;
    const workItem = item();
    const run = startCli(env, ['start', repo, workItem, '--version', 'v2', '--wait']);
    await run.said('waits for approval until');
    expect(await d2d('reject', workItem, '--by', 'bob', '--reason', 'not today')).toMatchObject({
      code: 0,
      stdout: `${workItem}: deploy rejected by bob (not today)\n`,
    });
    const { code, stdout, stderr } = await run.ended;
    expect({ code, stdout }).toEqual({ code: 10, stdout: `${workItem}: rejected: rejected by bob: not today\n` });
    expect(stderr).toContain(`${workItem}: rejected by bob (not today)\n`);
  });

  test('Ctrl-C while waiting says that the run goes on, and how to look', async () => {
    const { repo, env, temporal, item } = world;
    const workItem = item();
    const run = startCli(env, ['start', repo, workItem, '--wait']);
    await run.said('waits for approval until');
    run.interrupt();
    const { code, stderr } = await run.ended;
    expect(code).toBe(130);
    expect(stderr).toContain(`${workItem}: the run goes on; look at it with d2d status ${workItem}`);
    expect((await temporal.client.workflow.getHandle(deployWorkflowId(repo, workItem)).describe()).status.name).toBe(
      'RUNNING',
    );
  });
});

describe('approve', () => {
  test('counts, and a second one is refused', async () => {
    const { repo, item } = world;
    const workItem = item();
    await d2d('start', repo, workItem, '--version', 'v2');
    const first = await d2d('approve', workItem.toLowerCase(), '--by', 'alice', '--json');
    expect(first.code).toBe(0);
    expect(JSON.parse(first.stdout)).toEqual({
      repo,
      workItem,
      workflowId: deployWorkflowId(repo, workItem),
      runId: expect.any(String),
      decision: 'approved',
      by: 'alice',
      reason: null,
      takenUp: true,
    });
    expect(await d2d('reject', workItem, '--by', 'bob')).toMatchObject({
      code: 2,
      stderr: `error: ${workItem}: the deploy was approved by alice already; look at it with d2d status ${workItem}\n`,
    });
  });

  test('of a run that has ended is refused', async () => {
    const { repo, item } = world;
    const workItem = item();
    await d2d('start', repo, workItem, '--version', 'done', '--wait');
    expect(await d2d('approve', workItem)).toMatchObject({
      code: 2,
      stderr: `error: ${workItem}: the deploy has ended already (done); look at it with d2d status ${workItem}\n`,
    });
  });
});

describe.concurrent('resolve', () => {
  test('start --wait ends with 14 where nobody knows how the deploy ended; status says what to do', async () => {
    const { repo, item } = world;
    const workItem = item();
    expect(await d2d('start', repo, workItem, '--version', 'v-unknown', '--wait')).toMatchObject({
      code: 14,
      stdout: `${workItem}: deploy unknown: the worker was lost\n`,
    });
    expect((await d2d('status', workItem)).stdout).toContain(
      `look, then d2d resolve ${workItem} --deployed, or --not-deployed, with --reason "…"`,
    );
    expect(await d2d('cancel', workItem, '--run', '--reason', 'enough')).toMatchObject({
      code: 2,
      stderr: `error: ${workItem}: nobody knows whether its deploy has happened, and a cancel would let the next one begin beside it; say what happened: d2d resolve ${workItem} --deployed | --not-deployed --reason "…"\n`,
    });
    expect(await d2d('resolve', workItem, '--deployed', '--by', 'bob', '--reason', 'all pods run it')).toMatchObject({
      code: 0,
      stdout: `${workItem}: resolved as deployed by bob (all pods run it)\n`,
    });
    expect(await d2d('watch', workItem)).toMatchObject({ code: 0 });
  });

  test('says why it does not count', async () => {
    const { repo, item } = world;
    const workItem = item();
    await d2d('start', repo, workItem, '--version', 'v-external');
    expect(await d2d('resolve', workItem, '--not-deployed', '--reason', 'no')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        'resolve is only for a deploy whose outcome is unknown: this one is at deploying',
      ),
    });
    expect(await d2d('resolve', workItem, '--reason', 'no')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('add --deployed or --not-deployed'),
    });
    expect(await d2d('resolve', workItem, '--deployed', '--not-deployed', '--reason', 'no')).toMatchObject({ code: 2 });
  });
});

describe.concurrent('finished', () => {
  test('reports an external deploy, and looks whether that has counted', async () => {
    const { repo, item } = world;
    const workItem = item();
    await d2d('start', repo, workItem, '--version', 'v-external');
    expect(await d2d('finished', workItem, '--ok', '--version', 'v8', '--by', 'ci')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('it is about version v8, not v-external'),
    });
    expect(await d2d('finished', workItem, '--failed', '--detail', 'red', '--by', 'ci', '--json')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"ok":false,"version":null,"by":"ci","detail":"red","takenUp":true'),
    });
    await eventually(async () =>
      expect(await d2d('finished', workItem, '--ok')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('the deploy has ended already (deploy_failed)'),
      }),
    );
    expect(await d2d('finished', workItem)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--ok or --failed'),
    });
  });
});
