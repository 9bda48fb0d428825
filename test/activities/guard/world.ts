import { Client, Connection } from '@temporalio/client';
import type { PoolClient } from 'pg';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { composeActivities } from '../../../activities/compose.ts';
import { createLogger } from '../../../adapters/logging.ts';
import { createPlaneClient } from '../../../adapters/plane/plane-client.ts';
import { createDatabase, type Database } from '../../../adapters/postgres/database.ts';
import type { DeployPhaseStatus } from '../../../decisions/index.ts';
import { startSimulatedPlane } from '../../../demo/simulated-plane/simulated-plane.ts';
import { type Env, loadSettings } from '../../../settings.ts';
import { environment, files, noFiles } from '../../settings/builders.ts';
import { PATIENT_TIMEOUTS } from '../../setup/patience.ts';
import { unique } from '../../setup/temporal.ts';
import type { GuardServers, WindowKind } from './servers.ts';

/** The setters' names, by what they are asked to show. */
export const SETTERS = {
  awaiting_deploy: 'setAwaitingDeploy',
  deploying: 'setDeploying',
  monitoring: 'setMonitoring',
} as const satisfies Record<DeployPhaseStatus, string>;

export const TARGETS = ['awaiting_deploy', 'deploying', 'monitoring'] as const satisfies DeployPhaseStatus[];

/** What Plane calls the statuses. */
export const SHOWN = {
  awaiting_deploy: 'Awaiting Deploy',
  deploying: 'Deploying',
  monitoring: 'Monitoring after Deploy',
  done: 'Done',
} as const;

const Line = z.looseObject({ msg: z.string() });

interface WorldOptions {
  /** Settings beside the sound ones. */
  readonly env?: Env;
  /** The text of the repositories file. */
  readonly repositories?: string;
  /** `gone`: nobody listens where the worker looks for it. */
  readonly postgres?: 'there' | 'gone';
  readonly temporal?: 'there' | 'gone';
}

interface ItemOptions {
  /** `null`: there is no task. Default: `deploy`. */
  readonly stage?: string | null;
  /** The state that Plane shows at first. Default: `In Progress`. */
  readonly shown?: string;
  readonly window?: WindowKind;
  /** The repository in the task's row. Default: the self-hosting one. */
  readonly repo?: string;
}

/** Nobody listens on port 1. */
const NOWHERE = '127.0.0.1:1';

let lastNumber = 1_000;

/**
 * The activities as the worker composes them, over a simulated Plane of their own (no rate limit) and the file's Postgres and
 * Temporal; everything that they ask of the three is counted. Ends with the test.
 */
export async function guardWorld(
  servers: GuardServers,
  { env = {}, repositories, postgres = 'there', temporal = 'there' }: WorldOptions = {},
) {
  const plane = await startSimulatedPlane({ jobDelayMs: 0 });
  plane.control.setRateLimit(null);
  const selfHosting = unique('orchestrator');
  const settings = loadSettings(
    environment({
      ORCH_PLANE_URL: plane.url,
      ORCH_PLANE_API_KEY: plane.apiKey,
      ORCH_PLANE_WORKSPACE: plane.workspace,
      ORCH_SELF_HOSTING_REPO: selfHosting,
      ...(repositories === undefined ? {} : { ORCH_REPOSITORIES_FILE: 'repositories.yaml' }),
      ...env,
    }),
    repositories === undefined ? noFiles : files({ 'repositories.yaml': repositories }),
  );
  const client = createPlaneClient({ ...settings.plane, timeouts: PATIENT_TIMEOUTS });
  const count = { lockRoundTrips: 0, statements: 0, describes: 0 };
  const lines: string[] = [];
  const gone = postgres === 'gone' ? nowhere() : null;
  const lazy = temporal === 'gone' ? Connection.lazy({ address: NOWHERE }) : null;

  const activities = composeActivities(settings, {
    database: counting(gone ?? servers.fresh.database, count),
    plane: client,
    temporal: new Client({
      connection: lazy ?? servers.temporal.connection,
      interceptors: {
        workflow: [
          {
            describe(input, next) {
              count.describes += 1;
              return next(input);
            },
          },
        ],
      },
    }),
    environment: {},
    log: createLogger('info', { write: (line) => lines.push(line) }),
  });
  onTestFinished(async () => {
    plane.control.release();
    await plane.close();
    await client.close();
    await gone?.close();
    await lazy?.close();
  });

  return {
    ...plane,
    activities,
    selfHosting,
    count,
    /** A work item with its task and window. @returns its key, which no other test has. */
    async item({ stage = 'deploy', shown = 'In Progress', window = 'none', repo = selfHosting }: ItemOptions = {}) {
      const number = ++lastNumber;
      const { key } = plane.control.addWorkItem({ project: 'ORCH', name: `Item ${number}`, number, state: shown });
      if (stage !== null) {
        await servers.fresh.sql('insert into tasks (repo, work_item_id, stage) values ($1, $2, $3)', [
          repo,
          key,
          stage,
        ]);
      }
      await servers.openWindow(repo, key, window);
      return key;
    },
    /** One call of one setter. */
    set: (target: DeployPhaseStatus, workItem: string, more: { repo?: string; reason?: string } = {}) =>
      activities[SETTERS[target]]({ repo: selfHosting, workItem, caller: 'test', ...more }),
    request: (workItem: string) => ({ repo: selfHosting, workItem, caller: 'test' }),
    /** Plane's own ids of a work item. */
    itemOf(workItem: string) {
      const { id, projectId: project } = plane.control.workItem(workItem);
      return { id, project };
    },
    shows: (workItem: string) => plane.control.workItem(workItem).state,
    /** What Plane has shown since it was added, oldest first. */
    history: (workItem: string) => plane.control.statusHistory(workItem).map(({ to }) => to),
    /** The methods of the requests to Plane, in their order. */
    asked: () => plane.control.requests().map(({ method }) => method),
    patches: () => plane.control.requests().filter(({ method }) => method === 'PATCH').length,
    /** What was logged, each line as it was written. */
    lines: (): readonly string[] => lines,
    /** What was logged, without the time. */
    logged: () =>
      lines.map((line) => {
        const { time: _time, ...fields } = Line.parse(JSON.parse(line));
        return fields;
      }),
    /** Forgets requests, lines and counts. */
    forget() {
      plane.control.clearRequests();
      lines.length = 0;
      Object.assign(count, { lockRoundTrips: 0, statements: 0, describes: 0 });
    },
  };
}

export type GuardWorld = Awaited<ReturnType<typeof guardWorld>>;

const nowhere = (): Database =>
  createDatabase({
    url: `postgres://nobody:nothing@${NOWHERE}/none`,
    poolSize: 1,
    lockPoolSize: 1,
    statementTimeoutMs: 1_000,
    connectTimeoutMs: 1_000,
    applicationName: 'd2d nowhere',
  });

/** Every message to Postgres counts: those of the lock's connection apart from those of the pool. */
function counting(database: Database, count: { lockRoundTrips: number; statements: number }): Database {
  return {
    ...database,
    query(text, values) {
      count.statements += 1;
      return database.query(text, values);
    },
    lockClient: async () =>
      observed(await database.lockClient(), () => {
        count.lockRoundTrips += 1;
      }),
  };
}

const observed = (client: PoolClient, onQuery: () => void): PoolClient =>
  new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        if (name === 'query') onQuery();
        return Reflect.apply(value, target, args);
      };
    },
  });
