import { access, constants, mkdir, stat } from 'node:fs/promises';
import { Client, type Connection } from '@temporalio/client';
import { whyCommandFails } from './adapters/deploy/command.ts';
import { messageOf } from './adapters/error-message.ts';
import { PlaneBudgetSpent } from './adapters/plane/budget.ts';
import { PlaneRateLimited, PlaneUnavailable } from './adapters/plane/errors.ts';
import type { PlaneClient } from './adapters/plane/plane-client.ts';
import type { Database } from './adapters/postgres/database.ts';
import { DatabaseUnavailable } from './adapters/postgres/querier.ts';
import { tableFaults } from './adapters/postgres/table-faults.ts';
import { whyNotSetToDone } from './adapters/postgres/trial-update.ts';
import { aheadOfTemporal } from './adapters/temporal/clock.ts';
import { namespaceFault } from './adapters/temporal/namespace-fault.ts';
import { lastPollAt, POLLS_WITHIN_MS, type TaskKind } from './adapters/temporal/pollers.ts';
import { ensureSearchAttributes, missingSearchAttributes } from './adapters/temporal/search-attributes.ts';
import { lookAtSweeps, sweepScheduleId } from './adapters/temporal/sweep-schedule.ts';
import { failingRuns } from './adapters/temporal/workflow-tasks.ts';
import { NoAnswer, within } from './adapters/within.ts';
import { planeProjects, type Settings } from './settings.ts';
import { duration } from './workflows/duration.ts';

/** One thing that a worker needs of its world. A fault stops the worker; a warning is of what may come back by itself. */
export interface Check {
  readonly name: string;
  readonly level: 'ok' | 'warning' | 'fault';
  readonly message: string;
}

export interface World {
  readonly settings: Settings;
  readonly temporal: Connection;
  readonly namespace: string;
  readonly database: Database;
  readonly plane: PlaneClient;
  /** Of the worker, or of `d2d` where that asks. */
  readonly environment: NodeJS.ProcessEnv;
}

/** Longest wait for each part of the world, ms. */
const PATIENCE_MS = 20_000;

const ok = (name: string, message: string): Check => ({ name, level: 'ok', message });
const warning = (name: string, message: string): Check => ({ name, level: 'warning', message });
const fault = (name: string, message: string): Check => ({ name, level: 'fault', message });

/**
 * Looks at everything that a worker needs, side by side. Never throws.
 * @param register also registers search attributes that are missing; without it a missing one is a warning.
 */
export async function checkWorld(world: World, register: boolean): Promise<Check[]> {
  const checks = await Promise.all([
    checkTemporal(world, register).then(async (found) =>
      found.some(({ level }) => level === 'fault')
        ? found
        : [...found, ...(await checkClockAndWorkers(world, register)), ...(await checkSweeps(world, register))],
    ),
    checkDatabase(world),
    checkPlane(world),
    checkArtefacts(world.settings.artefactsDir, register),
    checkCommands(world.settings, world.environment),
  ]);
  return [...world.settings.warnings.map((text) => warning('settings', text)), ...checks.flat()];
}

async function checkTemporal({ temporal, namespace }: World, register: boolean): Promise<Check[]> {
  try {
    // A deadline, not `within`: the client's own tries would outlive that, and fail once the connection is closed.
    const wrong = await temporal.withDeadline(Date.now() + PATIENCE_MS, () => namespaceFault(temporal, namespace));
    if (wrong !== null) return [fault('temporal', wrong)];
    const missing = await temporal.withDeadline(Date.now() + PATIENCE_MS * 2, () =>
      register
        ? ensureSearchAttributes(temporal, namespace).then(() => [])
        : missingSearchAttributes(temporal, namespace),
    );
    return [
      ok('temporal', `namespace ${namespace} answers`),
      missing.length === 0
        ? ok('search attributes', 'all registered')
        : warning(
            'search attributes',
            `not registered yet: ${missing.join(', ')}; the worker registers them when it starts`,
          ),
    ];
  } catch (error) {
    return [
      error instanceof NoAnswer
        ? fault('temporal', `${messageOf(error)}: check TEMPORAL_ADDRESS and the network`)
        : fault('search attributes', messageOf(error)),
    ];
  }
}

/** The clock, and by it whether a worker polls, for `d2d doctor`: a starting worker is not there yet. */
async function checkClockAndWorkers(world: World, starting: boolean): Promise<Check[]> {
  const { temporal, namespace, settings } = world;
  const aheadMs = await temporal
    .withDeadline(Date.now() + PATIENCE_MS, () => aheadOfTemporal(temporal, namespace, settings.worker.taskQueue))
    .catch(() => null); // it is a courtesy: windows look at the clock themselves
  const clock = aheadMs === null ? [] : [clockCheck(aheadMs)];
  return starting ? clock : [...clock, ...(await checkWorkers(world, aheadMs ?? 0))];
}

/** Two clocks that differ by so much, ms, count as one. */
const SAME_CLOCK_MS = 1_000;

/** @param aheadMs how far the clock of this machine is ahead of Temporal's; negative: behind */
export function clockCheck(aheadMs: number): Check {
  if (Math.abs(aheadMs) <= SAME_CLOCK_MS) return ok('clock', "within a second of Temporal's");
  const where = `${duration(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead of' : 'behind'} Temporal's`;
  return warning('clock', `the clock of this machine is ${where}: set it by a time server`);
}

/** Whether a worker polls and workflow tasks work. */
async function checkWorkers({ settings, temporal, namespace }: World, aheadMs: number): Promise<Check[]> {
  const { taskQueue } = settings.worker;
  try {
    const [workflow, activity] = await temporal.withDeadline(Date.now() + PATIENCE_MS, () =>
      Promise.all([
        lastPollAt(temporal, namespace, taskQueue, 'workflow'),
        lastPollAt(temporal, namespace, taskQueue, 'activity'),
      ]),
    );
    const client = new Client({ connection: temporal, namespace });
    const failing = await failingRuns(client, taskQueue);
    return [
      pollersCheck(taskQueue, { workflow, activity }, Date.now() - aheadMs),
      ...failing.map(({ workflowId, why }) =>
        warning(
          'runs',
          `${workflowId}: its workflow task fails: ${why}; it resumes when a worker with compatible code runs`,
        ),
      ),
    ];
  } catch (error) {
    return [warning('workers', messageOf(error))];
  }
}

/**
 * What the last polls of a task queue say of its workers.
 * @param polls when a worker polled last, epoch ms; `null`: no poll is known
 */
export function pollersCheck(taskQueue: string, polls: Readonly<Record<TaskKind, number | null>>, now: number): Check {
  const at = (kind: TaskKind): number => polls[kind] ?? 0;
  const ago = (time: number): string => `${duration(now - time)} ago`;
  const kinds: readonly TaskKind[] = ['workflow', 'activity'];
  const missing = kinds.filter((kind) => now - at(kind) > POLLS_WITHIN_MS);
  if (missing.length === 0) {
    return ok('workers', `task queue ${taskQueue} was polled ${ago(Math.min(...kinds.map(at)))}`);
  }
  const what = missing.length === kinds.length ? '' : ` for ${missing.join()} tasks`;
  const last = Math.max(...missing.map(at));
  const hint = last === 0 ? 'start one' : `the last poll was ${ago(last)}: start one, or restart the one that hangs`;
  return warning('workers', `no worker is polling task queue ${taskQueue}${what}; ${hint}`);
}

/** Whether somebody else's changes in Plane are corrected. The worker makes the schedule itself, after this. */
async function checkSweeps({ settings, temporal, namespace }: World, register: boolean): Promise<Check[]> {
  const { sweep, worker } = settings;
  if (sweep.everyMs === 0) return [];
  try {
    const client = new Client({ connection: temporal, namespace });
    const seen = await temporal.withDeadline(Date.now() + PATIENCE_MS, () => lookAtSweeps(client, worker.taskQueue));
    if (seen === null)
      return register
        ? []
        : [warning('sweeps', 'not scheduled yet; the worker does it at its start, d2d schedule apply does it now')];
    const id = sweepScheduleId(worker.taskQueue);
    if (seen.paused)
      return [
        warning(
          'sweeps',
          `paused: until temporal schedule toggle --unpause --schedule-id ${id} --reason "…" what somebody else brings back in Plane stands`,
        ),
      ];
    if (seen.last === null) return [ok('sweeps', `every ${sweep.everyMs / 1_000} s, none is known to have ended`)];
    const { at, left } = seen.last;
    return [
      left === null
        ? ok('sweeps', `every ${sweep.everyMs / 1_000} s, the last one at ${at.toISOString()}`)
        : warning('sweeps', `the last one at ${at.toISOString()} left something undone: ${left}`),
    ];
  } catch (error) {
    return [warning('sweeps', messageOf(error))];
  }
}

async function checkDatabase({ database }: World): Promise<Check[]> {
  try {
    const faults = await within(PATIENCE_MS, 'Postgres', tableFaults(database));
    if (faults.length > 0) return faults.map((text) => fault('database', text));
    const refused = await within(PATIENCE_MS, 'Postgres', whyNotSetToDone(database));
    return [refused === null ? ok('database', 'the table tasks is there') : warning('database', refused)];
  } catch (error) {
    const away = `${messageOf(error)}; until it is back, deploys wait and statuses are late`;
    const isAway = (error instanceof DatabaseUnavailable && !error.refused) || error instanceof NoAnswer;
    return [isAway ? warning('database', away) : fault('database', messageOf(error))];
  }
}

/**
 * Whether the logs of the windows can be written.
 * @param starting whether this is the worker that writes them; `d2d doctor` may run elsewhere, and makes no folder.
 */
export async function checkArtefacts(artefactsDir: string, starting: boolean): Promise<Check[]> {
  try {
    if (starting) await mkdir(artefactsDir, { recursive: true });
    if (!(await stat(artefactsDir)).isDirectory()) throw new Error(`${artefactsDir} is no folder`);
    await access(artefactsDir, constants.W_OK);
    return [];
  } catch (error) {
    if (!starting && error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    const message = `the logs of the windows cannot be written (${messageOf(error)}): correct ORCH_ARTEFACTS_DIR`;
    return [starting ? fault('artefacts', message) : warning('artefacts', `from here ${message}`)];
  }
}

/** A rollback that cannot run is to be known before production needs it. */
export async function checkCommands(
  { repositories }: Pick<Settings, 'repositories'>,
  environment: NodeJS.ProcessEnv,
): Promise<Check[]> {
  const described = [...repositories.values()].flatMap(({ name, deploy, rollback }) => [
    { what: `deploy of ${name}`, config: deploy },
    { what: `rollback of ${name}`, config: rollback },
  ]);
  const checks = described.map(async ({ what, config }) => {
    if (config?.driver !== 'command') return [];
    const why = await whyCommandFails(config, environment);
    return why === null ? [] : [warning(what, `the command cannot be run on this machine: ${why}`)];
  });
  return (await Promise.all(checks)).flat();
}

async function checkPlane({ settings, plane }: World): Promise<Check[]> {
  try {
    const { displayName } = await within(PATIENCE_MS, 'Plane', plane.me());
    const states = await Promise.all(planeProjects(settings).map((project) => checkStates(project, settings, plane)));
    return [ok('plane', `the API key belongs to ${displayName}`), ...states.flat()];
  } catch (error) {
    return [planeCheck('plane', error)];
  }
}

async function checkStates(project: string, { plane: { states } }: Settings, plane: PlaneClient): Promise<Check[]> {
  const name = `plane project ${project}`;
  try {
    const { id } = await within(PATIENCE_MS, 'Plane', plane.project(project));
    const { awaitingDeploy, deploying, monitoring, done, degraded } = states;
    const wanted = [awaitingDeploy, deploying, monitoring, done, ...(degraded === null ? [] : [degraded])];
    const checks: Check[] = [];
    for (const state of wanted) {
      await within(PATIENCE_MS, 'Plane', plane.stateNamed(id, state)).catch((error) =>
        checks.push(planeCheck(name, error)),
      );
    }
    return checks.length === 0 ? [ok(name, `has the states ${wanted.join(', ')}`)] : checks;
  } catch (error) {
    return [planeCheck(name, error)];
  }
}

/** Plane being away is no reason to stop a watch; a wrong key, project or name of a state is. */
function planeCheck(name: string, error: unknown): Check {
  const away = [PlaneUnavailable, PlaneRateLimited, PlaneBudgetSpent, NoAnswer].some((known) => error instanceof known);
  return away
    ? warning(name, `${messageOf(error)} Until it is back, statuses are late.`)
    : fault(name, messageOf(error));
}
