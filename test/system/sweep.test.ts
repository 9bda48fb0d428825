import { describe, expect, test } from 'vitest';
import { runProcess } from '../client/run-cli.ts';
import { eventually } from '../setup/eventually.ts';
import type { System } from './harness.ts';
import { sharedSystem, withSystem } from './with-system.ts';

// What no run has an eye on any more: a schedule sweeps, and corrects the statuses that should not stand.

describe.concurrent('the sweep', () => {
  const onShared = sharedSystem({ env: { ORCH_SWEEP_SECONDS: '2' }, repos: 5 });

  test('an old status that somebody’s save of another field brings back is healed by the next sweep', () =>
    onShared(async (system, item) => {
      await item.setStage('done');
      await item.untilShown('In Progress');
      for (const state of ['Deploying', 'Monitoring after Deploy', 'Awaiting Deploy']) {
        system.plane.control.uiSetState(item.workItem, state);
        await item.untilShown('Done');
      }
      expect(item.history()).toEqual([
        ...['Deploying', 'Done', 'Monitoring after Deploy', 'Done', 'Awaiting Deploy', 'Done'],
      ]);
    }));

  test('a cancelled task leaves its deploy-phase status; one that is under way, and what a person chose, stays', () =>
    onShared(async (system, item) => {
      const { control } = system.plane;
      const [underWay, chosen] = [await system.addItem(), await system.addItem()];
      for (const { workItem } of [item, underWay]) control.uiSetState(workItem, 'Deploying');
      await chosen.setStage('done');
      control.uiSetState(chosen.workItem, 'Todo');
      await item.setStage('cancelled');
      await item.untilShown('Cancelled');
      await sweptTwice(system);
      expect([underWay.status(), chosen.status()]).toEqual(['Deploying', 'Todo']);
    }));

  test('a task that finished without its status, long after that was written, is found by its task', () =>
    onShared(async (system, item) => {
      system.plane.control.uiSetState(item.workItem, 'Deploying');
      await sweptTwice(system); // the item is on no page of the next sweep but for the margin
      await item.setStage('done');
      await item.untilShown('Done');
    }));

  test('by hand: a dry run shows and writes nothing, a run heals', () =>
    withSystem({}, async (system, item) => {
      await system.startWorker();
      system.plane.control.uiSetState(item.workItem, 'Deploying');
      await item.setStage('done');
      const env = system.env();
      const dry = await runProcess(env, 'reconcile', '--dry-run');
      expect(dry.stdout.split('\n').map((line) => line.trim().replaceAll(/ {2,}/g, '  '))).toEqual([
        'WORK ITEM  REPOSITORY  SHOWS  SHOULD SHOW  RESULT',
        `${item.workItem}  ${item.repo}  Deploying  Done  would be healed`,
        expect.stringMatching(/^\d+ work items looked at, 1 in a deploy-phase status, 1 drifted$/),
        '',
      ]);
      expect({ code: dry.code, status: item.status() }).toEqual({ code: 0, status: 'Deploying' });
      const real = await runProcess(env, 'reconcile', '--json');
      expect(JSON.parse(real.stdout)).toMatchObject({ drifted: 1, healed: 1, failed: 0, failing: [] });
      expect(item.status()).toBe('Done');
      expect((await runProcess(env, 'reconcile')).stdout).toMatch(/none has drifted\n$/);

      await item.setStage('deploy'); // restored to an earlier moment
      system.plane.control.uiSetState(item.workItem, 'Monitoring after Deploy');
      expect((await runProcess(env, 'reconcile')).stdout).toContain(
        `none has drifted\norphaned: ${item.workItem} shows Monitoring after Deploy, but no deploy or window of it is running (task stage: deploy): needs a person`,
      );
    }));
});

/** Two more sweeps have ended. */
async function sweptTwice(system: System): Promise<void> {
  const query = `WorkflowType = 'reconcileStatuses' AND ExecutionStatus = 'Completed' AND TaskQueue = '${system.taskQueue}'`;
  const count = async () => (await system.temporal.client.workflow.count(query)).count;
  const before = await count();
  await eventually(async () => expect(await count()).toBeGreaterThanOrEqual(before + 2));
}
