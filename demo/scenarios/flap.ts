import type { SetStatusResult } from '../../activities/status-setters.ts';
import type { Summary } from '../display/summary.ts';
import type { Stack } from '../stack/stack.ts';
import { STATES } from '../stack/tracker.ts';
import { pause, waitFor } from '../stack/wait.ts';
import { type Check, holds, same } from './checks.ts';
import { commonChecks, done, told } from './common-checks.ts';
import { createDeployment, type Deployment, deploy } from './deployment.ts';
import { type Evidence, gatherEvidence } from './evidence.ts';
import { startStaleCallers } from './stale-callers.ts';

/** Between two calls, ms. Plane takes 60 requests a minute from one key; of a real one the demo itself needs some, too. */
const CALL_EVERY_MS = { compressed: { simulated: 1_000, real: 2_500 }, real: { simulated: 20_000, real: 20_000 } };
/** How long the callers go on after the run has ended, ms. */
const AFTER_MS = { compressed: 8_000, real: 120_000 };

const LOOK_EVERY_MS = 500;

/** Between a correction and the next foreign writer, ms. */
const BETWEEN_FOREIGN_MS = 1_200;

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
  const corrections = guarded ? await foreignWriters(stack, deployment) : null;
  return {
    scenario: guarded ? 'flap' : 'flap --no-guard',
    checks: [
      ...(guarded ? heldDone(evidence, results) : flapped(evidence, results)),
      ...(corrections === null ? [] : corrected(stack, corrections)),
    ],
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

/** Past the worker, as a person or a program that saves an old row: each of our statuses in turn. */
const FOREIGN = [STATES.deploying, STATES.awaitingDeploy, STATES.monitoring, STATES.deploying, STATES.awaitingDeploy];

/** @returns how long each status of a foreign writer stood, ms; `null`: it stands still. */
function foreignWriters(stack: Stack, { item }: Deployment): Promise<readonly (number | null)[]> {
  const { display, signal, timing, tracker } = stack;
  return display.step('Foreign writers bring old statuses back', async (say) => {
    const stood: (number | null)[] = [];
    for (const status of FOREIGN) {
      await item.moveByOthers(status);
      const since = Date.now();
      const done = async () => ((await item.status()) === STATES.done ? true : null);
      const everyMs = tracker.kind === 'simulated' ? 20 : tracker.lookEveryMs;
      const right = await waitFor(done, {
        until: `until ${item.key} is ${STATES.done} again`,
        withinMs: timing.patienceMs + timing.sweepSeconds * 1_000,
        everyMs,
        signal,
      }).catch(() => null);
      signal.throwIfAborted();
      stood.push(right === null ? null : Date.now() - since);
      say(
        `${status} of a foreign writer: ${right === null ? 'it stands' : `corrected after ${Date.now() - since} ms`}`,
      );
      await pause(BETWEEN_FOREIGN_MS, signal);
    }
    return stood;
  });
}

function corrected({ options, timing, tracker }: Stack, stood: readonly (number | null)[]): Check[] {
  const times = stood.filter((ms) => ms !== null).toSorted((a, b) => a - b);
  const told = options.webhooks === 'on' && tracker.sendEventsTo !== null;
  const median = times[Math.floor(times.length / 2)] ?? Number.POSITIVE_INFINITY;
  // A sweep is due every so often, plus a tenth, and takes a moment.
  const limitMs = told ? 2_000 : timing.sweepSeconds * 1_100 + 3_000;
  return [
    same('foreign statuses that were corrected (Plane)', stood.length, times.length),
    told
      ? holds('half of them within (Plane, told by webhook)', `${limitMs} ms`, `${median} ms`, median <= limitMs)
      : holds(
          'the last of them within one sweep',
          `${limitMs} ms`,
          `${times.at(-1)} ms`,
          (times.at(-1) ?? limitMs + 1) <= limitMs,
        ),
  ];
}
