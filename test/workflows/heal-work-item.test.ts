import { type NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Healed } from '../../activities/heal-work-item.ts';
import { startHealing } from '../../adapters/temporal/start-healing.ts';
import { closedGate } from '../../demo/gate.ts';
import { D2dWorkItem, HEAL_WORKFLOW, type HealResult, healWorkflowId, lookSignal } from '../../workflows/messages.ts';
import { eventually } from '../setup/eventually.ts';
import { connectTemporal, type TemporalAccess, unique, workflowBundle } from '../setup/temporal.ts';
import { createTimeSkipping } from '../setup/time-skipping.ts';

// One look at a work item for each quiet moment, however many events ask for it; the real thing: test/system/webhooks.test.ts.

let access: TemporalAccess;
beforeAll(async () => {
  access = await connectTemporal();
});
afterAll(() => access.close());

const healed = (wrote: boolean): Healed => ({
  repo: 'shop',
  workItem: 'ORCH-1',
  shown: wrote ? 'Deploying' : 'Done',
  status: 'done',
  wrote,
  verdict: wrote ? 'CONVERGE_DONE' : null,
  evidence: { inForce: true, dbStage: 'done', windowActive: false },
});

async function healing<T>(
  look: () => Healed | null | Promise<Healed | null>,
  run: (taskQueue: string, alerts: string[]) => Promise<T>,
  connection: NativeConnection = access.nativeConnection,
  /** Called before each alert is sent; throws to let it fail. */
  sink = async (): Promise<void> => {},
): Promise<T> {
  const taskQueue = unique('queue');
  const alerts: string[] = [];
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowBundle: workflowBundle(),
    activities: {
      healWorkItem: async () => look(),
      async sendAlert({ title }: { title: string }) {
        await sink();
        alerts.push(title);
      },
    },
  });
  return worker.runUntil(run(taskQueue, alerts));
}

test('the adapter starts the workflow of that type, id and signal; an event is one look', () =>
  healing(
    () => null,
    async (taskQueue) => {
      const id = unique('item');
      await startHealing(access.client, taskQueue, { id, project: 'p' });
      const handle = access.client.workflow.getHandle(healWorkflowId(taskQueue, id));
      expect((await handle.describe()).type).toBe(HEAL_WORKFLOW);
      expect(await handle.result()).toEqual({ looks: 1, corrections: 0, last: null } satisfies HealResult);
    },
  ));

test('each task queue has its own: the one of another installation, or of an abandoned one, is not asked', () =>
  healing(
    () => null,
    async (taskQueue) => {
      const id = unique('item');
      await startHealing(access.client, `${taskQueue}-nobody`, { id, project: 'p' });
      await startHealing(access.client, taskQueue, { id, project: 'p' });
      expect(await access.client.workflow.getHandle(healWorkflowId(taskQueue, id)).result()).toMatchObject({
        looks: 1,
      });
      await access.client.workflow.getHandle(healWorkflowId(`${taskQueue}-nobody`, id)).terminate();
    },
  ));

test('events that arrive while it probes cause one more probe, together', () => {
  const sent = closedGate();
  return healing(
    async () => {
      await sent.passed;
      return null;
    },
    async (taskQueue) => {
      const id = unique('item');
      await Promise.all(Array.from({ length: 20 }, () => startHealing(access.client, taskQueue, { id, project: 'p' })));
      sent.open();
      const { looks } = (await access.client.workflow.getHandle(healWorkflowId(taskQueue, id)).result()) as HealResult;
      expect(looks).toBeLessThanOrEqual(3);
    },
  );
});

test('after a correction it stays: whoever writes again is answered, and somebody who fights is told about once', () =>
  healing(
    () => healed(true),
    async (taskQueue, alerts) => {
      const id = unique('item');
      await startHealing(access.client, taskQueue, { id, project: 'p' });
      const handle = access.client.workflow.getHandle(healWorkflowId(taskQueue, id));
      const looked = (looks: number) =>
        eventually(async () => {
          const { events } = await handle.fetchHistory();
          const done = events?.filter(({ activityTaskCompletedEventAttributes: ended }) => ended != null) ?? [];
          expect(done.length - alerts.length).toBeGreaterThanOrEqual(looks);
        });
      await looked(1);
      for (let looks = 2; looks <= 6; looks += 1) {
        await handle.signal(lookSignal);
        await looked(looks);
      }
      expect(alerts).toEqual(['ORCH-1: somebody keeps changing its status in the tracker']);
      const call = (await handle.fetchHistory()).events
        ?.map(({ activityTaskScheduledEventAttributes: scheduled }) => scheduled)
        .find((scheduled) => scheduled?.activityType?.name === 'sendAlert');
      expect(Number(call?.scheduleToCloseTimeout?.seconds), 'it looks at nothing while it waits for a sink').toBe(600);
      expect((await handle.describe()).typedSearchAttributes.get(D2dWorkItem)).toBe('ORCH-1');
      await handle.terminate();
    },
  ));

test('who asks while it waits for a sink that is away gets another look', async () => {
  const env = await createTimeSkipping();
  const id = unique('item');
  let looks = 0;
  let queue = '';
  const ask = () => startHealing(env.client, queue, { id, project: 'p' });
  const look = async (): Promise<Healed> => {
    looks += 1;
    if (looks < 5) await ask();
    return healed(looks <= 5);
  };
  const since = await env.currentTimeMs();
  const sink = async (): Promise<void> => {
    if ((await env.currentTimeMs()) - since < 120_000) throw new Error('the sink is away');
    await ask();
  };
  try {
    await healing(
      look,
      async (taskQueue, alerts) => {
        queue = taskQueue;
        await ask();
        expect(await env.client.workflow.getHandle(healWorkflowId(taskQueue, id)).result()).toMatchObject({ looks: 6 });
        expect(alerts).toHaveLength(1);
      },
      env.nativeConnection,
      sink,
    );
  } finally {
    await env.teardown();
  }
});

test('who asks while the fiftieth look is made gets another: it goes on as a new execution', async () => {
  const env = await createTimeSkipping();
  const id = unique('item');
  let looks = 0;
  let queue = '';
  const look = async (): Promise<null> => {
    looks += 1;
    if (looks <= 50) await startHealing(env.client, queue, { id, project: 'p' });
    return null;
  };
  try {
    await healing(
      look,
      async (taskQueue) => {
        queue = taskQueue;
        await startHealing(env.client, taskQueue, { id, project: 'p' });
        expect(await env.client.workflow.getHandle(healWorkflowId(taskQueue, id)).result()).toMatchObject({ looks: 1 });
        expect(looks).toBe(51);
      },
      env.nativeConnection,
    );
  } finally {
    await env.teardown();
  }
});
