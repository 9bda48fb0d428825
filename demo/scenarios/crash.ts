import { deployWorkflowId, monitorWorkflowId } from '../../workflows/messages.ts';
import type { Summary } from '../display/summary.ts';
import { REPO } from '../stack/repositories-file.ts';
import type { Stack } from '../stack/stack.ts';
import { waitFor } from '../stack/wait.ts';
import { same } from './checks.ts';
import { commonChecks, monitoring, told } from './common-checks.ts';
import { approve, createDeployment, type Deployment, start, windowOpen } from './deployment.ts';
import { gatherEvidence } from './evidence.ts';
import { healthStatus, rollbackRuns } from './red.ts';
import { doubledTicks, type SeenTick, shownTicks, unaccountedTicks } from './tick-numbers.ts';

/** A worker that was killed, and the ticks around that. */
interface Kill {
  readonly during: string;
  readonly killed: number;
  readonly restarted: number;
  readonly before: readonly SeenTick[];
  readonly after: readonly SeenTick[];
}

/** The worker is killed with -9 three times, each time in the middle of something, and restarted. */
export async function crash(stack: Stack): Promise<Summary> {
  const { alerts, production } = stack;
  const deployment = await createDeployment(stack, 'v2', 'A cart that leaks connections');
  const kills = [
    await duringStatusWrite(stack, deployment),
    await duringProbe(stack, deployment),
    await duringRollback(stack, deployment),
  ];

  const evidence = await gatherEvidence(stack, deployment);
  const { window } = evidence;
  const seen = deployment.watch.ticksSeen();
  return {
    scenario: 'crash',
    checks: [
      ...commonChecks(evidence, {
        outcome: 'degraded_rolled_back',
        window: 'degraded_rolled_back',
        deployed: ['v2'],
        rolledBackTo: ['v1'],
        comments: ['closed', 'degraded'],
      }),
      same('workers killed with -9', 3, new Set(kills.map(({ killed }) => killed)).size),
      // One that was lost with its worker would be missing in the history, one that was made again be there twice.
      same('looks that were seen are on record (Temporal)', seen.length, evidence.looksInHistory),
      same('ticks neither made nor recorded as missed', 0, unaccountedTicks(seen, window.coverage.missed)),
      same('ticks made twice', [], doubledTicks(seen)),
      same('runs of the rollback script: one for each worker', 2, rollbackRuns(evidence.production.operations)),
      same('production runs', 'v1', evidence.production.version),
      same('it answers a health check with', 200, await healthStatus(production.serviceUrl)),
      same('recovered (Temporal)', true, window.recovered),
      same('alerts', 1, alerts.alerts().length),
    ],
    ...told([evidence]),
    notes: [
      ...kills.map(
        ({ during, killed, restarted, before, after }) =>
          `Killed ${killed} during ${during}, went on in ${restarted}: ticks before ${shownTicks(before)}; after ${shownTicks(after)}`,
      ),
      `On record at the end: ticks ${shownTicks(seen)}; ${window.coverage.missed} missed while no worker ran`,
    ],
  };
}

async function duringStatusWrite(stack: Stack, deployment: Deployment): Promise<Kill> {
  const { display, patchGate, production, worker } = stack;
  const { item, version, watch } = deployment;
  return display.step(`Deploy ${version}, kill the worker during a status write`, async (say) => {
    await start(stack, deployment, say);
    await approve(stack, deployment, say);
    await until(stack, `until production runs ${version}`, async () => (await production.state()).version === version);
    patchGate.holdNext();
    await until(stack, `until ${monitoring} is being written`, () => patchGate.held() === 1);
    await windowOpen(stack, deployment, say);
    await watch.until('until tick 2', ({ tick }) => tick >= 2, say);
    const before = watch.ticksSeen();
    say(`worker ${worker.pid()} writes ${monitoring}; the write is held on its way to Plane`);
    const killed = await worker.kill();
    await patchGate.letGo();
    say(`killed ${killed}; its write arrives all the same: Plane shows ${await item.status()}`);
    await worker.start();
    say(`worker ${worker.pid()} has been started`);
    // The write is tried again once the server misses the heartbeats of the first attempt.
    await pendingActivities(stack, deployWorkflowId(REPO, item.key), 0, () => watch.look(say));
    const after = await nextTick(deployment, before, say);
    return { during: 'a status write', killed, restarted: worker.pid(), before, after };
  });
}

async function duringProbe(stack: Stack, deployment: Deployment): Promise<Kill> {
  const { display, production, worker } = stack;
  return display.step('Kill the worker during a probe', async (say) => {
    await production.holdNextHealth();
    await until(stack, 'until a probe is held', async () => (await production.state()).heldHealthAnswers === 1);
    const before = deployment.watch.ticksSeen();
    const killed = await worker.kill();
    say(`killed ${killed} while production held the answer to its probe`);
    await worker.start();
    say(`worker ${worker.pid()} has been started`);
    const after = await nextTick(deployment, before, say);
    return { during: 'a probe', killed, restarted: worker.pid(), before, after };
  });
}

async function duringRollback(stack: Stack, deployment: Deployment): Promise<Kill> {
  const { display, production, worker } = stack;
  const { watch, item } = deployment;
  return display.step('Production degrades, kill the worker during the rollback', async (say) => {
    await production.holdRollbacks();
    await production.degrade();
    say('v2 begins to answer 5xx');
    await watch.until('until it is degraded', ({ degradedAt }) => degradedAt !== null, say);
    await until(stack, 'until a rollback is held', async () => (await production.state()).heldRollbacks === 1);
    // The alert and the comment are out.
    await pendingActivities(stack, monitorWorkflowId(REPO, item.key), 1, () => watch.look(say));
    const before = watch.ticksSeen();
    const killed = await worker.kill();
    say(`killed ${killed} while its rollback script ran`);
    await production.releaseRollbacks();
    await until(stack, 'until production runs v1', async () => (await production.state()).version === 'v1');
    say('the script has outlived its worker: production runs v1');
    await worker.start();
    say(`worker ${worker.pid()} has been started; it runs the script again, which finds that all has been done`);
    await watch.untilEnd(say);
    return { during: 'a rollback', killed, restarted: worker.pid(), before, after: watch.ticksSeen() };
  });
}

async function nextTick({ watch }: Deployment, before: readonly SeenTick[], say: (line: string) => void) {
  const last = before.at(-1)?.tick ?? 0;
  await watch.until(`until a tick after ${last}`, ({ tick }) => tick > last, say);
  return watch.ticksSeen();
}

/** Waits until so many activities of a workflow are under way, as Temporal has it on record. */
const pendingActivities = (
  stack: Stack,
  workflowId: string,
  count: number,
  meanwhile: () => Promise<unknown>,
): Promise<void> =>
  until(stack, `until ${workflowId} has ${count} activities under way`, async () => {
    await meanwhile();
    const { raw } = await stack.temporal.workflow.getHandle(workflowId).describe();
    return (raw.pendingActivities ?? []).length === count;
  });

async function until({ timing, signal }: Stack, what: string, holds: () => Promise<boolean> | boolean) {
  await waitFor(async () => ((await holds()) ? true : null), {
    until: what,
    withinMs: timing.patienceMs,
    everyMs: 50, // a probe is given up after a second
    signal,
  });
}
