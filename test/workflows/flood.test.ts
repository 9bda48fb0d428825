import type { WorkflowHandle } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { closedGate } from '../../demo/gate.ts';
import {
  cancelWindowSignal,
  closeWindowUpdate,
  deployStatusQuery,
  windowStatusQuery,
} from '../../workflows/messages.ts';
import { eventually } from '../setup/eventually.ts';
import { type RealHarness, startRealHarness } from './harness.ts';
import { fail, plan, policy } from './item.ts';

// Whatever is sent to a deploy or a window, and however much: it is ignored and counted, and what matters still counts.

let harness: RealHarness;
beforeAll(async () => {
  harness = await startRealHarness({ unhurried: true });
});
afterAll(() => harness.close());

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

const MANY = 1_400;
const SIGNALS = ['approve', 'reject', 'deployFinished', 'resolveDeploy', 'cancelWindow', 'driverStuck', 'nonsense'];
const ONCALL = { by: 'oncall', reason: 'fine' };

const window = policy({ windowMs: 600_000, intervalMs: 60_000 });

async function flood(workflow: WorkflowHandle): Promise<void> {
  for (const signal of SIGNALS) await sendDeep(workflow, signal);
  const send = async (n: number): Promise<void> => {
    const signal = SIGNALS[n % SIGNALS.length] ?? '';
    const payload = signal === 'driverStuck' && n % 2 === 0 ? { kind: 'deploy', text: 'the same again' } : { by: n };
    await workflow.signal(signal, payload);
  };
  for (let n = 0; n < MANY; n += 50) await Promise.all(Array.from({ length: 50 }, (_, more) => send(n + more)));
}

/** 20 000 brackets: to write them as JSON again takes more stack than there is, also for the SDK's client. */
async function sendDeep({ workflowId }: WorkflowHandle, signalName: string): Promise<void> {
  const data = Buffer.from(`${'['.repeat(20_000)}${']'.repeat(20_000)}`);
  await harness.connection.workflowService.signalWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId },
    signalName,
    input: { payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data }] },
  });
}

describe(`${MANY} signals that mean nothing`, () => {
  test('to a deploy: it can be approved, and somebody is called once', async () => {
    const item = harness.add({
      plan: plan({ window, settleMs: 50, approval: { required: true, timeoutMs: 600_000 } }),
    });
    const deploy = await harness.start(item);
    await flood(deploy);
    await deploy.signal('approve', ONCALL);
    await harness.until(() => item.shown.status === 'monitoring');
    const { approval, ignoredSignals, notes } = await eventually(() => deploy.query(deployStatusQuery));
    expect(approval).toMatchObject({ decision: 'approved', by: 'oncall' });
    expect(ignoredSignals).toBe(MANY + SIGNALS.length - 1);
    expect(notes).toHaveLength(100);
    await harness.until(() => item.alerts.length > 0);
    expect(item.alerts.map(({ text }) => text)).toEqual([`the same again (${item.workItem})`]);
    await harness.window(item).executeUpdate(closeWindowUpdate, { args: [ONCALL] });
    await deploy.result();
  });

  test('to a window: it can be closed, and they start no timer anew', async () => {
    const item = harness.add({ plan: plan({ window, settleMs: 50 }) });
    // One run, so that its history has every timer.
    const watched = await harness.watch(item, { continueAfterEvents: 10_000 });
    await flood(watched);
    // A query of a busy worker may time out.
    const { ignoredSignals, notes } = await eventually(() => watched.query(windowStatusQuery));
    expect(ignoredSignals).toBe(MANY + SIGNALS.length - 1);
    expect(notes).toHaveLength(100);
    const { events } = await watched.fetchHistory();
    const count = (kind: keyof HistoryEvent) => events?.filter((event) => event[kind] != null).length ?? 0;
    // One at its begin, and one after the note of the driver's call. On a busy machine a look may be due meanwhile, and an alert
    // or a comment may not be sent in its 10 s: it is noted, and retried after a timer of its own.
    const unsent = count('activityTaskTimedOutEventAttributes') + count('activityTaskFailedEventAttributes');
    const others = item.count.looks + 2 * unsent;
    expect(count('timerStartedEventAttributes')).toBeLessThanOrEqual(2 + others);
    await watched.executeUpdate(closeWindowUpdate, { args: [ONCALL] });
  });
});

test('cancels of a window that has ended, while it rolls back: twenty messages are on record, the others are counted', async () => {
  const gate = closedGate();
  const degraded = policy({ windowMs: 600_000, intervalMs: 1_000, failThreshold: 1, action: 'rollback' });
  const item = harness.add({
    plan: plan({ window: degraded, rollback: { idempotent: false, timeoutMs: 600_000 }, settleMs: 50 }),
    looks: [fail()],
    async rollback() {
      await gate.passed;
      return { ok: true, detail: 'v1 is back' };
    },
  });
  const watched = await harness.watch(item);
  await harness.until(() => item.count.rollbacks === 1);
  for (let n = 0; n < 31; n += 1) await watched.signal(cancelWindowSignal, ONCALL);
  const ended = await eventually(() => watched.query(windowStatusQuery));
  expect(ended.messages).toHaveLength(20);
  expect(ended.ignoredSignals).toBe(11);
  gate.open();
  await watched.result();
});
