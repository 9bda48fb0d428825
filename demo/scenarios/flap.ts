import type { SetStatusResult } from '../../activities/status-setters.ts';
import type { Summary } from '../display/summary.ts';
import type { Stack } from '../stack/stack.ts';
import { pause } from '../stack/wait.ts';
import { type Check, holds, same } from './checks.ts';
import { commonChecks, done, told } from './common-checks.ts';
import { createDeployment, deploy } from './deployment.ts';
import { type Evidence, gatherEvidence } from './evidence.ts';
import { startStaleCallers } from './stale-callers.ts';

/** Between two calls, ms. Plane takes 60 requests a minute from one key; of a real one the demo itself needs some, too. */
const CALL_EVERY_MS = { compressed: { simulated: 1_000, real: 2_500 }, real: { simulated: 20_000, real: 20_000 } };
/** How long the callers go on after the run has ended, ms. */
const AFTER_MS = { compressed: 8_000, real: 120_000 };

const LOOK_EVERY_MS = 500;

/** ORCH-061, re-enacted: stale callers hammer the three setters, during the window and after Done. */
export async function flap(stack: Stack): Promise<Summary> {
  const { display, options, signal, tracker } = stack;
  const guarded = options.guard === 'on';
  const deployment = await createDeployment(stack, 'v2', 'Deploy status guard');
  const { item, watch } = deployment;
  await deploy(stack, deployment);
  const results = await display.step('Stale callers hammer the setters', async (say) => {
    const callers = startStaleCallers(stack, item.key, CALL_EVERY_MS[options.time][tracker.kind]);
    try {
      await watch.untilEnd(say);
      say(`the run has ended; tasks.stage is done; ${callers.started()} calls so far, and they go on`);
      for (const end = Date.now() + AFTER_MS[options.time]; Date.now() < end; await pause(LOOK_EVERY_MS, signal))
        await watch.look(say);
    } finally {
      await callers.stop().catch(() => {}); // whatever has failed first is more to the point; asked again below
    }
    return callers.stop();
  });

  const evidence = await gatherEvidence(stack, deployment);
  return {
    scenario: guarded ? 'flap' : 'flap --no-guard',
    checks: guarded ? heldDone(evidence, results) : flapped(evidence, results),
    ...told([evidence]),
    notes: [`${results.length} calls of stale callers; ${changesAfterDone(evidence)} changes of the status after Done`],
  };
}

const counted = (results: readonly SetStatusResult[], verdict: SetStatusResult['verdict']): number =>
  results.filter((result) => result.verdict === verdict).length;

/** How often the item was moved to another status after it had been Done for the first time. */
function changesAfterDone({ statuses }: Evidence): number {
  const first = statuses.indexOf(done);
  return first < 0 ? 0 : statuses.length - 1 - first;
}

/** With the guard: only Monitoring stands during the window, and Done never leaves after it. */
function heldDone(evidence: Evidence, results: readonly SetStatusResult[]): Check[] {
  const allowed = counted(results, 'ALLOW');
  const converged = counted(results, 'CONVERGE_DONE');
  return [
    ...commonChecks(evidence, {
      outcome: 'done',
      window: 'healthy',
      deployed: ['v2'],
      rolledBackTo: [],
      comments: [],
    }),
    same('changes of the status after Done (Plane)', 0, changesAfterDone(evidence)),
    holds('calls during the window (verdict ALLOW)', 'some', allowed, allowed > 0),
    holds('calls after it (verdict CONVERGE_DONE)', 'some', converged, converged > 0),
    same('calls that had another verdict', 0, results.length - allowed - converged),
  ];
}

/** Without it: the incident. */
function flapped(evidence: Evidence, results: readonly SetStatusResult[]): Check[] {
  const changes = changesAfterDone(evidence);
  const last = evidence.statuses.at(-1) ?? 'none';
  return [
    same('result of the run (Temporal)', 'done', evidence.result.outcome),
    same('tasks.stage (Postgres)', 'done', evidence.stage),
    same('deployed (production)', 'v2', evidence.production.version),
    same('calls that wrote, whatever the task was', results.length, results.filter(({ wrote }) => wrote).length),
    holds('changes of the status after Done (Plane)', 'more than 0: it flaps', changes, changes > 0),
    holds('status at the end (Plane)', `not ${done}, though the task is`, last, last !== done),
  ];
}
