import { describe, expect, test } from 'vitest';
import { runHere } from '../client/run-cli.ts';
import { eventually } from '../setup/eventually.ts';
import type { System } from './harness.ts';
import { type Item, TO_DONE } from './item.ts';
import { sharedSystem } from './with-system.ts';

// With ORCH_PLANE_STATE_DEGRADED: an item whose deploy left production degraded rests there, until a person or a new deploy moves it.

const STATE = 'Needs Attention';
const TO_DEGRADED = [...TO_DONE.slice(0, 3), STATE];

async function begin(system: System): Promise<void> {
  system.plane.control.addState('ORCH', { name: STATE, group: 'started' });
  await system.startWorker();
}

/** Deploys v2, which fails in its window. */
async function deployedDegraded(system: System, item: Item): Promise<void> {
  await item.start();
  await system.production.whenProbed(item.repo);
  system.production.degrade(item.repo);
  expect(await item.result()).toMatchObject({ outcome: 'degraded_alerted' });
}

/** Somebody asks for a status of it. @returns what came of that. */
const asked = async (item: Item, status: 'deploying' | 'monitoring') => (await item.setStatus(status)).result();

describe.concurrent('a state for degraded work', () => {
  const window = { seconds: 32, failThreshold: 1, minRequests: 2 }; // the second of two probes sees it
  const env = { ORCH_PLANE_STATE_DEGRADED: STATE, ORCH_SWEEP_SECONDS: '2' };
  const onShared = sharedSystem({ repos: 2, window, env }, begin);
  const onUnguarded = sharedSystem(
    { repos: 2, window, env: { ...env, ORCH_DEPLOY_STATUS_GUARD_ENABLED: 'false' } },
    begin,
  );

  test('alerted, and still failing at the end: it rests there, and says why', () =>
    onShared(async (system, item) => {
      await deployedDegraded(system, item);
      expect(item.history()).toEqual(TO_DEGRADED);
      expect(await item.stage()).toBe('done');
      expect(system.alerts.about(item.workItem)).toHaveLength(1);
      const why = `${STATE}: production had not recovered when the window ended`;
      expect(item.comments().join()).toContain(why);
      await eventually(async () =>
        expect((await runHere(system.env(), 'status', item.workItem)).stdout).toContain(
          `status of the work item: ${why}`,
        ),
      );
      const { stdout } = await runHere(system.env(), 'explain', item.workItem);
      expect(stdout).toMatch(/postDeployMonitor: window degraded_alerted .*last deploy degraded .*→ Degraded/);

      // Stale callers and a re-drive leave it.
      expect(await asked(item, 'deploying')).toMatchObject({ verdict: 'CONVERGE_DONE', wrote: false });
      await item.start();
      expect(await item.result()).toMatchObject({ outcome: 'already_done' });
      expect(item.history()).toEqual(TO_DEGRADED);

      // A foreign writer brings an old status back: the sweep corrects that, as Temporal's record says how it ended.
      system.plane.control.uiSetState(item.workItem, 'Deploying');
      await item.untilShown(STATE);

      // A person takes it away.
      system.plane.control.uiSetState(item.workItem, 'Done');
      expect(await asked(item, 'monitoring')).toMatchObject({ wrote: false });
      await item.start();
      expect(await item.result()).toMatchObject({ outcome: 'already_done' });
      expect(item.history()).toEqual([...TO_DEGRADED, 'Deploying', STATE, 'Done']);

      // So does a new deploy.
      system.plane.control.uiSetState(item.workItem, STATE);
      await item.setStage('deploy');
      await item.start({ version: 'v3' });
      expect(await item.result()).toMatchObject({ outcome: 'done' });
      expect(item.history().slice(-4)).toEqual(TO_DONE);
      expect(await asked(item, 'deploying')).toMatchObject({ status: 'done', wrote: false });
    }));

  test('unhealthy right after its deploy: it rests there although its task is not done, until the next deploy', () =>
    onShared(async (system, item) => {
      system.production.degradeNext(item.repo);
      await item.start();
      expect(await item.result()).toMatchObject({ outcome: 'unhealthy_after_deploy' });
      await item.untilShown(STATE);
      expect(await item.stage()).toBe('deploy');
      expect(await asked(item, 'deploying')).toMatchObject({ verdict: 'ALLOW', status: 'degraded', wrote: false });
      system.plane.control.uiSetState(item.workItem, 'Monitoring after Deploy');
      await item.untilShown(STATE);
      await item.start({ version: 'v3' });
      expect(await item.result()).toMatchObject({ outcome: 'done' });
      expect(item.history().slice(-4)).toEqual(TO_DONE);
    }));

  test('without the guard: one write, of that state', () =>
    onUnguarded(async (system, item) => {
      await deployedDegraded(system, item);
      expect(item.history()).toEqual(TO_DEGRADED);
    }));
});
