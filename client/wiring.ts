import { Connection } from '@temporalio/client';
import { messageOf } from '../adapters/error-message.ts';
import { createPlaneClient, type PlaneClient, type PlaneTimeouts } from '../adapters/plane/plane-client.ts';
import { isUuid } from '../adapters/plane/refs.ts';
import { postgresTls } from '../adapters/postgres/connection.ts';
import { createDatabase, type Database } from '../adapters/postgres/database.ts';
import { createTasks } from '../adapters/postgres/tasks.ts';
import { type Applied, applySweepSchedule, sweepScheduleId } from '../adapters/temporal/sweep-schedule.ts';
import type { TemporalOverrides } from '../adapters/temporal/temporal-options.ts';
import { normaliseRepo } from '../decisions/index.ts';
import {
  checkSettings,
  type DotEnv,
  describeRepositories,
  describeSettings,
  type Env,
  NO_DOT_ENV,
  repositoriesInForce,
  type Settings,
} from '../settings.ts';
import type { Check } from '../world.ts';
import { createD2dClient, type D2dClient } from './client.ts';
import type { SettingsShown } from './commands/context.ts';
import { connectTemporal, whereTemporalIs } from './connect.ts';
import { D2dError } from './errors.ts';
import { asking } from './executions.ts';
import { createResolve, planeLookup } from './name-sources.ts';
import type { ResolvedWorkItem } from './resolve-work-item.ts';

/** What the commands need of the world outside. Nothing is opened before it is asked for. */
export interface Wiring {
  client(overrides: TemporalOverrides, note: (text: string) => void): Promise<D2dClient>;
  checks(overrides: TemporalOverrides): Promise<readonly Check[]>;
  migrate(): Promise<readonly string[]>;
  applySchedule(
    overrides: TemporalOverrides,
  ): Promise<{ readonly applied: Applied; readonly scheduleId: string; readonly everyMs: number }>;
  settings(): SettingsShown;
  artefactsDir(): string | null;
  /**
   * Closes what was opened, the last first; a connection to Temporal is left to the end of the process: what is under way on a closed
   * one is tried again, out of a timer, and throws there (SDK 1.24.0). An idle one keeps no process alive.
   */
  close(): Promise<void>;
}

/** A command asks a handful of questions, one after the other; times in ms. */
const DATABASE = {
  poolSize: 1,
  lockPoolSize: 1,
  statementTimeoutMs: 4_000,
  connectTimeoutMs: 4_000,
  applicationName: 'd2d',
};
const PLANE_TIMEOUTS: Partial<PlaneTimeouts> = { connectMs: 3_000, callMs: 5_000 };

const UNCHECKED: Check = {
  name: 'Temporal, database, Plane',
  level: 'warning',
  message: 'not checked, as the settings are wrong',
};

/** `dotEnv`: what was read of `.env` into the environment. */
export function createWiring(env: Env, dotEnv: DotEnv = NO_DOT_ENV): Wiring {
  const opened: { close(): Promise<void> }[] = [];
  const opening = <T extends { close(): Promise<void> }>(resource: T): T => {
    opened.push(resource);
    return resource;
  };
  const checked = dotEnv.fault === null ? checkSettings(env) : { settings: null, faults: [dotEnv.fault], warnings: [] };
  const shown = describeSettings(env, undefined, dotEnv);
  const setting = (name: string) => shown.find((row) => row.name === name);

  return {
    async client(overrides, note) {
      if (dotEnv.fault !== null) throw badSettings(checked.faults); // it may say where Temporal is
      const { temporal, warnings } = await connectTemporal(env, overrides);
      for (const warning of warnings) note(warning);
      const { settings, faults } = checked;
      const sources =
        settings === null
          ? null
          : {
              tasks: createTasks(opening(database(settings))),
              plane: planeLookup(opening(planeOf(settings)), settings.plane.project),
            };
      const lookUp = createResolve(sources, note);
      // A database that is named but cannot be used would make a start a guess; without one there is nothing to ask.
      const half = settings === null && setting('DATABASE_URL')?.source !== 'missing';
      const resolve = async (name: string, purpose: 'start' | 'find'): Promise<ResolvedWorkItem> => {
        if (half && purpose === 'start') throw badSettings(faults);
        if (half) note('the settings are faulty (d2d settings lists the faults); going by the name alone');
        return lookUp(name, purpose);
      };
      return createD2dClient({
        temporal,
        taskQueue: settings?.worker.taskQueue ?? setting('ORCH_TASK_QUEUE')?.value ?? '',
        resolve,
        tasksKnown: sources !== null,
        planeId: async (workItem) => {
          if (isUuid(workItem)) return workItem.toLowerCase();
          const item = await sources?.plane.workItem(workItem).catch((error) => {
            note(`Plane cannot be asked, so that healings which have not looked yet are missing: ${messageOf(error)}`);
          });
          return item?.id ?? null;
        },
        repoName: (repo) => settings?.repositories.get(normaliseRepo(repo))?.name ?? repo.trim(),
      });
    },

    async checks(overrides) {
      const { settings, faults } = checked;
      const place = placeOf(env, overrides);
      const wrong = [...faults, ...(typeof place === 'string' ? [place] : [])];
      const read = dotEnvChecks(dotEnv);
      if (settings === null || typeof place === 'string')
        return [...read, UNCHECKED, ...wrong.map((message): Check => ({ name: 'settings', level: 'fault', message }))];
      const { connectionOptions, namespace } = place;
      const { checkWorld } = await import('../world.ts'); // no other command needs all that it needs
      const temporal = Connection.lazy(connectionOptions);
      const world = { settings, temporal, namespace, environment: env };
      const checks = await checkWorld(
        { ...world, database: opening(database(settings)), plane: opening(planeOf(settings)) },
        false,
      );
      return [...read, ...checks];
    },

    async migrate() {
      const { settings, faults } = checked;
      if (settings === null) throw badSettings(faults);
      const { url, ...tls } = settings.database;
      const { migrate } = await import('../adapters/postgres/migrate.ts'); // no other command needs it
      return migrate({ url, tls: postgresTls(tls) }).catch((error) => {
        throw new D2dError('unreachable', `the database could not be migrated: ${messageOf(error)}`, null, error);
      });
    },

    async applySchedule(overrides) {
      const { settings, faults } = checked;
      if (settings === null) throw badSettings(faults);
      const { temporal } = await connectTemporal(env, overrides);
      const { taskQueue } = settings.worker;
      const { everyMs } = settings.sweep;
      const applied = await asking(temporal, () => applySweepSchedule(temporal, { taskQueue, everyMs }));
      return { applied, scheduleId: sweepScheduleId(taskQueue), everyMs };
    },

    settings: () => ({
      settings: shown,
      repositories: describeRepositories(env),
      inForce: checked.settings === null ? [] : repositoriesInForce(checked.settings),
      faults: checked.faults,
      warnings: checked.warnings,
    }),

    artefactsDir: () => {
      const row = setting('ORCH_ARTEFACTS_DIR');
      return row === undefined || row.source === 'default' ? null : row.value;
    },

    async close() {
      for (const resource of opened.reverse()) await resource.close();
    },
  };
}

const dotEnvChecks = ({ file, names, fault }: DotEnv): Check[] =>
  file === null || fault !== null
    ? []
    : [{ name: 'settings', level: 'ok', message: `${names.size} variables from ${file}; the environment wins` }];

/** Where Temporal is, or what is wrong with the settings that say so. */
function placeOf(env: Env, overrides: TemporalOverrides): ReturnType<typeof whereTemporalIs> | string {
  try {
    return whereTemporalIs(env, overrides);
  } catch (error) {
    return messageOf(error);
  }
}

const badSettings = (faults: readonly string[]): D2dError =>
  new D2dError(
    'bad_settings',
    faults.length === 1
      ? `a setting is wrong: ${faults[0]}`
      : `${faults.length} settings are wrong:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
    'd2d settings shows all of them',
  );

const database = ({ database: { url, ...tls } }: Settings): Database =>
  createDatabase({ ...DATABASE, url, tls: postgresTls(tls) });

const planeOf = ({ plane: { url, apiKey, workspace } }: Settings): PlaneClient =>
  createPlaneClient({ url, apiKey, workspace, timeouts: PLANE_TIMEOUTS });
