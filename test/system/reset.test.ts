import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { deployWorkflowId, monitorWorkflowId } from '../../workflows/messages.ts';
import { eventually } from '../setup/eventually.ts';
import { resetRun } from '../setup/reset-run.ts';
import type { System } from './harness.ts';
import { HELD_OPEN, type Item } from './item.ts';
import { withSystem } from './with-system.ts';

// `temporal workflow reset` to before a driver that must run once: the run asks for it again, by the same operation id.

/** Resets the latest run of a workflow to before it first asked for an activity. @returns the id of the new run */
const resetBefore = ({ temporal }: System, workflowId: string, activity: string): Promise<string> =>
  resetRun(temporal.client, workflowId, (events) => {
    const asked = events.map((event) => event.activityTaskScheduledEventAttributes);
    return asked.find((attributes) => attributes?.activityType?.name === activity)?.workflowTaskCompletedEventId;
  });

const deployOf = ({ repo, workItem }: Item) => deployWorkflowId(repo, workItem);
const windowOf = ({ repo, workItem }: Item) => monitorWorkflowId(repo, workItem);
const operations = ({ production }: System, { repo }: Item) => production.operations(repo).map(({ to }) => to);

describe.concurrent('a reset', () => {
  test('after a deploy: its result is that of the run before, also where it is reset twice', () =>
    withSystem({ window: HELD_OPEN }, async (system, item) => {
      await system.startWorker();
      await item.start();
      await item.untilShown('Monitoring after Deploy');
      await item.close();
      await item.result();
      for (let resets = 0; resets < 2; resets += 1) {
        await resetBefore(system, deployOf(item), 'deploy');
        await item.untilShown('Monitoring after Deploy');
        await item.close();
        expect(await item.result()).toMatchObject({ outcome: 'closed_early' });
      }
      expect(operations(system, item)).toEqual(['v2']);
      expect(item.status()).toBe('Done');
    }));

  test('in the middle of a deploy: nobody knows how it ends, somebody is called, and it does not run again', () =>
    withSystem({ window: HELD_OPEN }, async (system, item) => {
      const { production, alerts } = system;
      await system.startWorker();
      production.hold(item.repo);
      await item.start();
      await production.whenHeld(item.repo);
      const runId = await resetBefore(system, deployOf(item), 'deploy');
      await eventually(async () =>
        expect(await item.deployStatus()).toMatchObject({
          phase: 'unknown',
          reason: expect.stringMatching(/an earlier run may have begun the deploy, and its end is not on record$/),
        }),
      );
      await eventually(() =>
        expect(alerts.about(item.workItem).map(({ key }) => key)).toContain(`${runId}:deploy_unknown`),
      );
      production.release(item.repo);
      await system.client.resolveDeploy(item, { deployed: true, by: 'oncall', reason: 'v2 runs' });
      await item.untilShown('Monitoring after Deploy');
      expect(operations(system, item)).toEqual(['v2']);
    }));

  test('of a window past its end: nothing is rolled back again, and its record stays', () =>
    withSystem(
      { window: { seconds: 16, failThreshold: 1, minRequests: 1, action: 'rollback' } },
      async (system, item) => {
        await system.startWorker();
        await item.start();
        await item.untilShown('Monitoring after Deploy');
        system.production.degrade(item.repo);
        expect(await item.result()).toMatchObject({ outcome: 'degraded_rolled_back' });
        const folder = join(system.env()['ORCH_ARTEFACTS_DIR'] ?? '', item.repo, item.workItem);
        const before = await readdir(folder);
        expect(before).toHaveLength(1);
        const runId = await resetBefore(system, windowOf(item), 'rollback');
        await system.temporal.client.workflow.getHandle(windowOf(item), runId).result();
        expect(operations(system, item)).toEqual(['v2', 'v1']);
        expect((await readdir(folder)).toSorted()).toEqual([...before, `${before[0]}_${runId}`].toSorted());
      },
    ));
});
