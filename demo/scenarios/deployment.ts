import type { Say } from '../display/display.ts';
import { REPO } from '../stack/repositories-file.ts';
import type { Stack } from '../stack/stack.ts';
import { type DemoWorkItem, STATES } from '../stack/tracker.ts';
import { waitFor } from '../stack/wait.ts';
import { createWatch, type Watch } from './watch.ts';

/** One work item, on its way through a deploy. */
export interface Deployment {
  readonly item: DemoWorkItem;
  readonly version: string;
  readonly watch: Watch;
}

export const ENGINEER = 'release-engineer';

/** A work item in Plane and its task in the database. */
export async function createDeployment(stack: Stack, version: string, title: string): Promise<Deployment> {
  const { tracker, tasks, display } = stack;
  return display.step('Work item', async (say) => {
    const item = await tracker.createWorkItem(title);
    await tasks.create(item.key);
    say(`${item.key} "${title}", now ${await item.status()}; tasks.stage deploy`);
    return { item, version, watch: createWatch(stack, item) };
  });
}

/** From the start of the run to an open window. */
export async function deploy(stack: Stack, deployment: Deployment): Promise<void> {
  await stack.display.step(`Deploy ${deployment.version}`, async (say) => {
    await start(stack, deployment, say);
    await approve(stack, deployment, say);
    await windowOpen(stack, deployment, say);
  });
}

export async function start(
  { client, timing, tracker, signal }: Stack,
  { item, version, watch }: Deployment,
  say: Say,
) {
  const { workflowId } = await client.start({
    repo: REPO,
    workItem: item.key,
    version,
    approval: 'required',
    requestedBy: ENGINEER,
  });
  say(`started ${workflowId}`);
  await waitFor(async () => ((await item.status()) === STATES.awaitingDeploy ? true : null), {
    until: `until Plane shows ${STATES.awaitingDeploy}`,
    withinMs: timing.patienceMs,
    everyMs: Math.min(tracker.lookEveryMs, 1_000), // two or three looks, as a rule
    signal,
  });
  await watch.look(say);
  say('waits for an approval');
}

export async function approve({ client }: Stack, { item }: Deployment, say: Say): Promise<void> {
  await client.approve({ repo: REPO, workItem: item.key }, { by: ENGINEER, reason: 'the demo' });
  say(`approved by ${ENGINEER}`);
}

/** @throws where the run ends before. */
export async function windowOpen(stack: Stack, { watch, version }: Deployment, say: Say): Promise<void> {
  const { production, timing, signal } = stack;
  await waitFor(
    async () => {
      await watch.look(say);
      if (await watch.windowRuns()) return true;
      const result = await watch.resultIfEnded();
      if (result !== null) throw new Error(`the run has ended before its window: ${result.outcome}, ${result.reason}`);
      return null;
    },
    { until: 'until the post-deploy window is open', withinMs: timing.patienceMs * 2, signal },
  );
  const state = await production.state();
  say(`production runs ${state.version}, process ${state.pid}; the window of ${version} is open`);
}
