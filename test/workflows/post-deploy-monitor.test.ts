import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TickRecord, WindowReport } from '../../activities/window-report.ts';
import { cancelWindowSignal, driverStuckSignal, windowStatusQuery } from '../../workflows/messages.ts';
import { bundleWorkflows } from '../setup/bundle.ts';
import { eventually } from '../setup/eventually.ts';
import { type Harness, startHarness } from './harness.ts';
import { sizeOf } from './histories.ts';
import { fail, type Item, pass, plan, policy, realClock, unknown } from './item.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());

const statuses = (item: Item) => item.writes.map(({ status }) => status);
/** Sorted: two that are sent in the same moment may arrive in any order. */
const kinds = (records: readonly { readonly key: string }[]) => records.map(({ key }) => key.split(':').at(-1)).sort();
const comments = (item: Item) => item.comments.flatMap(({ paragraphs }) => paragraphs).join('\n');

function reportOf(item: Item): WindowReport {
  const [report, ...more] = item.reports;
  if (report === undefined || more.length > 0) throw new Error(`${item.reports.length} reports for one window`);
  return report;
}

/** When the probes ran, in confirm intervals (5 s) after the opening. */
const slots = ({ openedAt, ticks }: WindowReport) => ticks.map(({ at }) => (at - openedAt) / 5_000);

/** No probe runs before it is due. A probe counts at the time at which it was due, see `probeClock`. */
function expectNoneEarly({ probedAt }: Item, { ticks }: WindowReport): void {
  expect(ticks.filter(({ at }, n) => (probedAt[n] ?? 0) < at)).toEqual([]);
}

const ticks = (records: readonly TickRecord[]) => records.map(({ tick }) => tick);

describe('cadence', () => {
  test('a tick at each whole interval, the last one at the end', async () => {
    const item = harness.add();
    await (await harness.watch(item)).result();
    const report = reportOf(item);
    expect(ticks(report.ticks)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(slots(report)).toEqual([6, 12, 18, 24, 30, 36, 42, 48, 54, 60]);
    expectNoneEarly(item, report);
    expect(report).toMatchObject({
      outcome: 'healthy',
      endedBy: null,
      degradedAt: null,
      recovered: null,
      action: null,
    });
    expect(report.endsAt - report.openedAt).toBe(300_000);
  });

  test('after a failure the next looks follow at the confirm interval until the streak breaks', async () => {
    const item = harness.add({ looks: [pass(), fail(), fail(), pass(), pass()] });
    await (await harness.watch(item)).result();
    const report = reportOf(item);
    expect(slots(report).slice(0, 6)).toEqual([6, 12, 13, 14, 18, 24]);
    expectNoneEarly(item, report);
    expect(report.ticks.slice(0, 5)).toMatchObject([
      { tick: 1 },
      { tick: 2 },
      { tick: 2, confirming: true },
      { tick: 2, confirming: true },
      { tick: 3 },
    ]);
    expect(report.ticks.filter(({ confirming }) => confirming)).toHaveLength(2);
    expect(report.outcome).toBe('healthy');
  });

  test('a look that sees nothing neither ends a streak nor its confirmation', async () => {
    const item = harness.add({ looks: [fail(), unknown(), fail(), unknown(), fail(), pass()] });
    await (await harness.watch(item)).result();
    const report = reportOf(item);
    expect(slots(report).slice(0, 6)).toEqual([6, 7, 8, 9, 10, 11]);
    expectNoneEarly(item, report);
    expect(report.degradedAt).toBe(report.ticks[4]?.at);
  });

  test('the grid is absolute: late looks do not move the ones that follow', async () => {
    const item = harness.add({ probeClock: realClock });
    item.onLook = () => delay(50); // real milliseconds, which the server's clock counts too
    await (await harness.watch(item)).result();
    const { openedAt, ticks: records } = reportOf(item);
    expect(item.count.looks).toBe(10);
    for (const { tick, at } of records) expect(Math.floor((at - openedAt) / 30_000)).toBe(tick);
  });
});

describe('degraded', () => {
  test('by health: acts in the tick that proves it, once, and goes on to the end; recovered', async () => {
    const item = harness.add({ looks: [pass(), fail(), fail(), fail(), pass()] });
    const alertedAt: number[] = [];
    item.sink = async () => {
      alertedAt.push(item.count.looks);
    };
    expect(await (await harness.watch(item)).result()).toMatchObject({ outcome: 'degraded_alerted' });
    const report = reportOf(item);
    expect(report.degradedAt).toBe(report.ticks[3]?.at);
    expect(report.action).toMatchObject({ kind: 'ALERT_ONLY', ok: true });
    expect(report.recovered).toBe(true);
    expect(alertedAt).toEqual([4, 7]);
    expect(kinds(item.alerts)).toEqual(['degraded', 'recovered']);
    expect(kinds(item.comments)).toEqual(['closed', 'degraded']);
    expect(ticks(report.ticks).at(-1)).toBe(10);
    expect(comments(item)).toContain('Production has recovered.');
    expect(statuses(item)).toEqual(['done']);
  });

  test('by errors: the ratio of the whole window exceeds its threshold; 5xx while health passes', async () => {
    const item = harness.add({ looks: [pass(19, 1), pass(1, 0), pass(20, 2), pass(100, 0)] });
    await (await harness.watch(item)).result();
    const report = reportOf(item);
    // 1 of 19 is below minRequests, 1 of 20 equals the threshold, 3 of 40 exceeds it
    expect(report.degradedAt).toBe(report.ticks[2]?.at);
    expect(report.summary).toContain('3 of 40 requests failed (7.5 %, threshold 5.0 %)');
    expect(report.outcome).toBe('degraded_alerted');
  });

  test('the verdict is sticky: later traffic that dilutes the ratio takes nothing back, and alerts nobody again', async () => {
    const item = harness.add({ looks: [pass(20, 10), pass(1_000, 0)] });
    await (await harness.watch(item)).result();
    const report = reportOf(item);
    expect(report.assessment.verdict).toBe('HEALTHY');
    expect(report).toMatchObject({ outcome: 'degraded_alerted', recovered: true });
    expect(kinds(item.alerts)).toEqual(['degraded', 'recovered']);
  });

  test('health that passes is no recovery while requests still fail', async () => {
    const item = harness.add({ looks: [pass(20, 10)] });
    await (await harness.watch(item)).result();
    expect(reportOf(item)).toMatchObject({ outcome: 'degraded_alerted', recovered: false });
    expect(kinds(item.alerts)).toEqual(['degraded']);
  });

  test('not recovered by the end: says so', async () => {
    const item = harness.add({ looks: [fail()] });
    await (await harness.watch(item)).result();
    expect(reportOf(item)).toMatchObject({ outcome: 'degraded_alerted', recovered: false });
    expect(comments(item)).toContain('Production had not recovered when the window ended.');
    expect(kinds(item.alerts)).toEqual(['degraded']);
  });

  test('recovered needs failThreshold passes in a row after the verdict', async () => {
    const item = harness.add({
      plan: plan({ window: policy({ windowMs: 60_000 }) }),
      looks: [fail(), fail(), fail(), pass()],
    });
    await (await harness.watch(item)).result();
    expect(reportOf(item)).toMatchObject({ recovered: false });
  });

  test('an alert sink that fails stops nothing: it is noted, the ticket has the comment, and the alerts follow', async () => {
    const item = harness.add({ looks: [fail(), fail(), fail(), pass()] });
    item.sink = async () => {
      if (item.reports.length === 0) throw ApplicationFailure.nonRetryable('the sink answered 500');
    };
    const window = await harness.watch(item);
    expect(await window.result()).toMatchObject({ outcome: 'degraded_alerted' });
    expect(kinds(item.alerts)).toEqual(['degraded', 'recovered']);
    expect(kinds(item.comments)).toEqual(['closed', 'degraded']);
    expect(item.shown.status).toBe('done');
    const { notes, action } = await window.query(windowStatusQuery);
    const late = 'the alert could not be sent yet and is retried: the sink answered 500';
    expect(notes.map(({ text }) => text)).toEqual(Array(2).fill(late));
    expect(action).toMatchObject({ ok: false, detail: late });
  });
});

test('a sink that is away for 20 minutes, and comments that are refused for two hours: each arrives, once', async () => {
  const item = harness.add({ looks: [fail(), fail(), fail()] });
  const now = () => harness.env.currentTimeMs();
  const since = await now();
  const MINUTE = 60_000;
  item.sink = async () => {
    if ((await now()) - since < 20 * MINUTE) throw new Error('the sink is away');
  };
  item.commenting = async () => {
    if ((await now()) - since < 120 * MINUTE) throw new Error('the tracker is away');
  };
  const window = await harness.watch(item);
  expect(await harness.resultOf(window)).toMatchObject({ outcome: 'degraded_alerted' });
  expect([item.alerts, item.comments]).toEqual([[], []]);
  await window.result();
  expect(kinds(item.alerts)).toEqual(['degraded']);
  expect(kinds(item.comments)).toEqual(['closed', 'degraded']);
  expect(item.shown.status).toBe('done');
});

describe('rollback', () => {
  const rollingBack = (change: Partial<Item> = {}, idempotent = false) =>
    harness.add({
      looks: [fail(), fail(), fail(), pass()],
      ...change,
      plan: plan({
        window: policy({ action: 'rollback', rollbackWatchMs: 60_000 }),
        rollback: { idempotent, timeoutMs: 60_000 },
        ...change.plan,
      }),
    });

  test('worked, production is healthy again: closes before its time', async () => {
    // Looks so far apart that none is due while it is rolled back: the server's time passes in a slow activity, too.
    const apart = policy({
      ...{ action: 'rollback', windowMs: 3_000_000, intervalMs: 300_000, confirmMs: 50_000, rollbackWatchMs: 600_000 },
    });
    const item = rollingBack({ plan: plan({ window: apart }) });
    expect(await (await harness.watch(item)).result()).toMatchObject({ outcome: 'degraded_rolled_back' });
    const report = reportOf(item);
    expect(item.count.rollbacks).toBe(1);
    expect(report).toMatchObject({ recovered: true, endedBy: null, action: { kind: 'ROLLBACK', ok: true } });
    expect(report.ticks).toHaveLength(3);
    expect(report.ticksAfterRollback.map(({ health }) => health)).toEqual(['pass', 'pass', 'pass']);
    expect(report.endedAt).toBeLessThan(report.openedAt + 900_000);
    expect(kinds(item.alerts)).toEqual(['degraded', 'recovered-by-rollback', 'rolled-back']);
    expect(item.shown.status).toBe('done');
  });

  test('whose driver needs a person: a note and an alert at once', async () => {
    const item = rollingBack();
    const window = await harness.watch(item);
    const text = "the deployer's status URL cannot be read, it is asked again: it answered 401";
    let notes: readonly unknown[] = [];
    item.rollback = async () => {
      await window.signal(driverStuckSignal, { kind: 'rollback', text });
      await eventually(async () => {
        expect(kinds(item.alerts)).toContain('rollback-stuck');
        notes = (await window.query(windowStatusQuery)).notes;
      });
      return { ok: true, detail: 'rolled back' };
    };
    expect(await window.result()).toMatchObject({ outcome: 'degraded_rolled_back' });
    expect(notes).toMatchObject([{ text }]);
    expect(item.comments.flatMap(({ paragraphs }) => paragraphs)).toContain(text);
  });

  test('worked, but production does not recover within the limit: a second alert', async () => {
    const item = rollingBack({ looks: [fail()] });
    await (await harness.watch(item)).result();
    const report = reportOf(item);
    expect(report).toMatchObject({ outcome: 'degraded_rolled_back', recovered: false });
    expect(item.count.rollbacks).toBe(1);
    expect(report.ticksAfterRollback).toHaveLength(12);
    expect(kinds(item.alerts)).toEqual(['degraded', 'not-recovered', 'rolled-back']);
  });

  test('what was seen before the rollback is not held against what follows it', async () => {
    const item = rollingBack({ looks: [fail(), fail(), fail(), fail(), fail(), pass()] });
    await (await harness.watch(item)).result();
    expect(reportOf(item)).toMatchObject({ outcome: 'degraded_rolled_back', recovered: true });
    expect(item.count.rollbacks).toBe(1);
  });

  test('failed: an alert says so, and the window goes on watching to its end', async () => {
    const item = rollingBack({ rollback: async () => ({ ok: false, detail: 'exit code 1' }) });
    expect(await (await harness.watch(item)).result()).toMatchObject({ outcome: 'rollback_failed' });
    const report = reportOf(item);
    expect(report.action).toMatchObject({ ok: false, detail: 'exit code 1' });
    expect(ticks(report.ticks).at(-1)).toBe(10);
    expect(kinds(item.alerts)).toEqual(['degraded', 'recovered', 'rollback']);
    expect(item.alerts.find(({ key }) => key.endsWith(':rollback'))?.text).toBe('exit code 1');
    expect(item.count.rollbacks).toBe(1);
  });

  test('a worker that does not describe it leaves it to another one', async () => {
    const item = rollingBack();
    item.rollback = async () => {
      if (item.count.rollbacks < 3) throw ApplicationFailure.nonRetryable('not described', 'NotDescribedHere');
      return { ok: true, detail: 'v1 is back' };
    };
    await (await harness.watch(item)).result();
    expect(reportOf(item)).toMatchObject({ outcome: 'degraded_rolled_back', action: { ok: true } });
    expect(item.count.rollbacks).toBe(3);
  });

  test('where none describes it, it has failed', async () => {
    const item = rollingBack({
      rollback: async () => {
        throw ApplicationFailure.nonRetryable('not described', 'NotDescribedHere');
      },
    });
    await (await harness.watch(item)).result();
    expect(reportOf(item)).toMatchObject({
      outcome: 'rollback_failed',
      action: { ok: false, detail: 'not described' },
    });
    expect(item.count.rollbacks).toBe(12);
  });

  test('by a driver declared idempotent: tried again after its worker was lost', async () => {
    const item = rollingBack({}, true);
    item.rollback = async () => {
      if (item.count.rollbacks < 3) throw ApplicationFailure.retryable('the worker shut down', 'DeployInterrupted');
      return { ok: true, detail: 'v1 is back' };
    };
    expect(await (await harness.watch(item)).result()).toMatchObject({ outcome: 'degraded_rolled_back' });
    expect(item.count.rollbacks).toBe(3);
  });

  test('by any other driver: run once; where its worker was lost nobody knows, and production is watched', async () => {
    const item = rollingBack({
      rollback: async () => {
        throw ApplicationFailure.retryable('the worker shut down', 'DeployInterrupted');
      },
    });
    expect(await (await harness.watch(item)).result()).toMatchObject({ outcome: 'degraded_rolled_back' });
    expect(item.count.rollbacks).toBe(1);
    expect(reportOf(item)).toMatchObject({
      recovered: true,
      action: { ok: false, unknown: true, detail: 'the worker shut down' },
    });
    expect(reportOf(item).ticksAfterRollback).toHaveLength(3);
    expect(kinds(item.alerts)).toEqual(['degraded', 'recovered-by-rollback', 'rollback']);
    expect(item.alerts.find(({ key }) => key.endsWith(':rollback'))?.title).toMatch(
      /^nobody knows whether .* was rolled back$/,
    );
  });

  test('of which nobody knows, and production does not recover: it counts as failed, and both are told', async () => {
    const item = rollingBack({
      looks: [fail()],
      rollback: async () => ({ ok: false, unknown: true, detail: 'the answer was lost' }),
    });
    expect(await (await harness.watch(item)).result()).toMatchObject({ outcome: 'rollback_failed' });
    expect(reportOf(item)).toMatchObject({ recovered: false });
    expect(kinds(item.alerts)).toEqual(['degraded', 'not-recovered', 'rollback']);
  });

  test('worked, but too little is seen after it: nobody knows whether production has recovered', async () => {
    const item = rollingBack({ looks: [pass(10, 10), pass(10, 10), pass(1)] });
    expect(await (await harness.watch(item)).result()).toMatchObject({ outcome: 'degraded_rolled_back' });
    expect(reportOf(item)).toMatchObject({ recovered: false, recoveryUnknown: true });
    const told = item.alerts.find(({ key }) => key.endsWith(':not-recovered'));
    expect(told?.title).toMatch(/nobody knows whether .* has recovered after its rollback: too little was seen$/);
  });

  test('the looks after it are for the version that was rolled back to, or for none where nobody knows which', async () => {
    const known = rollingBack({ rollback: async () => ({ ok: true, detail: 'v1 is back', to: 'v1' }) });
    await (await harness.watch(known)).result();
    expect(known.lookedFor).toEqual(Array.from({ length: 3 }, () => ({ version: 'v1', rolledBack: true })));
    const unknown = rollingBack();
    await (await harness.watch(unknown)).result();
    expect(unknown.lookedFor).toEqual(Array.from({ length: 3 }, () => ({ version: null, rolledBack: true })));
  });

  test('no rollback driver: says so', async () => {
    const item = rollingBack({ plan: plan({ window: policy({ action: 'rollback' }), rollback: null }) });
    await (await harness.watch(item)).result();
    expect(reportOf(item)).toMatchObject({ outcome: 'rollback_failed' });
    expect(item.count.rollbacks).toBe(0);
    expect(item.alerts.find(({ key }) => key.endsWith(':rollback'))?.text).toContain('has no rollback driver');
  });

  test('BR-5: the self-hosting repository is alerted about, whatever the settings say', async () => {
    const item = rollingBack({ plan: plan({ selfHosting: true, window: policy({ action: 'rollback' }) }) });
    await (await harness.watch(item)).result();
    expect(reportOf(item)).toMatchObject({ outcome: 'degraded_alerted', action: { kind: 'ALERT_ONLY' } });
    expect(item.count.rollbacks).toBe(0);
  });
});

describe('endings', () => {
  test('D4: a tick that finds its task cancelled does nothing more: no status write, no next tick, no action', async () => {
    const item = harness.add({ looks: [pass(), fail(), fail(), fail()] });
    item.onLook = async (n) => {
      if (n === 3 && item.task !== null) item.task.stage = ' Cancelled ';
    };
    expect(await (await harness.watch(item)).result()).toMatchObject({ outcome: 'task_cancelled' });
    expect(item.count).toMatchObject({ looks: 4, rollbacks: 0 });
    expect(item.writes).toEqual([]);
    expect(item.shown.status).toBe('monitoring');
    expect(item.alerts).toEqual([]);
    expect(kinds(item.comments)).toEqual(['closed']);
  });

  test('D4: a task that was cancelled after its verdict gets no further write either', async () => {
    const item = harness.add({ looks: [fail()] });
    item.onLook = async (n) => {
      if (n === 4 && item.task !== null) item.task.stage = 'cancelled';
    };
    expect(await (await harness.watch(item)).result()).toMatchObject({ outcome: 'degraded_alerted' });
    expect(item.count.looks).toBe(5);
    expect(item.writes).toEqual([]);
  });

  test('a stage that cannot be read ends nothing', async () => {
    const item = harness.add({ task: null });
    expect(await (await harness.watch(item)).result()).toMatchObject({ outcome: 'healthy' });
  });

  test('cancelWindow ends it at once, not at the next tick', async () => {
    // Before a result is asked for, the server's time passes as quickly as ours: the first tick is far away.
    const item = harness.add({ plan: plan({ window: policy({ windowMs: 3_600_000, intervalMs: 600_000 }) }) });
    const window = await harness.watch(item);
    await harness.whileTimeStands(item, () =>
      window.signal(cancelWindowSignal, { by: 'oncall', reason: 'false alarm' }),
    );
    expect(await window.result()).toMatchObject({ outcome: 'cancelled' });
    expect(reportOf(item)).toMatchObject({
      endedBy: { by: 'oncall', reason: 'false alarm' },
      messages: [{ name: 'cancelWindow', by: 'oncall', reason: 'false alarm', effect: 'the window was cancelled' }],
    });
    expect(item.count.looks).toBe(0);
    expect(statuses(item)).toEqual(['done']);
    expect(comments(item)).toContain('Ended by oncall: false alarm.');
  });

  test('a cancelWindow without by or reason reads unknown', async () => {
    const item = harness.add();
    const window = await harness.watch(item);
    await harness.whileTimeStands(item, () => window.signal('cancelWindow'));
    await window.result();
    expect(reportOf(item).endedBy).toEqual({ by: 'unknown', reason: 'unknown' });
  });

  test("Temporal's own cancel does what cancelWindow does", async () => {
    const item = harness.add();
    const window = await harness.watch(item);
    await harness.whileTimeStands(item, () => window.cancel());
    expect(await window.result()).toMatchObject({ outcome: 'cancelled' });
    expect(reportOf(item).messages).toMatchObject([{ name: 'cancel', by: 'temporal' }]);
    expect(statuses(item)).toEqual(['done']);
  });

  test('a message that comes after the end is shown and changes nothing', async () => {
    const item = harness.add();
    item.tracker = async (call) => {
      if (call === 'write') await harness.window(item).signal(cancelWindowSignal, { by: 'late', reason: 'late' });
    };
    const window = await harness.watch(item);
    expect(await window.result()).toMatchObject({ outcome: 'healthy' });
    const { messages, outcome } = await window.query(windowStatusQuery);
    expect(outcome).toBe('healthy');
    expect(messages).toMatchObject([{ by: 'late', effect: 'ignored: the window had ended already' }]);
  });

  test('no evidence is not health', async () => {
    const item = harness.add({ looks: [unknown()] });
    expect(await (await harness.watch(item)).result()).toMatchObject({ outcome: 'no_evidence' });
    expect(reportOf(item).coverage).toEqual({ made: 10, missed: 0, unknown: 10, requests: 0, errors5xx: 0 });
    expect(kinds(item.comments)).toEqual(['closed']);
    expect(item.alerts).toMatchObject([
      {
        key: expect.stringMatching(/:no-evidence$/),
        title: expect.stringMatching(/: nobody knows whether it is healthy$/),
        text: expect.stringContaining('10 looks of 10 planned ticks, 0 missed, 10 unknown.'),
      },
    ]);
    expect(statuses(item)).toEqual(['done']);
  });

  test('requests that all fail, too few to count, are not health', async () => {
    const item = harness.add({ looks: [pass(1, 1)] });
    expect(await (await harness.watch(item)).result()).toMatchObject({ outcome: 'no_evidence' });
    expect(kinds(item.alerts)).toEqual(['no-evidence']);
  });

  describe('a worker whose clock jumps forward', () => {
    const jumping = (looks: Item['looks']) => {
      const item = harness.add({ looks });
      item.probeClock = (now) => now + (item.count.looks > 4 ? 1_800_000 : 0);
      return item;
    };
    const AHEAD =
      /^the clock of a worker is some (30 min|29 min 5\d s) ahead of Temporal's: what it sees counts by Temporal's time$/;

    test('does not end the window early', async () => {
      const item = jumping([pass()]);
      expect(await (await harness.watch(item)).result()).toMatchObject({ outcome: 'healthy' });
      const { coverage, notes } = reportOf(item);
      expect(coverage).toMatchObject({ made: 10, missed: 0 });
      expect(notes).toEqual([{ at: expect.any(Number), text: expect.stringMatching(AHEAD) }]);
    });

    test('does not hide what fails from then on', async () => {
      const item = jumping([...Array.from({ length: 4 }, () => pass()), fail()]);
      expect(await (await harness.watch(item)).result()).toMatchObject({ outcome: 'degraded_alerted' });
    });
  });

  test.each([2_500, 9_000, 90_000])(
    'a clock that is %i ms ahead misses no probe, and a note says so once',
    async (aheadMs) => {
      const closeTicks = policy({ windowMs: 50_000, intervalMs: 5_000 });
      const item = harness.add({ plan: plan({ window: closeTicks }), probeClock: (now) => now + aheadMs });
      expect(await (await harness.watch(item)).result()).toMatchObject({ outcome: 'healthy' });
      const { coverage, notes } = reportOf(item);
      expect(coverage).toMatchObject({ made: 10, missed: 0 });
      expect(notes).toMatchObject([{ text: expect.stringMatching(/^the clock of a worker is some .* ahead of/) }]);
    },
  );

  test('a window that is cancelled while the clock is compared acts no more', async () => {
    const item = harness.add({
      plan: plan({ window: policy({ failThreshold: 1, action: 'rollback' }) }),
      ...{ looks: [fail()], probeClock: (now: number) => now + 90_000 },
    });
    item.onLook = () =>
      harness.whileTimeStands(item, () =>
        harness.window(item).signal(cancelWindowSignal, { by: 'oncall', reason: 'x' }),
      );
    expect(await (await harness.watch(item)).result()).toMatchObject({ outcome: 'cancelled' });
    expect(item.count.rollbacks).toBe(0);
  });

  test('a clock that is behind is noted once', async () => {
    const looks = [pass(), { ...pass(), aheadMs: -90_100 }, { ...pass(), aheadMs: -92_700 }, pass()];
    const item = harness.add({ looks });
    expect(await (await harness.watch(item)).result()).toMatchObject({ outcome: 'healthy' });
    expect(reportOf(item).notes).toMatchObject([
      { text: "the clock of a worker is some 1 min 30 s behind Temporal's: what it sees counts by Temporal's time" },
    ]);
  });

  test('good traffic is no evidence where there is a health check that nobody can read', async () => {
    const looks = [{ ...unknown(), requests: 4 }];
    const item = harness.add({ looks });
    expect(await harness.run(item)).toMatchObject({ outcome: 'no_evidence' });
    expect(reportOf(item).coverage).toEqual({ made: 10, missed: 0, unknown: 10, requests: 40, errors5xx: 0 });
    expect(kinds(item.alerts)).toEqual(['no-evidence']);
    const without = harness.add({ looks, plan: plan({ healthCheck: null }) });
    expect(await harness.run(without)).toMatchObject({ outcome: 'done' });
    expect(reportOf(without).coverage).toMatchObject({ unknown: 0 });
  });

  test('a look that failed is no evidence of health, though it proves no degradation', async () => {
    const item = harness.add({ looks: [...Array.from({ length: 9 }, () => pass()), fail()] });
    expect(await (await harness.watch(item)).result()).toMatchObject({
      outcome: 'no_evidence',
      summary: expect.stringMatching(/^nobody knows whether it is healthy: its last look failed, though not enough/),
    });
    expect(item.alerts).toMatchObject([
      { key: expect.stringMatching(/:no-evidence$/), text: expect.stringContaining('its last look failed') },
    ]);
    expect(statuses(item)).toEqual(['done']);
  });

  test('evidence in exactly half of its ticks is enough', async () => {
    const item = harness.add({ looks: [...Array.from({ length: 5 }, unknown), pass()] });
    expect(await (await harness.watch(item)).result()).toMatchObject({ outcome: 'healthy' });
  });

  test('a probe that throws is a look that saw nothing', async () => {
    const item = harness.add();
    item.onLook = async () => {
      throw new Error('no such probe');
    };
    expect(await (await harness.watch(item)).result()).toMatchObject({ outcome: 'no_evidence' });
    expect(reportOf(item).ticks[0]).toMatchObject({ health: 'unknown', detail: 'the probe broke: no such probe' });
  });
});

describe('messages that are none', () => {
  test('unknown signals and garbage are ignored, and shown', async () => {
    const item = harness.add();
    const window = await harness.watch(item);
    await window.query(windowStatusQuery); // signals that arrive with the first task are not handled in the order in which they were sent
    await window.signal('cancleWindow', { by: 'oncall', reason: 'typo' });
    for (const garbage of [42, ['x'], 'yes', { by: 7 }, new Uint8Array([1, 2])]) {
      await window.signal('cancelWindow', garbage);
    }
    const { notes, phase, messages } = await window.query(windowStatusQuery);
    expect(phase).toBe('open');
    expect(messages).toEqual([]);
    expect(notes.map(({ text }) => text)).toEqual([
      'the signal cancleWindow was ignored: a window takes cancelWindow',
      'the signal cancelWindow was ignored: its payload must be an object {by, reason}, got 42',
      'the signal cancelWindow was ignored: its payload must be an object {by, reason}, got ["x"]',
      'the signal cancelWindow was ignored: its payload must be an object {by, reason}, got "yes"',
      'the signal cancelWindow was ignored: by and reason must be texts, got {"by":7}',
      expect.stringContaining('the signal cancelWindow was ignored: its payload must be an object {by, reason}, got'),
    ]);
    expect(await window.result()).toMatchObject({ outcome: 'healthy' });
  });

  test('a flood of garbage does not grow the window without limit', async () => {
    const item = harness.add();
    const window = await harness.watch(item);
    await Promise.all(Array.from({ length: 130 }, () => window.signal('cancelWindow', 'x')));
    expect((await window.query(windowStatusQuery)).notes).toHaveLength(100);
    expect(await window.result()).toMatchObject({ outcome: 'healthy' });
  });
});

describe('continue as new', () => {
  const runsOf = async ({ env, window }: Harness, item: Item): Promise<number> => {
    let runs = 0;
    let runId: string | undefined;
    do {
      const { events } = await env.client.workflow.getHandle(window(item).workflowId, runId).fetchHistory();
      runs += 1;
      runId = events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId || undefined;
    } while (runId !== undefined);
    return runs;
  };

  test('the window is carried whole', async () => {
    const item = harness.add({ looks: [pass(10, 0), pass(10, 1), unknown(), pass(5)] });
    const window = await harness.watch(item, { continueAfterEvents: 20 });
    await window.signal('nonsense');
    expect(await window.result()).toMatchObject({ outcome: 'healthy' });
    expect(await runsOf(harness, item)).toBeGreaterThan(2);
    const report = reportOf(item);
    expect(ticks(report.ticks)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(slots(report)).toEqual([6, 12, 18, 24, 30, 36, 42, 48, 54, 60]);
    expectNoneEarly(item, report);
    expect(report.coverage).toEqual({ made: 10, missed: 0, unknown: 1, requests: 55, errors5xx: 1 });
    expect((await harness.window(item).query(windowStatusQuery)).notes).toHaveLength(1);
    expect(statuses(item)).toEqual(['done']);
  });

  test('a run has some 400 events, so that its replay takes little: a window of 90 looks has two', async () => {
    const item = harness.add({ plan: plan({ window: policy({ windowMs: 90 * 30_000 }) }) });
    const window = await harness.watch(item);
    await window.result();
    const { events = [] } = await harness.env.client.workflow
      .getHandle(window.workflowId, window.firstExecutionRunId)
      .fetchHistory();
    expect(events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes).not.toBe(null);
    expect(events?.length).toBeGreaterThanOrEqual(400);
    expect(events?.length, 'also where workflow tasks were lost').toBeLessThan(430);
    expect(await runsOf(harness, item)).toBe(2);
    expect(reportOf(item).coverage).toMatchObject({ made: 90, missed: 0 });
  });

  test('a streak that stands across it still proves, and acts once', async () => {
    const item = harness.add({ looks: [pass(), fail(), fail(), fail(), fail(), fail(), pass()] });
    await (await harness.watch(item, { continueAfterEvents: 5 })).result();
    const report = reportOf(item);
    expect(await runsOf(harness, item)).toBeGreaterThan(5);
    expect(report.degradedAt).toBe(report.ticks[3]?.at);
    expect(report).toMatchObject({ outcome: 'degraded_alerted', recovered: true });
    expect(kinds(item.alerts)).toEqual(['degraded', 'recovered']);
  });

  test('a window that rolls back does not continue before the rollback has ended', async () => {
    const item = harness.add({
      plan: plan({ window: policy({ action: 'rollback' }) }),
      looks: [fail(), fail(), fail(), pass()],
    });
    await (await harness.watch(item, { continueAfterEvents: 5 })).result();
    expect(reportOf(item)).toMatchObject({ outcome: 'degraded_rolled_back', recovered: true });
    expect(item.count.rollbacks).toBe(1);
  });

  test('a cancel of the parent still reaches the window', async () => {
    const codePath = await bundleWorkflows(fileURLToPath(new URL('./continuing/index.ts', import.meta.url)));
    const continuing = await startHarness({ codePath });
    try {
      const item = continuing.add();
      item.onLook = async (n) => {
        if (n === 4) await continuing.whileTimeStands(item, () => continuing.deploy(item).cancel());
      };
      expect(await continuing.run(item)).toMatchObject({ outcome: 'window_cancelled' });
      expect(await runsOf(continuing, item)).toBeGreaterThan(1);
      expect(reportOf(item).messages).toMatchObject([{ name: 'cancel' }]);
      expect(item.count.looks).toBeLessThan(10);
    } finally {
      await continuing.close();
      await rm(dirname(codePath), { recursive: true });
    }
  });
});

test('budget: a healthy window of 30 ticks in 15 minutes takes at most 210 history events and 32 KiB', async () => {
  const item = harness.add({
    plan: plan({ window: policy({ windowMs: 900_000 }) }),
    probeClock: realClock, // its time is part of the history
  });
  await harness.run(item);
  expect(reportOf(item)).toMatchObject({ outcome: 'healthy', coverage: { made: 30, missed: 0 } });
  const { events, bytes } = sizeOf(await harness.window(item).fetchHistory());
  console.log(`a healthy window of 30 ticks, time-skipping server: ${events} events, ${bytes} bytes`);
  expect(events).toBeLessThanOrEqual(210);
  expect(bytes).toBeLessThanOrEqual(32 * 1_024);
});

test.each([
  ['a disk that is full', new Error('no space left on device')],
  [
    'a folder that refuses it',
    ApplicationFailure.nonRetryable('EROFS: read-only file system: check ORCH_ARTEFACTS_DIR', 'LogRefused'),
  ],
])(
  '%s does not hold up the end of a window: somebody is told, and its log is written once that is mended',
  async (_, fault) => {
    const item = harness.add();
    let mended = false;
    item.onLog = async () => {
      if (!mended) throw fault;
    };
    const window = await harness.watch(item);
    // Its own result, without that of its wrap-up.
    expect(await harness.resultOf(window)).toMatchObject({ outcome: 'healthy' });
    expect(item.reports).toEqual([]);
    expect(item.shown.status).toBe('done');
    mended = true;
    await window.result();
    expect(reportOf(item).outcome).toBe('healthy');
    expect((await window.query(windowStatusQuery)).notes.map(({ text }) => text)).toEqual([
      `the log of the window could not be written yet and is retried: ${fault.message}`,
    ]);
    expect(kinds(item.alerts)).toEqual(['log']);
    expect(item.alerts[0]?.title).toContain('the log of its window was not written');
  },
);
