import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { freePort } from '../../demo/servers/port.ts';
import { HEAL_WORKFLOW, healWorkflowId } from '../../workflows/messages.ts';
import { eventually } from '../setup/eventually.ts';
import type { System } from './harness.ts';
import type { Item } from './item.ts';
import { sharedSystem, withSystem } from './with-system.ts';

// Plane tells the worker that something has happened, and a foreign status is corrected within seconds, without any sweep.

const SECRET = 'plane_wh_test';

async function listening(system: System, copies = 1): Promise<void> {
  const port = await freePort('The webhook listener', undefined);
  const env = { ORCH_PLANE_WEBHOOK_PORT: String(port), ORCH_PLANE_WEBHOOK_SECRET: SECRET };
  const worker = await system.startWorker(env);
  await worker.said('listening for the webhook events of Plane');
  system.plane.control.setWebhook({ url: `http://127.0.0.1:${port}/plane`, secret: SECRET, copies });
}

const requestsAbout = (system: System, item: Item): number =>
  system.plane.control.requests().filter(({ path }) => path.includes(item.planeId)).length;

describe.concurrent('webhooks', () => {
  const onShared = sharedSystem({ repos: 3 }, (system) => listening(system));

  test('a foreign status is corrected at once, again and again; a person’s choice stays', () =>
    onShared(async (system, item) => {
      await item.setStage('done');
      const took: number[] = [];
      for (const state of ['Deploying', 'Awaiting Deploy', 'Monitoring after Deploy']) {
        const since = Date.now();
        system.plane.control.uiSetState(item.workItem, state);
        await item.untilShown('Done');
        took.push(Date.now() - since);
      }
      process.stdout.write(`from a foreign writer to healed: ${took.join(', ')} ms\n`);
      const foreign = system.plane.control.addWorkItem({ project: 'OPS', name: 'of a project that is none of ours' });
      system.plane.control.uiSetState(item.workItem, 'Todo');
      await delay(3_000); // as long as a correction takes
      expect(item.history()).toEqual([
        ...['Deploying', 'Done', 'Awaiting Deploy', 'Done', 'Monitoring after Deploy', 'Done', 'Todo'],
      ]);
      const healing = (id: string) =>
        system.temporal.client.workflow.getHandle(healWorkflowId(system.taskQueue, id)).describe();
      expect(await healing(item.planeId)).toMatchObject({ type: HEAL_WORKFLOW });
      await expect(healing(foreign.id)).rejects.toThrow('workflow not found');
    }));

  test('a storm of events is a handful of looks, and our own write ends it', () =>
    withSystem({}, async (system, item) => {
      await item.setStage('done');
      await listening(system, 25);
      const since = Date.now();
      system.plane.control.uiSetState(item.workItem, 'Deploying'); // 25 events, and 25 of the correction
      await item.untilShown('Done');
      await delay(4_000); // as long as two more looks take
      // A probe reads once; the correction reads and writes. Events that arrive more slowly are one more probe a second, at most.
      const seconds = Math.floor((Date.now() - since) / 1_000);
      expect(requestsAbout(system, item)).toBeLessThanOrEqual(Math.max(5, seconds));
      expect(item.history()).toEqual(['Deploying', 'Done']);
    }));

  test('a whole deploy goes its way with every one of its own writes announced', () =>
    onShared(async (_, item) => {
      await item.start();
      expect(await item.result()).toMatchObject({ outcome: 'done' });
      await eventually(() =>
        expect(item.history()).toEqual(['Awaiting Deploy', 'Deploying', 'Monitoring after Deploy', 'Done']),
      );
    }));

  test('somebody who fights is told about, and Plane has the last word of the worker', () =>
    onShared(async (system, item) => {
      await item.setStage('done');
      for (let fought = 0; fought < 6; fought += 1) {
        system.plane.control.uiSetState(item.workItem, 'Deploying');
        await item.untilShown('Done');
      }
      await eventually(() =>
        expect(system.alerts.about(item.workItem).map(({ title }) => title)).toContain(
          `${item.workItem}: somebody keeps changing its status in the tracker`,
        ),
      );
    }));
});
