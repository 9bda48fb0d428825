import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deployWorkflowId, monitorWorkflowId } from '../../workflows/messages.ts';
import { eventually } from '../setup/eventually.ts';
import { unique } from '../setup/temporal.ts';
import { type FakeWorld, fakeWorld } from './fake-world.ts';
import { runHere, runProcess, startCli } from './run-cli.ts';

// The command against a real Temporal, and workflows that only answer; as a process of its own where that may matter.

let world: FakeWorld;
beforeAll(async () => {
  world = await fakeWorld();
});
afterAll(() => world.close());

const d2d = (...args: string[]) => world.d2d(...args);

/** Checks the minutes and seconds that a line says are left of a window, against its end and the time around the command. */
async function expectTimeLeft(line: string, workItem: string, { before, after }: { before: number; after: number }) {
  const [, minutes, seconds = 0] = /(\d+) min(?: (\d+) s)?(?: left|\))/.exec(line) ?? [];
  const leftMs = Number(minutes) * 60_000 + Number(seconds) * 1_000;
  const { openedAt, endsAt } = JSON.parse((await d2d('status', workItem, '--json')).stdout).window.status;
  expect(leftMs).toBeGreaterThanOrEqual(endsAt - after - 1_000);
  expect(leftMs).toBeLessThanOrEqual(endsAt - before + 1_000);
  return endsAt - openedAt;
}

describe.concurrent('windows', () => {
  test('extend moves the end, and beyond the limits is refused with the reason', async () => {
    const { watched } = world;
    const workItem = await watched();
    const before = Date.now();
    const extended = await d2d('extend', workItem, '10', '--reason', 'slow night', '--by', 'oncall');
    const after = Date.now();
    expect(extended.code).toBe(0);
    expect(extended.stdout).toMatch(
      new RegExp(`^${workItem}: window extended by 10 min by oncall \\(slow night\\), ends .*Z \\(in .*\\)\n$`),
    );
    expect(await expectTimeLeft(extended.stdout, workItem, { before, after })).toBe(25 * 60_000);
    expect(await d2d('extend', workItem, '31', '--reason', 'slow night')).toMatchObject({
      code: 2,
      stderr: `error: ${workItem}: the window may last 45 minutes at the most; look at it with d2d status ${workItem}\n`,
    });
    expect(await d2d('extend', workItem, '-5', '--reason', 'oops')).toMatchObject({ code: 2 });
  });

  test('close prints the verdict and where the log is', async () => {
    const { repo, watched } = world;
    const workItem = await watched();
    const closed = await runHere(
      { ...world.env, ORCH_ARTEFACTS_DIR: '/srv/d2d' },
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
    expect(third).toMatch(
      new RegExp(
        String.raw`^  log: /srv/d2d/${repo}/${workItem}/[\d-]+T[\d.-]+Z/16-post-deploy-log\.md \(on the machine of the worker\)$`,
      ),
    );
    expect(await d2d('close', workItem, '--reason', 'again')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`error: ${workItem}: the window has ended already (closed_early)`),
    });
  });

  test('cancel says at which tick; watch tells it a line a change and ends with the run', async () => {
    const { env, watched } = world;
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
    const { env, watched } = world;
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
    const { repo, temporal, item } = world;
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
    const { repo, watched } = world;
    const workItem = await watched();
    const { code, stdout } = await d2d('status', workItem.toLowerCase());
    expect(code).toBe(0);
    expect(stdout).toContain(`${workItem} · ${repo} v2 · deploy monitoring\n`);
    expect(stdout).toContain(`${workItem} · ${repo} v2 · post-deploy window open · HEALTHY so far\n`);
    const { deploy, window } = JSON.parse((await d2d('--json', 'status', workItem, '--repo', repo)).stdout);
    const same = await d2d('--json', 'status', repo, workItem, '--repo', repo.toUpperCase());
    expect(JSON.parse(same.stdout).deploy.execution).toEqual(deploy.execution);
    expect(await d2d('status', unique('other'), workItem)).toMatchObject({ code: 4 });
    expect(Object.keys(deploy).toSorted()).toEqual(['execution', 'result', 'status', 'unanswered']);
    expect(window.execution).toMatchObject({
      kind: 'window',
      workflowId: monitorWorkflowId(repo, workItem),
      running: true,
      phase: 'open',
    });
  });

  test('what nobody knows is not found, and says what to do', async () => {
    const { env } = world;
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
    const { item } = world;
    const mine = unique('listed');
    const [open, over] = [item(), item()];
    await d2d('start', mine, open, '--version', 'v2', '--approval', 'none');
    await d2d('start', mine, over, '--version', 'done', '--wait');
    await eventually(async () =>
      expect(JSON.parse((await d2d('list', '--repo', mine, '--json')).stdout).executions).toHaveLength(2),
    );
    const { executions, more } = JSON.parse((await d2d('list', '--repo', mine.toUpperCase(), '--json')).stdout);
    expect(more).toBe(false);
    expect(
      executions.map((each: { kind: string; workItem: string }) => `${each.kind} ${each.workItem}`).toSorted(),
    ).toEqual([`deploy ${open}`, `window ${open}`]);
    const before = Date.now();
    const words = await d2d('list', '--repo', mine, '--all');
    const running = await d2d('list', '--repo', mine);
    const after = Date.now();
    expect(words.stdout.split('\n')[0]).toMatch(/^WORK ITEM +REPO +KIND +VERSION +OUTCOME +STARTED +DURATION$/);
    expect(words.stdout).toMatch(new RegExp(`\n${over} +${mine} +deploy +done +done +\\d+ s ago +\\d+ s(\n|$)`));
    const [row = ''] = new RegExp(`\n${open} +${mine} +window +open +tick \\d+/30, .* left`).exec(running.stdout) ?? [];
    expect(await expectTimeLeft(row, open, { before, after })).toBe(15 * 60_000);
    expect(await d2d('list', '--repo', unique('none'))).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^nothing runs/),
    });
  });

  test('list filters by outcome and by start; what ended without an outcome has none', async () => {
    const { item, temporal } = world;
    const mine = unique('filtered');
    const [done, failed, old] = [item(), item(), item()];
    await d2d('start', mine, done, '--version', 'done', '--wait');
    await d2d('start', mine, failed, '--version', 'deploy_failed', '--wait');
    await d2d('start', mine, old, '--version', 'v-old', '--wait');
    const listed = async (...args: string[]) =>
      JSON.parse((await d2d('list', '--repo', mine, '--json', ...args)).stdout).executions;
    await eventually(async () => expect(await listed('--all')).toHaveLength(3));
    expect(await listed()).toEqual([]);
    expect(await listed('--outcome', 'deploy_failed')).toEqual([
      expect.objectContaining({ workItem: failed, outcome: 'deploy_failed', version: 'deploy_failed' }),
    ]);
    expect((await d2d('list', '--repo', mine, '--all')).stdout).toMatch(
      new RegExp(`\n${old} +${mine} +deploy +v-old +– +`),
    );
    expect(await listed('--since', '1h')).toHaveLength(3);
    const second = (await temporal.client.workflow.getHandle(deployWorkflowId(mine, failed)).describe()).startTime;
    const later = await listed('--all', '--since', second.toISOString());
    expect(later.map((each: { workItem: string }) => each.workItem)).not.toContain(done);
    expect(await d2d('list', '--repo', mine, '--outcome', 'no_evidence')).toMatchObject({
      code: 0,
      stdout: `nothing matches for repository ${mine}\n`,
    });
  });

  test('without a worker, status shows what Temporal itself knows', async () => {
    const { repo, item } = world;
    const workItem = item();
    const alone = { ...world.env, ORCH_TASK_QUEUE: unique('nobody') };
    const started = await runHere(alone, 'start', repo, workItem);
    const nobody = `no worker is polling task queue ${alone.ORCH_TASK_QUEUE}`;
    expect(started).toMatchObject({ code: 0, stderr: expect.stringContaining(nobody) });
    const { code, stdout } = await runHere(alone, 'status', workItem);
    expect(code).toBe(0);
    expect(stdout).toContain(`${workItem} · ${repo} · deploy awaiting approval\n`);
    expect(stdout).toContain(`${nobody}: this is what Temporal itself knows`);
    await eventually(async () =>
      expect((await runHere(alone, 'list', '--repo', repo)).stdout).toContain(`${nobody}: ${workItem} (deploy)`),
    );
    expect(await runHere(alone, 'approve', workItem, '--by', 'bob')).toMatchObject({
      code: 0,
      stdout: `${workItem}: deploy approved by bob\n`,
      stderr: expect.stringContaining('no worker has taken it up yet'),
    });
  });

  test('a wait without a worker says so: start --wait, in JSON too, and watch', async () => {
    const { repo, item } = world;
    const alone = { ...world.env, ORCH_TASK_QUEUE: unique('nobody') };
    const nobody = `no worker is polling task queue ${alone.ORCH_TASK_QUEUE}`;
    const [first, second] = [item(), item()];
    const waits = [
      startCli(alone, ['start', repo, first, '--wait']),
      startCli(alone, ['start', repo, second, '--wait', '--json']),
    ];
    await Promise.all(waits.map((wait) => wait.said(nobody)));
    const watching = startCli(alone, ['watch', first]);
    await watching.said(`${first}: deploy awaiting approval: ${nobody}`);
    for (const each of [...waits, watching]) each.interrupt();
    const [, inJson] = await Promise.all(waits.map(({ ended }) => ended));
    expect(inJson?.stderr).toContain(`{"note":"${second}: ${nobody}"}`);
    expect(inJson?.stderr.split(nobody)).toHaveLength(2);
    await watching.ended;
  });

  test('a worker that has just gone is not taken for one that polls', async () => {
    const other = await fakeWorld();
    const workItem = await other.watched();
    await other.close();
    const nobody = `no worker is polling task queue ${other.temporal.taskQueue}`;
    const { deploy, window } = JSON.parse((await runHere(other.env, 'status', workItem, '--json')).stdout);
    expect([deploy.unanswered, window.unanswered]).toEqual([nobody, nobody]);
    await eventually(async () =>
      expect((await runHere(other.env, 'list', '--repo', other.repo)).stdout).toMatch(
        new RegExp(`\n${nobody}: ${workItem} \\((window|deploy)\\), ${workItem} \\((deploy|window)\\)\n`),
      ),
    );
  });
});
