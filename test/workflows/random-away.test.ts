import { type WorkflowHandle, WorkflowNotFoundError } from '@temporalio/client';
import type proto from '@temporalio/proto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { classify, decideAction, type WindowPolicy } from '../../decisions/index.ts';
import {
  cancelWindowSignal,
  closeWindowUpdate,
  driverStuckSignal,
  extendWindowUpdate,
  windowStatusQuery,
} from '../../workflows/messages.ts';
import type { Look } from '../../workflows/window-state.ts';
import { eventually } from '../setup/eventually.ts';
import { type RealHarness, startRealHarness } from './harness.ts';
import { expectActivityEnded, expectTimerFired } from './histories.ts';
import { fail, type Item, pass, plan, policy, realClock, unknown } from './item.ts';

// A due timer and a message in one workflow task, for each message and random windows: no worker runs while both come. The time-skipping
// server cannot do without a worker: random-windows.test.ts has all the rest.

const WINDOWS = Number(process.env['D2D_RANDOM_WINDOWS'] ?? 24);
const SEED = Number(process.env['D2D_SEED'] ?? Date.now() % 1_000_000_007);

const OPS = { by: 'oncall', reason: 'seen enough' };

/** An update waits for a worker, so nobody waits for the update. */
const unawaited = (update: Promise<unknown>): void => void update.catch(() => {});

/** What comes while no worker runs, and how the window ends by it; `null`: it goes on. */
const MESSAGES = {
  cancelWindow: ['cancelled', (window) => window.signal(cancelWindowSignal, OPS)],
  cancel: ['cancelled', (window) => window.cancel()],
  closeWindow: ['closed_early', async (window) => unawaited(window.executeUpdate(closeWindowUpdate, { args: [OPS] }))],
  extendWindow: [
    null,
    async (window) => unawaited(window.executeUpdate(extendWindowUpdate, { args: [{ ...OPS, minutes: 1 }] })),
  ],
  'an ignored signal': [null, (window) => window.signal('cancelWindow', 'nonsense')],
  'an unknown signal': [null, (window) => window.signal('hello')],
  "a driver's call": [null, (window) => window.signal(driverStuckSignal, { kind: 'rollback', text: 'it is stuck' })],
  nothing: [null, async () => {}],
} satisfies Record<string, readonly [string | null, (window: WorkflowHandle) => Promise<unknown>]>;

interface Sample {
  readonly message: keyof typeof MESSAGES;
  readonly looks: readonly Look[];
  readonly policy: WindowPolicy;
}

const look: fc.Arbitrary<Look> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(fail(), pass(20, 10)) },
  { weight: 2, arbitrary: fc.constantFrom(pass(), unknown()) },
);

const sample: fc.Arbitrary<Sample> = fc.record({
  message: fc.constantFrom(...(Object.keys(MESSAGES) as (keyof typeof MESSAGES)[])),
  looks: fc.array(look, { minLength: 2, maxLength: 5 }),
  policy: fc
    .record({
      failThreshold: fc.integer({ min: 2, max: 4 }),
      errorRatioThreshold: fc.constantFrom(0.05, 0.9),
      action: fc.constantFrom('alert' as const, 'rollback' as const, 'rollback' as const),
    })
    .map((change) =>
      policy({ ...change, windowMs: 600_000, intervalMs: 1_000, confirmMs: 1_000, rollbackWatchMs: 600_000 }),
    ),
});

let harness: RealHarness;
beforeAll(async () => {
  harness = await startRealHarness();
});
afterAll(() => harness.close());

interface Drawn extends Sample {
  readonly item: Item;
  readonly window: WorkflowHandle;
}

type HistoryEvent = proto.temporal.api.history.v1.IHistoryEvent;

const isMessage = (event: HistoryEvent, message: keyof typeof MESSAGES): boolean =>
  event.workflowExecutionSignaledEventAttributes?.signalName === message ||
  event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input?.name === message ||
  (message === 'cancel' && event.workflowExecutionCancelRequestedEventAttributes != null);

/** How many looks a window has on record after a message; `null`: it had ended before that. */
function looksAfter(events: readonly HistoryEvent[], message: keyof typeof MESSAGES): number | null {
  const at = events.findIndex((event) => isMessage(event, message));
  if (at < 0) return null;
  return events.slice(at).filter(({ markerRecordedEventAttributes: marker }) => {
    const [data] = marker?.details?.['data']?.payloads ?? [];
    return data?.data != null && JSON.parse(Buffer.from(data.data).toString()).activity_type === 'observe';
  }).length;
}

/** One that production's recovery after a rollback has ended takes no message. */
function ifEnded(error: unknown): void {
  if (!(error instanceof WorkflowNotFoundError)) throw error;
}

/** Holds a window that has ended against what the pure decisions say of its looks. */
function check({ item, policy: windowPolicy }: Drawn): void {
  const [report] = item.reports;
  const proved = (report?.ticks ?? []).some(
    (_, n, ticks) => classify(ticks.slice(0, n + 1), windowPolicy).verdict === 'DEGRADED',
  );
  const action = decideAction({
    ...{ verdict: proved ? 'DEGRADED' : 'HEALTHY', configured: windowPolicy.action, selfHosting: false },
  });
  expect(item.count.rollbacks, 'rollbacks').toBe(action === 'ROLLBACK' ? 1 : 0);
  expect(
    item.alerts.filter(({ key }) => key.endsWith(':degraded')),
    'alerts',
  ).toHaveLength(action === 'NONE' ? 0 : 1);
  expect(item.shown.status).toBe('done');
}

test('a deploy that is cancelled in the task that tells that it is unhealthy is not rolled back', async () => {
  let stopping = Promise.resolve();
  const item = harness.add({
    plan: plan({ window: policy({ action: 'rollback' }), settleMs: 50 }),
    checkHealth: async () => {
      stopping = harness.stopWorker();
      return { ok: false, detail: '503', seen: 'fail' };
    },
  });
  const run = await harness.start(item);
  await eventually(() => expectActivityEnded(run, 'checkHealth'));
  await stopping;
  await run.cancel();
  await harness.startWorker();
  expect(await run.result()).toMatchObject({ outcome: 'cancelled' });
  expect(item.count.rollbacks).toBe(0);
});

test(`${WINDOWS} random windows whose timer and a message come while no worker runs`, async () => {
  const all: Drawn[] = await Promise.all(
    fc.sample(sample, { numRuns: WINDOWS, seed: SEED }).map(async (drawn) => {
      const { looks, policy: window } = drawn;
      const item = harness.add({ plan: plan({ window, settleMs: 50 }), looks, probeClock: realClock });
      return { ...drawn, item, window: await harness.watch(item) };
    }),
  );
  await harness.until(() => all.every(({ item }) => item.count.looks > 0));
  await harness.stopWorker();
  for (const { window } of all) await eventually(() => expectTimerFired(window));
  const looksBefore = all.map(({ item }) => item.count.looks);
  for (const { message, window } of all) await MESSAGES[message][1](window).catch(ifEnded);
  await harness.startWorker();

  for (const [n, drawn] of all.entries()) {
    const { message, item, window } = drawn;
    const about = `window ${n} of D2D_SEED=${SEED}: ${JSON.stringify({ ...drawn, item: undefined, window: undefined })}`;
    const [end] = MESSAGES[message];
    if (end === null) {
      await eventually(async () => {
        const { status } = await window.describe();
        expect(status.name !== 'RUNNING' || item.count.looks > (looksBefore[n] ?? 0)).toBe(true);
      });
      await window.signal(cancelWindowSignal, OPS).catch(ifEnded);
    }
    await window.result();
    const { outcome } = await window.query(windowStatusQuery);
    if (end !== null) {
      const degraded = outcome?.startsWith('degraded') === true;
      if (!degraded) expect(outcome, about).toBe(end);
      // A rollback that is there has begun before it.
      expect(looksAfter((await window.fetchHistory()).events ?? [], message) ?? (degraded ? 0 : null), about).toBe(0);
    }
    try {
      check(drawn);
    } catch (error) {
      throw new Error(about, { cause: error });
    }
  }
});
