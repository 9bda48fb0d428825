import { expect, test } from 'vitest';
import { approveSignal, cancelWindowSignal, deployWorkflowId, monitorWorkflowId } from '../../workflows/messages.ts';
import { eventually } from '../setup/eventually.ts';
import { expectTimerFired } from '../workflows/histories.ts';
import type { System } from './harness.ts';
import type { Item } from './item.ts';
import { withSystem } from './with-system.ts';

// A timer fires while no worker runs, and a message comes after it: the worker that comes then receives both in one workflow task.

const deployOf = (system: System, { repo, workItem }: Item) =>
  system.temporal.client.workflow.getHandle(deployWorkflowId(repo, workItem));
const windowOf = (system: System, { repo, workItem }: Item) =>
  system.temporal.client.workflow.getHandle(monitorWorkflowId(repo, workItem));

const COMMAND = { by: 'oncall', reason: 'seen enough' };

/** What ends a window, and the outcome of its deploy. */
const ENDS: readonly (readonly [string, (system: System, item: Item) => Promise<unknown>])[] = [
  ['window_cancelled', (system, item) => windowOf(system, item).cancel()],
  ['window_cancelled', (system, item) => windowOf(system, item).signal(cancelWindowSignal, COMMAND)],
  ['closed_early', async (_, item) => void item.close().catch(() => {})], // an update waits for a worker
];

/** Two looks that fail prove the degradation, so far apart that the worker is killed in between. */
const TWO_FAILURES = {
  ...{ seconds: 600, intervalSeconds: 20, confirmSeconds: 20 },
  ...{ failThreshold: 2, minRequests: 20, action: 'rollback' },
};

async function oneFailureSeen(system: System, item: Item): Promise<void> {
  await item.start();
  await item.untilShown('Monitoring after Deploy');
  system.production.degrade(item.repo);
  await eventually(async () => {
    const { lastTicks } = await item.windowStatus();
    expect(lastTicks.filter(({ health }) => health === 'fail')).toHaveLength(1);
  });
}

test('a message counts, although a timer has fired before it: no look and no rollback after an end, no expiry after an approval', () => {
  const env = { ORCH_APPROVAL_TIMEOUT_SECONDS: '30' };
  return withSystem({ repos: ENDS.length + 1, window: TWO_FAILURES, env }, async (system, approved) => {
    const { production } = system;
    const ended = await Promise.all(ENDS.map(() => system.addItem()));
    const worker = await system.startWorker();
    await Promise.all(ended.map((item) => oneFailureSeen(system, item)));
    await approved.start({ approval: 'required' });
    await approved.untilShown('Awaiting Deploy');
    await worker.kill();
    for (const item of ended) await eventually(() => expectTimerFired(windowOf(system, item)));
    await eventually(() => expectTimerFired(deployOf(system, approved)));

    const looks = ended.map(({ repo }) => production.probes(repo));
    for (const [n, item] of ended.entries()) await ENDS[n]?.[1](system, item);
    await deployOf(system, approved).signal(approveSignal, COMMAND);
    await system.startWorker();
    for (const [n, item] of ended.entries()) {
      expect(await item.result()).toMatchObject({ outcome: ENDS[n]?.[0] });
      expect((await item.windowStatus()).action).toBeNull();
    }
    expect(ended.map(({ repo }) => production.probes(repo))).toEqual(looks);
    await approved.untilShown('Monitoring after Deploy');
    expect((await approved.deployStatus()).approval).toMatchObject({ decision: 'approved', by: 'oncall' });
    await approved.close();
  });
});
