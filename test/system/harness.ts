import { randomInt } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Connection, Client as TemporalClient } from '@temporalio/client';
import { Client, type QueryResultRow } from 'pg';
import { stringify } from 'yaml';
import { oneAtATime } from '../../adapters/one-at-a-time.ts';
import { createD2dClient, type D2dClient } from '../../client/client.ts';
import { type SimulatedPlane, startSimulatedPlane } from '../../demo/simulated-plane/simulated-plane.ts';
import { freshDatabase } from '../setup/database.ts';
import { PATIENCE_MS } from '../setup/patience.ts';
import { connectTemporal, type TemporalAccess, unique } from '../setup/temporal.ts';
import { startAlertSink } from './alert-sink.ts';
import { createItem, type Item } from './item.ts';
import { type Production, startProduction } from './production.ts';
import { startWorkerProcess, type WorkerProcess } from './worker-process.ts';

const SWITCH = fileURLToPath(new URL('./switch-version.mjs', import.meta.url));

/** The orchestrator's own repository, in every system: neither deployed nor watched here. */
const SELF_HOSTING_REPO = 'orchestrator';

export interface SystemOptions {
  /** How many repositories are described; each item takes one, as one deploy at a time of a repository runs. Default 1. */
  readonly repos?: number;
  /** A migrated database on a server of the test's own. Default: a fresh one on the run's server. */
  readonly databaseUrl?: string;
  /** A Temporal server of the test's own, with the search attributes registered. Default: that of the run. */
  readonly temporalAddress?: string;
  /** The `window` block of the repositories file, in place of a window of 16 s with one probe, at its end. */
  readonly window?: Readonly<Record<string, number | string>>;
  readonly deploy?: 'command' | 'external';
  /** Whether a deploy or rollback whose worker was lost is tried again. Default once. */
  readonly driver?: 'once' | 'idempotent';
  /** Variables of every worker, over the ones below. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Everything around the workers of one test, all of it its own but for the servers of the run. */
export interface System {
  readonly repos: readonly string[];
  readonly taskQueue: string;
  readonly temporal: Pick<TemporalAccess, 'address' | 'namespace' | 'client' | 'close'>;
  readonly client: D2dClient;
  readonly plane: SimulatedPlane;
  readonly production: Production;
  readonly alerts: Awaited<ReturnType<typeof startAlertSink>>;
  /** Those that were started so far. */
  readonly workers: readonly WorkerProcess[];
  /** The whole environment of a worker, and of `d2d` beside it. */
  env(more?: Readonly<Record<string, string>>): Record<string, string>;
  /** A file in the folder of this system. @returns its path. */
  file(name: string, content: string): Promise<string>;
  /** Starts a worker and waits until it is ready. */
  startWorker(more?: Readonly<Record<string, string>>): Promise<WorkerProcess>;
  /** Starts one that need not become ready. */
  spawnWorker(more?: Readonly<Record<string, string>>): Promise<WorkerProcess>;
  /** A work item in Plane, with its task, on a repository of its own. */
  addItem(task?: 'with a task' | 'without a task'): Promise<Item>;
  sql<Row extends QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Ends whatever is left of it. */
  close(): Promise<void>;
}

/** A window with one probe, at its end, which proves a degradation by itself. */
const ONE_TICK = { seconds: 16, failThreshold: 1, minRequests: 1 };

/** Longer than any test holds a deploy or a rollback. */
const HELD_SECONDS = 600;

/** Loading a worker takes a second of CPU. They load one at a time, so that each is quick. */
const inTurn = oneAtATime();

export async function startSystem(options: SystemOptions = {}): Promise<System> {
  const opened: (() => Promise<unknown>)[] = [];
  const folder = await mkdtemp(join(tmpdir(), 'd2d-system-'));
  opened.push(() => rm(folder, { recursive: true, force: true }));
  const repos = Array.from({ length: options.repos ?? 1 }, () => unique('shop'));
  const taskQueue = unique('queue');
  const workers: WorkerProcess[] = [];
  let taken = 0;

  const databaseUrl = options.databaseUrl ?? (await ownDatabase());
  const temporal = await (options.temporalAddress === undefined
    ? connectTemporal()
    : connectTo(options.temporalAddress));
  opened.push(temporal.close);
  // Healings have Plane's ids in theirs, and all systems share one Temporal.
  const plane = await startSimulatedPlane({ randomSeed: randomInt(2 ** 31) });
  opened.push(plane.close);
  plane.control.setRateLimit(null);
  const production = await startProduction();
  opened.push(production.close);
  const alerts = await startAlertSink();
  opened.push(alerts.close);
  const client = createD2dClient({ temporal: temporal.client, taskQueue });

  const file: System['file'] = async (name, content) => {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  };
  await mkdir(join(folder, 'home'));
  const repositories = await file('repositories.yaml', stringify(describeRepositories(repos, production, options)));

  async function ownDatabase(): Promise<string> {
    const fresh = await freshDatabase();
    opened.push(fresh.close);
    return fresh.url;
  }

  const system: System = {
    repos,
    taskQueue,
    temporal,
    client,
    plane,
    production,
    alerts,
    workers,
    env: (more = {}) => ({
      PATH: process.env['PATH'] ?? '',
      HOME: join(folder, 'home'),
      DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
      ORCH_PLANE_URL: plane.url,
      ORCH_PLANE_API_KEY: plane.apiKey,
      ORCH_PLANE_WORKSPACE: plane.workspace,
      ORCH_PLANE_PROJECT: 'ORCH',
      ORCH_SELF_HOSTING_REPO: SELF_HOSTING_REPO,
      ORCH_REPOSITORIES_FILE: repositories,
      ORCH_ARTEFACTS_DIR: join(folder, 'artefacts'),
      ORCH_DEPLOY_STATUS_GUARD_REPOS: repos.join(','),
      ORCH_POST_DEPLOY_REPOS: repos.join(','),
      ORCH_APPROVAL: 'none',
      ORCH_ALERT_WEBHOOK_URL: alerts.url,
      ORCH_STATUS_SETTLE_SECONDS: '1',
      ORCH_SWEEP_SECONDS: '0',
      ORCH_SHUTDOWN_SECONDS: '2',
      ORCH_TEMPORAL_OUTAGE_SECONDS: '5',
      ORCH_TASK_QUEUE: taskQueue,
      ...options.env,
      ...more,
    }),
    file,
    async startWorker(more) {
      const worker = await system.spawnWorker(more);
      await worker.said('the worker is ready');
      return worker;
    },
    spawnWorker(more) {
      const spawn = async () => {
        const worker = await startWorkerProcess(system.env(more));
        workers.push(worker);
        await worker.loaded;
        return worker;
      };
      // A second worker takes over writes that are tried for a minute or two only: it does not wait for those of other tests.
      return workers.length === 0 ? inTurn('worker', spawn) : spawn();
    },
    async addItem(task = 'with a task') {
      const repo = repos[taken];
      if (repo === undefined) throw new Error('every repository of this system is taken: ask for more');
      taken += 1;
      const { key, id } = plane.control.addWorkItem({ project: 'ORCH', name: repo, state: 'In Progress' });
      if (task === 'with a task') {
        await system.sql('insert into tasks (repo, work_item_id, stage) values ($1, $2, $3)', [repo, key, 'deploy']);
      }
      return createItem(system, repo, key, id);
    },
    sql: async <Row extends QueryResultRow>(text: string, values?: unknown[]) =>
      withDatabase(databaseUrl, async (database) => (await database.query<Row>(text, values)).rows),
    async close() {
      await Promise.all(workers.map((worker) => worker.kill()));
      for (const close of opened.reverse()) await close();
    },
  };
  return system;
}

async function connectTo(address: string): Promise<System['temporal']> {
  const connection = await Connection.connect({ address, connectTimeout: PATIENCE_MS });
  const namespace = 'default';
  return { address, namespace, client: new TemporalClient({ connection, namespace }), close: async () => {} };
}

async function withDatabase<T>(url: string, run: (database: Client) => Promise<T>): Promise<T> {
  const database = new Client({ connectionString: url, application_name: 'test' });
  await database.connect();
  try {
    return await run(database);
  } finally {
    await database.end();
  }
}

function describeRepositories(repos: readonly string[], production: Production, options: SystemOptions) {
  const driver = (repo: string, kind: 'deploy' | 'rollback') => ({
    driver: 'command',
    command: [process.execPath, SWITCH, kind, `${production.url(repo)}/switch`],
    timeoutSeconds: HELD_SECONDS,
    ...(options.driver === 'idempotent' ? { idempotent: true } : {}),
  });
  const described = repos.map((repo) => [
    repo,
    {
      deploy:
        options.deploy === 'external' ? { driver: 'external', timeoutSeconds: HELD_SECONDS } : driver(repo, 'deploy'),
      rollback: driver(repo, 'rollback'),
      health: { url: `${production.url(repo)}/health`, timeoutSeconds: 2 },
      healthCheck: { deadlineSeconds: 20 },
      traffic: [`${production.url(repo)}/page`],
      // The only tick is enough evidence, and may be 16 s late: a busy machine does not decide how a window ends.
      window: { intervalSeconds: 16, rollbackWatchSeconds: 5, ...(options.window ?? ONE_TICK) },
    },
  ]);
  return { repositories: Object.fromEntries(described) };
}
