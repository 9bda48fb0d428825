import { setTimeout as delay } from 'node:timers/promises';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { WindowReport } from '../../activities/window-report.ts';
import { closedGate, type Gate } from '../../demo/gate.ts';
import {
  approveSignal,
  cancelWindowSignal,
  closeWindowUpdate,
  D2dPhase,
  D2dRepo,
  D2dVerdict,
  D2dWorkItem,
  deployFinishedSignal,
  deployStatusQuery,
  extendWindowUpdate,
  resolveDeploySignal,
  SET_STATUS_WORKFLOW,
  windowStatusQuery,
} from '../../workflows/messages.ts';
import { eventually } from '../setup/eventually.ts';
import { unique } from '../setup/temporal.ts';
import { type RealHarness, startRealHarness } from './harness.ts';
import { sizeOf } from './histories.ts';
import { fail, IN_PROGRESS, type Item, pass, plan, policy, realClock, shownAs, slowClock } from './item.ts';

// Updates, which do not skip time, and what the time-skipping server lacks or does otherwise: time is real here, so
// windows are compressed. The dev server fires timers once a second (measured: a timer of 300 ms takes 1 s), so a tick takes
// that long at least.

let harness: RealHarness;
/** Thirty ticks take half a minute: they run beside the other tests. */
let budgeted: { readonly item: Item; readonly ended: Promise<unknown> };
beforeAll(async () => {
  harness = await startRealHarness();
  const window = policy({ windowMs: 30_000, intervalMs: 1_000, confirmMs: 500 });
  const item = opened(window, { probeClock: realClock });
  budgeted = { item, ended: harness.run(item) };
});
afterAll(async () => {
  for (const gate of gates) gate.open();
  await harness.close();
});

/** Five ticks in 5 s; two failures prove it degraded. */
const compressed = policy({
  windowMs: 5_000,
  intervalMs: 1_000,
  confirmMs: 500,
  failThreshold: 2,
  rollbackWatchMs: 5_000,
});

/** The same, open until a message ends it. */
const heldOpen = policy({ ...compressed, windowMs: 600_000 });

/** Nothing happens in it by itself while a test looks at it. */
const still = policy({ windowMs: 600_000, intervalMs: 60_000, maxWindowMs: 900_000 });

const opened = (window = compressed, change: Partial<Item> = {}, settleMs = 50): Item =>
  harness.add({ ...change, plan: plan({ window, settleMs }) });

const OPS = { by: 'oncall', reason: 'seen enough' };

function reportOf(item: Item): WindowReport {
  const [report, ...more] = item.reports;
  if (report === undefined || more.length > 0) throw new Error(`${item.reports.length} reports for one window`);
  return report;
}

/** Why an update was refused. */
async function refusal(update: Promise<unknown>): Promise<string> {
  try {
    await update;
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) return error.cause?.message ?? '';
    throw error;
  }
  throw new Error('the update was accepted');
}

/** Opened at the end: the worker waits for what a failed test still holds. */
const gates: Gate[] = [];

/** Something that a test holds back until it lets go. */
function held() {
  const gate = closedGate();
  gates.push(gate);
  return { until: gate.passed, letGo: gate.open };
}

describe.concurrent('closeWindow', () => {
  test('ends the window now and answers with its report', async () => {
    const item = opened(still);
    const window = await harness.watch(item);
    const report = await window.executeUpdate(closeWindowUpdate, { args: [OPS] });
    expect(report).toMatchObject({ outcome: 'closed_early', endedBy: OPS, coverage: { made: 0 } });
    expect(await window.result()).toMatchObject({ outcome: 'closed_early' });
    expect(reportOf(item)).toEqual(report);
    expect(item.shown.status).toBe('done');
    expect(item.comments.map(({ key }) => key.split(':').at(-1))).toEqual(['closed']);
  });

  test('after degradation the outcome says degraded', async () => {
    const item = opened(heldOpen, { looks: [fail()] });
    const window = await harness.watch(item);
    await harness.until(() => item.alerts.length > 0);
    const report = await window.executeUpdate(closeWindowUpdate, { args: [OPS] });
    expect(report).toMatchObject({ outcome: 'degraded_alerted', endedBy: OPS, recovered: false });
  });

  test('while a rollback runs: answers when that has ended', async () => {
    const item = opened(policy({ ...heldOpen, action: 'rollback' }), { looks: [fail()] });
    const rollback = held();
    item.rollback = async () => {
      await rollback.until;
      return { ok: true, detail: 'v1 is back' };
    };
    const window = await harness.watch(item);
    await harness.until(() => item.count.rollbacks === 1);
    const looks = item.count.looks;
    await harness.until(() => item.count.looks > looks + 1); // ticks go on beside it
    expect(await refusal(window.executeUpdate(extendWindowUpdate, { args: [{ ...OPS, minutes: 1 }] }))).toContain(
      'the window is rolling back',
    );
    const closing = await window.startUpdate(closeWindowUpdate, { args: [OPS], waitForStage: 'ACCEPTED' });
    expect(await window.query(windowStatusQuery)).toMatchObject({ phase: 'acting', action: { ok: null } });
    rollback.letGo();
    expect(await closing.result()).toMatchObject({
      outcome: 'degraded_rolled_back',
      endedBy: OPS,
      action: { ok: true, detail: 'v1 is back' },
    });
    await window.result();
    expect(item.count.rollbacks).toBe(1);
    expect(item.shown.status).toBe('done');
  });

  test('a cancel of the window does not cancel a rollback that has begun', async () => {
    const item = opened(policy({ ...heldOpen, action: 'rollback' }), { looks: [fail()] });
    const rollback = held();
    item.rollback = async () => {
      await rollback.until;
      return { ok: true, detail: 'v1 is back' };
    };
    const window = await harness.watch(item);
    await harness.until(() => item.count.rollbacks === 1);
    await window.signal(cancelWindowSignal, OPS);
    await window.cancel();
    rollback.letGo();
    expect(await window.result()).toMatchObject({ outcome: 'degraded_rolled_back' });
    expect(reportOf(item)).toMatchObject({ endedBy: OPS, action: { ok: true } });
    expect(item.shown.status).toBe('done');
  });

  test('a second one is refused, and says how the window ended', async () => {
    const tracker = held();
    const item = opened(still, { tracker: () => tracker.until }); // its last status cannot be written yet, so the workflow keeps running
    const window = await harness.watch(item);
    await window.executeUpdate(closeWindowUpdate, { args: [OPS] });
    expect(await refusal(window.executeUpdate(closeWindowUpdate, { args: [OPS] }))).toBe(
      'the window has ended already: seen enough',
    );
    expect(await refusal(window.executeUpdate(extendWindowUpdate, { args: [{ ...OPS, minutes: 1 }] }))).toBe(
      'the window has ended already: seen enough',
    );
    tracker.letGo();
    expect(await window.result()).toMatchObject({ outcome: 'closed_early' });
  });

  test.each([
    [undefined],
    ['x'],
    [{ by: 'oncall' }],
    [{ reason: 'x' }],
    [{ by: ' ', reason: 'x' }],
    [{ by: 7, reason: 'x' }],
  ])('refused without who and why: %j', async (payload) => {
    const item = opened(still);
    const window = await harness.watch(item);
    expect(await refusal(window.executeUpdate('closeWindow', { args: [payload] }))).toMatch(/must be/);
    expect((await window.query(windowStatusQuery)).phase).toBe('open');
    await window.terminate();
  });
});

describe.concurrent('extendWindow', () => {
  test('moves the end, to the millisecond, and keeps the grid', async () => {
    const item = opened(still);
    const window = await harness.watch(item);
    const before = await window.query(windowStatusQuery);
    const { endsAt } = await window.executeUpdate(extendWindowUpdate, { args: [{ ...OPS, minutes: 2 }] });
    expect(endsAt).toBe(before.endsAt + 120_000);
    const again = await window.executeUpdate(extendWindowUpdate, { args: [{ ...OPS, minutes: 1 / 3 + 1 / 7_000 }] });
    expect(again.endsAt).toBe(Math.ceil(endsAt + 20_000 + 60_000 / 7_000));
    const after = await window.query(windowStatusQuery);
    expect(after).toMatchObject({ endsAt: again.endsAt, plannedTicks: 12, nextLookAt: before.nextLookAt });
    expect(after.messages).toMatchObject([{ name: 'extendWindow' }, { name: 'extendWindow', by: 'oncall' }]);
    await window.signal(cancelWindowSignal, OPS);
    expect(await window.result()).toMatchObject({ outcome: 'cancelled' });
  });

  test('a window that was extended looks on', async () => {
    const item = opened(policy({ ...compressed, windowMs: 2_000, maxWindowMs: 60_000 }));
    const window = await harness.watchExtended(item, { ...OPS, minutes: 0.03 });
    expect(await window.result()).toMatchObject({ outcome: 'healthy' });
    const { coverage, openedAt, endsAt, plannedTicks } = reportOf(item);
    expect(endsAt - openedAt).toBe(3_800);
    expect(plannedTicks).toBe(3);
    expect(coverage).toMatchObject({ made: 3, missed: 0 });
  });

  test('what is refused says why, changes nothing and leaves no trace in the history', async () => {
    const item = opened(still);
    const window = await harness.watch(item);
    await window.query(windowStatusQuery);
    // But for workflow tasks: one that waits for a busy worker stays in the history.
    const ownEvents = async () =>
      ((await window.fetchHistory()).events ?? []).filter(
        (event) =>
          event.workflowTaskScheduledEventAttributes == null &&
          event.workflowTaskStartedEventAttributes == null &&
          event.workflowTaskCompletedEventAttributes == null &&
          event.workflowTaskTimedOutEventAttributes == null,
      ).length;
    const before = await ownEvents();
    const status = await window.query(windowStatusQuery);
    const refused: [unknown, unknown][] = [
      [{ ...OPS, minutes: 6 }, 'the window may last 15 minutes at the most; extend it by 5 minutes or less'],
      [{ ...OPS, minutes: 1e308 }, 'the window may last 15 minutes at the most; extend it by 5 minutes or less'],
      [{ ...OPS, minutes: -1 }, 'minutes must be a number greater than 0, got -1'],
      [{ ...OPS, minutes: 0 }, 'minutes must be a number greater than 0, got 0'],
      [{ ...OPS, minutes: Number.NaN }, 'minutes must be a number greater than 0, got null'],
      [{ ...OPS, minutes: '5' }, 'minutes must be a number greater than 0, got "5"'],
      [{ ...OPS }, 'minutes must be a number greater than 0, got undefined'],
      [{ by: 'oncall', minutes: 1 }, 'reason must be a text that says why'],
      [{ reason: 'x', minutes: 1 }, 'by must be a text that says who asks'],
      [undefined, expect.stringMatching(/the payload must be an object \{by, reason\}, got (null|undefined)/)],
      [['x'], 'the payload must be an object {by, reason}, got ["x"]'],
    ];
    for (const [payload, why] of refused) {
      expect(await refusal(window.executeUpdate('extendWindow', { args: [payload] }))).toEqual(why);
    }
    expect(await ownEvents()).toBe(before);
    expect(await window.query(windowStatusQuery)).toEqual(status);
    await window.terminate();
  });
});

describe.concurrent('a message while a probe runs takes effect before the next tick', () => {
  test.each<[string, (item: Item) => Promise<unknown>, string]>([
    ['closeWindow', (item) => harness.window(item).executeUpdate(closeWindowUpdate, { args: [OPS] }), 'closed_early'],
    ['cancelWindow', (item) => harness.window(item).signal(cancelWindowSignal, OPS), 'cancelled'],
    ["Temporal's cancel", (item) => harness.window(item).cancel(), 'cancelled'],
  ])('%s', async (_, send, outcome) => {
    // The next tick is 20 s away: the message sent by this probe arrives before it.
    const item = opened(policy({ ...heldOpen, intervalMs: 20_000 }));
    let sent: Promise<unknown> | undefined;
    item.onLook = async () => {
      sent ??= send(item); // once: a probe is repeated if its workflow task is lost
      sent.catch(() => {}); // awaited below
      await delay(100);
    };
    const window = await harness.watch(item);
    expect(await window.result()).toMatchObject({ outcome });
    await sent;
    expect(item.count.looks).toBe(1);
  });
});

describe.concurrent('payloads that cannot be read', () => {
  const BROKEN: [string, { encoding: string; data: string }][] = [
    ['JSON that is broken', { encoding: 'json/plain', data: '{"by": "oncall", ' }],
    ['an unknown encoding', { encoding: 'x/y', data: 'z' }],
    ['no encoding at all', { encoding: '', data: '{}' }],
  ];
  test.each(BROKEN)('%s in a signal is ignored and shown; the window is not stuck', async (_, { encoding, data }) => {
    const item = opened(still);
    const window = await harness.watch(item);
    for (const signalName of ['cancelWindow', 'nonsense']) {
      await harness.connection.workflowService.signalWorkflowExecution({
        namespace: 'default',
        workflowExecution: { workflowId: window.workflowId },
        signalName,
        requestId: unique('request'),
        input: {
          payloads: [
            { metadata: { ...(encoding === '' ? {} : { encoding: Buffer.from(encoding) }) }, data: Buffer.from(data) },
          ],
        },
      });
    }
    const { notes, phase } = await window.query(windowStatusQuery);
    expect(phase).toBe('open');
    expect(notes.map(({ text }) => text)).toEqual([
      expect.stringContaining(
        'the signal cancelWindow was ignored: its payload must be an object {by, reason}, got "(a payload that cannot be read:',
      ),
      'the signal nonsense was ignored: a window takes cancelWindow',
    ]);
    await window.signal(cancelWindowSignal, OPS);
    expect(await window.result()).toMatchObject({ outcome: 'cancelled' });
  });
});

describe.concurrent('what Temporal shows', () => {
  const details = async (item: Item, of: 'window' | 'deploy'): Promise<string> => {
    const metadata = await harness[of](item).query<{ currentDetails?: string }>('__temporal_workflow_metadata');
    return metadata.currentDetails ?? '';
  };

  test('search attributes, static summary and current details of a window and its deploy', async () => {
    const item = opened(heldOpen, { looks: [pass(), fail(), fail(), pass()] });
    const deploy = await harness.start(item, { version: 'v2' });
    await harness.until(() => item.alerts.length > 0);
    const window = harness.window(item);
    const open = await window.describe();
    expect(open.typedSearchAttributes.get(D2dRepo)).toBe(item.plan.repo);
    expect(open.typedSearchAttributes.get(D2dWorkItem)).toBe(item.workItem);
    expect(open.typedSearchAttributes.get(D2dPhase)).toBe('open');
    expect(open.typedSearchAttributes.get(D2dVerdict)).toBe('DEGRADED');
    expect(await open.staticSummary()).toBe(`${item.workItem}: watch ${item.plan.repo} v2 after its deploy`);
    const live = await details(item, 'window');
    expect(live).toMatch(/^\*\*DEGRADED\*\* · tick \d+ of 600 · ends \d\d:\d\d:\d\d UTC/);
    expect(live).toContain('2 health checks in a row failed (threshold 2): GET /health answered 503');
    expect(live).toContain('| tick | time | health | requests | failed | |');

    const running = await deploy.describe();
    expect(running.typedSearchAttributes.get(D2dPhase)).toBe('monitoring');
    expect(running.typedSearchAttributes.get(D2dRepo)).toBe(item.plan.repo);
    expect(running.typedSearchAttributes.get(D2dWorkItem)).toBe(item.workItem);
    expect(await details(item, 'deploy')).toContain(`Post-deploy window: \`${window.workflowId}\``);
    expect(await deploy.query(deployStatusQuery)).toMatchObject({ phase: 'monitoring', windowId: window.workflowId });

    await window.executeUpdate(closeWindowUpdate, { args: [OPS] });
    expect(await deploy.result()).toMatchObject({ outcome: 'degraded_alerted' });
    const closed = await window.describe();
    expect(closed.typedSearchAttributes.get(D2dPhase)).toBe('closed');
    expect(closed.typedSearchAttributes.get(D2dVerdict)).toBe('DEGRADED');
    expect((await deploy.describe()).typedSearchAttributes.get(D2dPhase)).toBe('finished');
    const { tick } = reportOf(item).ticks.at(-1) ?? {};
    expect(await details(item, 'window')).toContain(`**degraded_alerted** · tick ${tick} of 600 · closed`);
    expect(await window.query(windowStatusQuery)).toMatchObject({ phase: 'closed', outcome: 'degraded_alerted' });
  });

  test('a window says acting while it rolls back', async () => {
    const item = opened(policy({ ...heldOpen, action: 'rollback' }), { looks: [fail(), fail(), pass()] });
    const rollback = held();
    item.rollback = async () => {
      await rollback.until;
      return { ok: true, detail: 'v1 is back' };
    };
    const window = await harness.watch(item);
    await harness.until(() => item.count.rollbacks === 1);
    expect((await window.describe()).typedSearchAttributes.get(D2dPhase)).toBe('acting');
    rollback.letGo();
    await window.result();
    expect((await window.describe()).typedSearchAttributes.get(D2dPhase)).toBe('closed');
  });

  test.each([
    ['HEALTHY', [pass()]],
    ['NO_EVIDENCE', [{ ...fail(), health: 'unknown' as const }]],
  ])('a window that ends %s says so', async (verdict, looks) => {
    const item = opened(policy({ ...compressed, windowMs: 1_000 }), { looks });
    const window = await harness.watch(item);
    await window.result();
    expect((await window.describe()).typedSearchAttributes.get(D2dVerdict)).toBe(verdict);
  });

  test('search attributes and current details outlive a continue-as-new', async () => {
    const item = opened(still);
    const window = await harness.watch(item, { continueAfterEvents: 10 });
    const first = (await window.describe()).runId;
    // Each moves the end of the window, which starts its timer anew; the last one goes on in the next execution.
    const extend = (n: number) =>
      harness.window(item).executeUpdate(extendWindowUpdate, { args: [{ ...OPS, minutes: n / 60 }] });
    for (let n = 1; n <= 5; n += 1) await extend(n);
    const next = await eventually(async () => {
      const now = await harness.window(item).describe();
      expect(now.runId).not.toBe(first);
      return now;
    });
    expect((await harness.window(item).query(windowStatusQuery)).messages).toHaveLength(5);
    expect(next.typedSearchAttributes.get(D2dPhase)).toBe('open');
    expect(next.typedSearchAttributes.get(D2dWorkItem)).toBe(item.workItem);
    // The static summary does not (server 1.29.1, and no option of SDK 1.24.0 sets it): the details take its place.
    expect(await details(item, 'window')).toContain('tick 0 of 10');
    await harness.window(item).signal(cancelWindowSignal, OPS);
    expect(await window.result()).toMatchObject({ outcome: 'cancelled' });
  });
});

describe.concurrent('executions', () => {
  test('a second start while one runs is refused and names the running one', async () => {
    const approval = { required: true, timeoutMs: 3_600_000 };
    const item = harness.add({ plan: plan({ window: compressed, settleMs: 50, approval }) });
    const deploy = await harness.start(item);
    const second = harness.start(item);
    await expect(second).rejects.toThrow(WorkflowExecutionAlreadyStartedError);
    await expect(second).rejects.toThrow(expect.objectContaining({ workflowId: deploy.workflowId }));
    await deploy.signal(approveSignal, OPS);
    expect(await deploy.result()).toMatchObject({ outcome: 'done' });
    expect(item.count.deploys).toBe(1);
  });

  test('a re-drive while the window is active is refused', async () => {
    const item = opened(still);
    const window = await harness.watch(item);
    expect(await harness.run(item)).toMatchObject({
      outcome: 'refused',
      reason: expect.stringContaining(`${window.workflowId} is still active`),
    });
    await window.terminate();
  });

  test('the window is terminated: its parent converges the status and says that it was lost', async () => {
    const item = opened(still);
    const deploy = await harness.start(item);
    await harness.until(() => item.shown.status === 'monitoring');
    await harness.window(item).terminate('an operator');
    expect(await deploy.result()).toMatchObject({
      outcome: 'window_lost',
      reason: expect.stringContaining('the post-deploy window was lost'),
    });
    expect(item.shown.status).toBe('done');
    expect(item.comments.map(({ key }) => key.split(':').at(-1))).toEqual(['lost']);
  });

  test('the parent is terminated: the window goes on and takes the status to Done by itself (ABANDON)', async () => {
    const item = opened();
    item.onLook = async (n) => {
      if (n === 0) await harness.deploy(item).terminate('an operator'); // the window is open now
    };
    const deploy = await harness.start(item);
    await expect(deploy.result()).rejects.toThrow(WorkflowFailedError);
    expect(await harness.window(item).result()).toMatchObject({ outcome: 'healthy' });
    expect(reportOf(item).coverage).toMatchObject({ made: 5, missed: 0 });
    expect(item.shown.status).toBe('done');
  });

  test('a window that is started by hand with an input that is none fails, and is not stuck', async () => {
    for (const input of [
      undefined,
      'x',
      { repo: 'shop', workItem: 'X' },
      { repo: 'shop', workItem: 'X', policy: { windowMs: 'x' } },
    ]) {
      const window = await harness.client.workflow.start('postDeployMonitor', {
        taskQueue: harness.taskQueue,
        workflowId: unique('window'),
        args: [input],
      });
      await expect(window.result()).rejects.toThrow(WorkflowFailedError);
    }
  });
});

describe.concurrent('a worker that is gone', () => {
  /** A worker of its own, which can go. */
  async function withWorker(run: (own: RealHarness) => Promise<void>): Promise<void> {
    const own = await startRealHarness();
    try {
      await run(own);
    } finally {
      await own.close();
    }
  }

  test.each([
    ['right', realClock],
    ['90 s behind', slowClock],
  ])(
    'for a few ticks (W1): they are recorded as missed, and no burst makes up for them; its clock is %s',
    (_, probeClock) =>
      withWorker(async (own) => {
        // Stopped by its eleventh probe of twenty: enough evidence, however long the worker is away.
        const twentyTicks = policy({ ...compressed, windowMs: 60_000, intervalMs: 3_000 });
        const item = own.add({ plan: plan({ window: twentyTicks, settleMs: 50 }), probeClock });
        const stopped = new Promise<void>((resolve, reject) => {
          item.onLook = async (n) => {
            if (n === 10) own.stopWorker().then(resolve, reject);
          };
        });
        const window = await own.watch(item);
        await stopped;
        await delay(9_500);
        await own.startWorker();
        expect(await window.result()).toMatchObject({ outcome: 'healthy' });
        const { coverage, ticks } = reportOf(item);
        expect(coverage.made + coverage.missed).toBe(20);
        expect(coverage.missed).toBeGreaterThanOrEqual(2);
        expect(new Set(ticks.map(({ tick }) => tick)).size).toBe(ticks.length);
      }),
  );

  test('for longer than the window: it ends on its own deadline, and what is seen after it does not count', () =>
    withWorker(async (own) => {
      // Five ticks, far enough apart to stop the worker before the last one.
      const apart = policy({ ...compressed, windowMs: 20_000, intervalMs: 4_000 });
      const item = own.add({ plan: plan({ window: apart, settleMs: 50 }), probeClock: realClock });
      const window = await own.watch(item);
      const { endsAt } = await window.query(windowStatusQuery);
      await own.until(() => item.count.looks >= 1);
      await own.stopWorker();
      const looks = item.count.looks;
      await delay(endsAt + 1.1 * apart.intervalMs - Date.now());
      await own.startWorker();
      expect(await window.result()).toMatchObject({ outcome: looks < 3 ? 'no_evidence' : 'healthy' });
      expect(item.count.looks).toBeLessThanOrEqual(looks + 1); // one that comes too late shows itself by its time
      expect(reportOf(item)).toMatchObject({ coverage: { made: looks, missed: 5 - looks }, endedBy: null });
      expect(item.shown.status).toBe('done');
    }));
});

// Here, as the time-skipping server refuses the cancel of an activity that has ended meanwhile.
describe.concurrent('a cancel of a run whose stage cannot be set ends it, and puts the status back', () => {
  test.each([
    ['without a window', null],
    ['and its window', heldOpen],
  ])('%s', async (_, window) => {
    const item = harness.add({ plan: plan({ window, settleMs: 50 }) });
    let sets = 0;
    item.database = async (call) => {
      if (call === 'read') return;
      sets += 1;
      throw ApplicationFailure.nonRetryable('Postgres refuses: permission denied', 'DatabaseRefused');
    };
    const handle = await harness.start(item);
    await eventually(() => expect(sets).toBeGreaterThanOrEqual(2));
    if (window !== null) await eventually(() => expect(item.count.looks).toBeGreaterThan(0));
    await handle.cancel();
    expect(await handle.result()).toEqual({
      outcome: 'cancelled',
      reason: 'the run was cancelled after its deploy, before the task could be set to done',
    });
    expect(item.task?.stage).toBe('deploy');
    expect(item.shown.id).toBe(IN_PROGRESS.id);
    expect(item.comments.flatMap(({ paragraphs }) => paragraphs)).toContainEqual(
      expect.stringContaining('before the task could be set to done'),
    );
    if (window !== null) expect(reportOf(item)).toMatchObject({ outcome: 'cancelled' });
  });
});

describe.concurrent('setDeployStatus', () => {
  const setStatus = (input: unknown) =>
    harness.client.workflow.execute(SET_STATUS_WORKFLOW, {
      taskQueue: harness.taskQueue,
      workflowId: unique('set-status'),
      args: [input],
    });

  test('writes a status that the guard allows', async () => {
    const item = harness.add();
    const { repo } = item.plan;
    expect(
      await setStatus({ repo, workItem: item.workItem, status: 'deploying', caller: 'ci', reason: 'by hand' }),
    ).toMatchObject({
      verdict: 'ALLOW',
    });
    expect(item.shown.status).toBe('deploying');
    expect(harness.logged).toContainEqual(
      expect.objectContaining({ work_item: item.workItem, caller: 'ci', reason: 'by hand', target: 'deploying' }),
    );
  });

  test('D3: a done task without a window converges to Done', async () => {
    const item = harness.add({ task: { repo: '', stage: 'done' }, shown: shownAs('awaiting_deploy') });
    expect(
      await setStatus({ repo: item.plan.repo, workItem: item.workItem, status: 'awaiting_deploy', caller: 'stale' }),
    ).toMatchObject({
      verdict: 'CONVERGE_DONE',
    });
    expect(item.shown.status).toBe('done');
  });

  test('a watched task shows monitoring, whatever was asked for', async () => {
    const item = opened(still);
    const window = await harness.watch(item);
    expect(
      await setStatus({ repo: item.plan.repo, workItem: item.workItem, status: 'deploying', caller: 'stale' }),
    ).toMatchObject({
      verdict: 'ALLOW',
    });
    expect(item.shown.status).toBe('monitoring');
    await window.terminate();
  });

  test.each([
    [undefined, 'the start must name a repository and a work item'],
    [
      { repo: 'shop', workItem: 'ORCH-1', status: 'done', caller: 'x' },
      'status must be "awaiting_deploy", "deploying" or "monitoring", got "done"',
    ],
    [{ repo: 'shop', workItem: 'ORCH-1', status: 'deploying', caller: 7 }, 'caller and reason must be texts'],
  ])('an input that is none is refused, and not tried for ever: %j', async (input, why) => {
    const failed = await setStatus(input).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(WorkflowFailedError);
    expect(failed).toMatchObject({ cause: { message: expect.stringContaining(why), type: 'Refused' } });
  });
});

test('budget: a healthy window of 30 ticks takes at most 210 history events and 32 KiB', async () => {
  const { item, ended } = budgeted;
  await ended;
  const { coverage } = reportOf(item);
  expect(coverage.made + coverage.missed).toBe(30);
  const window = harness.window(item);
  const { historySize = 0 } = await window.describe();
  const { events, bytes } = sizeOf(await window.fetchHistory());
  console.log(
    `a healthy window of 30 ticks, dev server: ${events} events, ${bytes} bytes (${historySize} as it counts)`,
  );
  expect(events).toBeLessThanOrEqual(210);
  expect(Math.max(bytes, historySize)).toBeLessThanOrEqual(32 * 1_024);
});

test('of a report and a resolution that come together the first counts', async () => {
  const own = await startRealHarness();
  onTestFinished(own.close);
  const fixed = plan({
    ...{ driver: { kind: 'external', idempotent: false, timeoutMs: 100 }, window: null, rollback: null },
    settleMs: 50,
  });
  const handle = await own.start(own.add({ plan: fixed }));
  await eventually(async () => expect((await handle.query(deployStatusQuery)).phase).toBe('unknown'));
  await own.stopWorker();
  await handle.signal(resolveDeploySignal, { deployed: true, by: 'oncall', reason: 'v2 runs' });
  await handle.signal(deployFinishedSignal, { ok: false, by: 'ci' });
  await own.startWorker();
  expect(await handle.result()).toMatchObject({ outcome: 'done' });
  const { notes, resolution, reported } = await handle.query(deployStatusQuery);
  expect({ resolution, reported }).toMatchObject({ resolution: { deployed: true }, reported: null });
  expect(notes.map(({ text }) => text)).toContain(
    'the signal deployFinished was ignored: oncall has said already that it was deployed',
  );
});
