import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lastPollAt, POLLS_WITHIN_MS, type TaskKind } from '../../../adapters/temporal/pollers.ts';
import { pollersCheck } from '../../../world.ts';
import { eventually } from '../../setup/eventually.ts';
import { connectTemporal, type TemporalAccess } from '../../setup/temporal.ts';

let temporal: TemporalAccess;
beforeAll(async () => {
  temporal = await connectTemporal();
});
afterAll(() => temporal.close());

const polledAt = (kind: TaskKind) => lastPollAt(temporal.connection, temporal.namespace, temporal.taskQueue, kind);

test('the last poll is that of a worker for these tasks; where there is none it is not known', async () => {
  expect([await polledAt('workflow'), await polledAt('activity')]).toEqual([null, null]);
  const began = Date.now();
  const { nativeConnection: connection, taskQueue } = temporal;
  const workflowsPath = fileURLToPath(new URL('../../client/fake-workflows.ts', import.meta.url));
  const worker = await Worker.create({ connection, taskQueue, workflowsPath });
  await worker.runUntil(eventually(async () => expect(await polledAt('workflow')).toBeGreaterThanOrEqual(began)));
  expect(await polledAt('activity')).toBeNull();
});

const NOW = Date.UTC(2026, 2, 14, 12);
const FRESH = NOW - POLLS_WITHIN_MS;

test.each([
  [FRESH, FRESH, 'ok', 'task queue q was polled 1 min 15 s ago'],
  [null, null, 'warning', 'no worker is polling task queue q; start one'],
  [FRESH, null, 'warning', 'no worker is polling task queue q for activity tasks; start one'],
  [
    FRESH - 1_000,
    FRESH,
    'warning',
    'no worker is polling task queue q for workflow tasks; the last poll was 1 min 16 s ago: start one, or restart the one that hangs',
  ],
  [
    NOW - 120_000,
    NOW - 100_000,
    'warning',
    'no worker is polling task queue q; the last poll was 1 min 40 s ago: start one, or restart the one that hangs',
  ],
])('last polls at %s and %s: %s', (workflow, activity, level, message) => {
  expect(pollersCheck('q', { workflow, activity }, NOW)).toEqual({ name: 'workers', level, message });
});
