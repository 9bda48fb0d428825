import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deployWorkflowId, monitorWorkflowId } from '../../workflows/messages.ts';
import { connectTemporal, type TemporalAccess, unique } from '../setup/temporal.ts';
import { type CliRun, runHere, runProcess, startCli } from './run-cli.ts';

// The command against a real Temporal, and workflows that only answer; as a process of its own where that may matter.

let temporal: TemporalAccess;
let worker: Worker;
let working: Promise<void>;
let env: Record<string, string>;
const repo = unique('shop');

beforeAll(async () => {
  temporal = await connectTemporal();
  env = { TEMPORAL_ADDRESS: temporal.address, ORCH_TASK_QUEUE: temporal.taskQueue };
  worker = await Worker.create({
    connection: temporal.nativeConnection,
    taskQueue: temporal.taskQueue,
    workflowsPath: fileURLToPath(new URL('./fake-workflows.ts', import.meta.url)),
  });
  working = worker.run();
});

afterAll(async () => {
  worker.shutdown();
  await working;
  await temporal.close();
});

let items = 0;
/** A work item of one test alone. */
const item = (): string => {
  items += 1;
  return `${unique('T').replace('-', '').toUpperCase()}-${items}`;
};
const d2d = (...args: string[]): Promise<CliRun> => runHere(env, ...args);

/** A run whose window is open. */
async function watched(): Promise<string> {
  const workItem = item();
  expect(await d2d('start', repo, workItem, '--version', 'v2', '--approval', 'none')).toMatchObject({ code: 0 });
  await expect
    .poll(async () => (await d2d('status', workItem, '--json')).stdout, { timeout: 20_000 })
    .toContain('"phase":"open"');
  return workItem;
}

describe('start', () => {
  test('says what was started, and Temporal knows it by its summary and attributes', async () => {
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

  test('after its end it can be started again', async () => {
    const workItem = item();
    expect(await d2d('start', repo, workItem, '--version', 'done', '--wait')).toMatchObject({ code: 0 });
    expect(await d2d('start', repo, workItem, '--version', 'done', '--wait')).toMatchObject({ code: 0 });
  });

  test('what is refused at once is told, though nobody waits', async () => {
    const workItem = item();
    expect(await d2d('start', repo, workItem, '--version', 'refused')).toMatchObject({
      code: 2,
      stdout: `${workItem}: refused: the test asked for refused\n`,
    });
  });

  test('a repository that nobody knows has to be named', async () => {
    const workItem = item();
    expect(await d2d('start', workItem)).toMatchObject({
      code: 2,
      stderr: `error: ${workItem}: the repository is not known: there is no task for the work item; name it: d2d start <repo> ${workItem}\n`,
    });
  });

  test.each([
    ['unhealthy_after_deploy', 13],
    ['degraded_rolled_back', 21],
  ])('--wait exits by the outcome: %s', async (outcome, code) => {
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
    const workItem = item();
    await d2d('start', repo, workItem, '--version', 'done', '--wait');
    expect(await d2d('approve', workItem)).toMatchObject({
      code: 2,
      stderr: `error: ${workItem}: the deploy has ended already (done); look at it with d2d status ${workItem}\n`,
    });
  });
});

describe('windows', () => {
  test('extend moves the end, and beyond the limits is refused with the reason', async () => {
    const workItem = await watched();
    const extended = await d2d('extend', workItem, '10', '--reason', 'slow night', '--by', 'oncall');
    expect(extended.code).toBe(0);
    expect(extended.stdout).toMatch(
      new RegExp(
        `^${workItem}: window extended by 10 min by oncall \\(slow night\\), ends .*Z \\(in 2[45] min.*\\)\n$`,
      ),
    );
    expect(await d2d('extend', workItem, '31', '--reason', 'slow night')).toMatchObject({
      code: 2,
      stderr: `error: ${workItem}: the window may last 45 minutes at the most; look at it with d2d status ${workItem}\n`,
    });
    expect(await d2d('extend', workItem, '-5', '--reason', 'oops')).toMatchObject({ code: 2 });
  });

  test('close prints the verdict and where the log is', async () => {
    const workItem = await watched();
    const closed = await runHere(
      { ...env, ORCH_ARTEFACTS_DIR: '/srv/d2d' },
      'close',
      workItem,
      '--reason',
      'all good',
      '--by',
      'oncall',
    );
    expect(closed.code).toBe(0);
    const [first, second, third] = closed.stdout.split('\n');
    expect(first).toMatch(
      new RegExp(`^${workItem}: window closed at tick \\d+ of 30 by oncall \\(all good\\): closed early$`),
    );
    expect(second).toBe('  no degradation: longest streak of failed health checks 0 of 3');
    expect(third).toBe(`  log: /srv/d2d/${repo}/${workItem}/16-post-deploy-log.md (on the machine of the worker)`);
    expect(await d2d('close', workItem, '--reason', 'again')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`error: ${workItem}: the window has ended already (closed_early)`),
    });
  });

  test('cancel says at which tick; watch tells it a line a change and ends with the run', async () => {
    const workItem = await watched();
    const watching = startCli(env, ['watch', workItem]);
    await watching.said('pass');
    const cancelled = await runProcess(env, 'cancel', workItem, '--reason', 'false alarm', '--by', 'oncall');
    expect(cancelled.stdout).toMatch(
      new RegExp(`^${workItem}: window cancelled at tick \\d+ of 30 by oncall \\(false alarm\\)\n$`),
    );
    const { code, stdout } = await watching.ended;
    expect(code).toBe(24);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.every((line) => line.startsWith(`${workItem}: `))).toBe(true);
    expect(stdout).not.toContain('\u001b');
    expect(lines[0]).toBe(`${workItem}: deploy monitoring`);
    expect(lines).toContain(`${workItem}: cancelWindow by oncall (false alarm): the window was cancelled`);
    expect(lines.at(-1)).toBe(`${workItem}: deploy window cancelled: the window ended cancelled`);
    const ticks = lines.map((line) => / tick (\d+) pass/.exec(line)?.[1]).filter((tick) => tick !== undefined);
    expect(new Set(ticks).size).toBe(ticks.length);
  });

  test('watch --json is a value a line, the last one with the result', async () => {
    const workItem = await watched();
    const watching = startCli(env, ['watch', workItem, '--json']);
    await watching.said('"health":"pass"');
    await d2d('cancel', workItem, '--reason', 'enough', '--by', 'oncall');
    const lines = (await watching.ended).stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ workItem, deploy: { status: { phase: 'monitoring' } }, window: { status: {} } });
    expect(lines.at(-1)).toMatchObject({ deploy: { result: { outcome: 'window_cancelled' } } });
  });

  test('cancel before there is a window says how to end the run; --run does, and carries who and why', async () => {
    const workItem = item();
    await d2d('start', repo, workItem, '--version', 'v2');
    expect(await d2d('cancel', workItem, '--reason', 'wrong release')).toMatchObject({
      code: 2,
      stderr: `error: ${workItem}: no window is open: its deploy is at awaiting_approval; to end the whole run: d2d cancel ${workItem} --run --reason "…"\n`,
    });
    expect(await d2d('cancel', workItem, '--run', '--reason', 'wrong release', '--by', 'oncall')).toMatchObject({
      code: 0,
      stdout: `${workItem}: cancel of the run asked for by oncall (wrong release)\n`,
    });
    const handle = temporal.client.workflow.getHandle(deployWorkflowId(repo, workItem));
    expect(await handle.result()).toMatchObject({ outcome: 'cancelled' });
    const { events } = await handle.fetchHistory();
    const asked = events?.find((event) => event.workflowExecutionCancelRequestedEventAttributes != null);
    expect(asked?.workflowExecutionCancelRequestedEventAttributes).toMatchObject({
      cause: 'wrong release',
      identity: 'oncall',
    });
    expect((await d2d('cancel', workItem, '--run', '--reason', 'again')).code).toBe(2);
  });
});

describe('status and list', () => {
  test('status shows the deploy and its window, without settings, by any spelling', async () => {
    const workItem = await watched();
    const { code, stdout } = await d2d('status', workItem.toLowerCase());
    expect(code).toBe(0);
    expect(stdout).toContain(`${workItem} · ${repo} v2 · deploy monitoring\n`);
    expect(stdout).toContain(`${workItem} · ${repo} v2 · post-deploy window open · HEALTHY so far\n`);
    const { deploy, window } = JSON.parse((await d2d('--json', 'status', workItem, '--repo', repo)).stdout);
    expect(Object.keys(deploy).toSorted()).toEqual(['execution', 'result', 'status', 'unanswered']);
    expect(window.execution).toMatchObject({
      kind: 'window',
      workflowId: monitorWorkflowId(repo, workItem),
      running: true,
      phase: 'open',
    });
  });

  test('what nobody knows is not found, and says what to do', async () => {
    expect(await runProcess(env, 'status', 'nope-1')).toMatchObject({
      code: 4,
      stdout: '',
      stderr: 'error: NOPE-1: no deploy and no window is known; d2d list shows what runs, d2d list --all what ran\n',
    });
    const quote = await d2d('status', "it's \\ -- ORCH", '--json');
    expect(quote.code).toBe(4);
    expect(JSON.parse(quote.stderr)).toEqual({
      error: { message: expect.stringContaining("it's \\ -- ORCH"), hint: expect.stringContaining('d2d list') },
    });
  });

  test('list has what runs; --all what has ended, too', async () => {
    const mine = unique('listed');
    const [open, over] = [item(), item()];
    await d2d('start', mine, open, '--version', 'v2', '--approval', 'none');
    await d2d('start', mine, over, '--version', 'done', '--wait');
    await expect
      .poll(async () => JSON.parse((await d2d('list', '--repo', mine, '--json')).stdout).executions.length, {
        timeout: 20_000,
      })
      .toBe(2);
    const { executions, more } = JSON.parse((await d2d('list', '--repo', mine.toUpperCase(), '--json')).stdout);
    expect(more).toBe(false);
    expect(
      executions.map((each: { kind: string; workItem: string }) => `${each.kind} ${each.workItem}`).toSorted(),
    ).toEqual([`deploy ${open}`, `window ${open}`]);
    const words = await d2d('list', '--repo', mine, '--all');
    expect(words.stdout.split('\n')[0]).toMatch(/^WORK ITEM +REPO +KIND +PHASE +VERDICT +PROGRESS +STARTED +ENDED$/);
    expect(words.stdout).toMatch(new RegExp(`\n${over} +${mine} +deploy +finished `));
    expect(words.stdout).toMatch(new RegExp(`\n${open} +${mine} +window +open +tick \\d+/30, 1[45] min`));
    expect(await d2d('list', '--repo', unique('none'))).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^nothing runs/),
    });
  });

  test('without a worker, status shows what Temporal itself knows', async () => {
    const workItem = item();
    const alone = { ...env, ORCH_TASK_QUEUE: unique('nobody') };
    const started = await runHere(alone, 'start', repo, workItem);
    expect(started).toMatchObject({ code: 0, stderr: expect.stringContaining('no worker answers') });
    const { code, stdout } = await runHere(alone, 'status', workItem);
    expect(code).toBe(0);
    expect(stdout).toContain(`${workItem} · ${repo} · deploy awaiting approval\n`);
    expect(stdout).toContain('no worker answers');
    expect(await runHere(alone, 'approve', workItem, '--by', 'bob')).toMatchObject({
      code: 0,
      stdout: `${workItem}: deploy approved by bob\n`,
      stderr: expect.stringContaining('no worker has taken it up yet'),
    });
  });
});
