import { afterAll, beforeAll, expect, test } from 'vitest';
import { applySweepSchedule, sweepScheduleId } from '../../../adapters/temporal/sweep-schedule.ts';
import { RECONCILE_WORKFLOW } from '../../../workflows/messages.ts';
import { connectTemporal, type TemporalAccess } from '../../setup/temporal.ts';

let access: TemporalAccess;
beforeAll(async () => {
  access = await connectTemporal();
});
afterAll(() => access.close());

test('is created, updated and removed as the settings say; one that somebody has paused stays paused', async () => {
  const { client, taskQueue } = access;
  const schedule = client.schedule.getHandle(sweepScheduleId(taskQueue));
  expect(await applySweepSchedule(client, { taskQueue, everyMs: 0 })).toBe('none');
  expect(await applySweepSchedule(client, { taskQueue, everyMs: 300_000 })).toBe('created');
  expect(await schedule.describe()).toMatchObject({
    action: { type: 'startWorkflow', workflowType: RECONCILE_WORKFLOW, taskQueue, args: [{ taskQueue }] },
    spec: { intervals: [{ every: 300_000 }], jitter: 30_000 },
    policies: { overlap: 'SKIP' },
    state: { paused: false },
  });
  await schedule.pause('a holiday');
  expect(await applySweepSchedule(client, { taskQueue, everyMs: 60_000 })).toBe('updated');
  expect(await schedule.describe()).toMatchObject({
    spec: { intervals: [{ every: 60_000 }], jitter: 6_000 },
    state: { paused: true, note: 'a holiday' },
  });
  expect(await applySweepSchedule(client, { taskQueue, everyMs: 0 })).toBe('removed');
  await expect(schedule.describe()).rejects.toThrow();
});

test('workers that start at the same moment do not get in each other’s way', async () => {
  const taskQueue = `${access.taskQueue}-many`;
  const applied = await Promise.all(
    Array.from({ length: 5 }, () => applySweepSchedule(access.client, { taskQueue, everyMs: 300_000 })),
  );
  expect(applied.toSorted()).toEqual(['created', 'updated', 'updated', 'updated', 'updated']);
  await applySweepSchedule(access.client, { taskQueue, everyMs: 0 });
});
