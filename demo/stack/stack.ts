import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../adapters/temporal/search-attributes.ts';
import { createD2dClient, type D2dClient } from '../../client/client.ts';
import type { Display } from '../display/display.ts';
import type { DemoOptions } from '../options.ts';
import { freePort } from '../servers/port.ts';
import { startPostgresServer } from '../servers/postgres-server.ts';
import { provideTemporalCli } from '../servers/temporal-cli.ts';
import { startTemporalServer } from '../servers/temporal-server.ts';
import { type AlertSink, startAlertSink } from './alert-sink.ts';
import { type PatchGate, startPatchGate } from './patch-gate.ts';
import { type Production, startProduction } from './production.ts';
import { openRealTracker, realPlane } from './real-tracker.ts';
import type { Releases } from './releases.ts';
import { repositoriesFile } from './repositories-file.ts';
import { startSimulatedTracker } from './simulated-tracker.ts';
import { type DemoTasks, openTasks } from './tasks.ts';
import { type Timing, timingOf } from './timing.ts';
import type { DemoTracker } from './tracker.ts';
import { createWorker, type DemoWorker } from './worker.ts';
import { SHUTDOWN_SECONDS, TASK_QUEUE, workerEnvironment } from './worker-environment.ts';

/** Everything that a scenario works with; all of it runs. */
export interface Stack {
  readonly options: DemoOptions;
  readonly timing: Timing;
  readonly artefacts: string;
  readonly temporal: Client;
  readonly temporalCli: string;
  readonly temporalAddress: string;
  readonly temporalUi: string;
  readonly client: D2dClient;
  readonly tasks: DemoTasks;
  readonly tracker: DemoTracker;
  readonly patchGate: PatchGate;
  readonly production: Production;
  readonly alerts: AlertSink;
  readonly worker: DemoWorker;
  /** The worker's own environment. Holds secrets. */
  readonly env: Readonly<Record<string, string>>;
  readonly display: Display;
  readonly signal: AbortSignal;
}

export interface StackInput {
  readonly options: DemoOptions;
  /** For logs and artefacts; stays. */
  readonly folder: string;
  readonly display: Display;
  readonly releases: Releases;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Starts everything that a scenario needs; what has been started is given to `releases`, whatever happens then. */
export async function startStack(input: StackInput): Promise<Stack> {
  const { options, folder, display, releases, signal } = input;
  const timing = timingOf(options);
  const artefacts = join(folder, 'artefacts');
  await mkdir(artefacts, { recursive: true });
  const parts = await startParts(input);
  const { tracker, production, alerts, temporal, postgresUrl } = parts;

  const patchGate = await startPatchGate(tracker.url);
  releases.add('gate before Plane', patchGate.close);
  const files = { temporal: join(folder, 'temporal.toml'), repositories: join(folder, 'repositories.yaml') };
  const repositories = repositoriesFile({
    planeProject: tracker.project,
    serviceUrl: production.serviceUrl,
    controlUrl: production.controlUrl,
    action: options.action,
    rollback: options.scenario === 'crash' ? 'idempotent' : 'once',
    timing,
  });
  await Promise.all([writeFile(files.temporal, '[profile.default]\n'), writeFile(files.repositories, repositories)]);

  // Not closed, here or in any program: what is then under way is tried again, out of a timer, and throws there (SDK 1.24.0).
  const connection = await Connection.connect({ address: temporal.address, connectTimeout: timing.patienceMs });
  const webhook = await webhookOf(options, tracker);
  const tasks = await openTasks(postgresUrl);
  releases.add('connection to Postgres', tasks.close);
  const env = workerEnvironment({
    options,
    timing,
    databaseUrl: postgresUrl,
    temporalAddress: temporal.address,
    temporalConfig: files.temporal,
    tracker,
    planeUrl: options.scenario === 'crash' ? patchGate.url : tracker.url,
    repositoriesFile: files.repositories,
    artefacts,
    alertUrl: alerts.url,
    webhook,
  });
  const logFile = join(folder, 'worker.log');
  const shutdownMs = SHUTDOWN_SECONDS * 1_000;
  const worker = createWorker({ env, logFile, connection, taskQueue: TASK_QUEUE, shutdownMs, signal });
  releases.add('worker', worker.stop);
  await display.step('Worker', async (say) => {
    say(`its log: ${logFile}`);
    await worker.start();
    return `process ${worker.pid()}, log ${logFile}`;
  });

  const client = new Client({ connection });
  return {
    ...{ options, timing, artefacts, tasks, tracker, patchGate, production, alerts, worker, env, display, signal },
    temporal: client,
    temporalCli: temporal.cli,
    temporalAddress: temporal.address,
    temporalUi: `${temporal.uiUrl}/namespaces/default/workflows`,
    client: createD2dClient({ temporal: client, taskQueue: TASK_QUEUE }),
  };
}

/** Where the worker is to listen, if Plane can be told to send its events there. */
async function webhookOf({ webhooks }: DemoOptions, { sendEventsTo }: DemoTracker) {
  if (webhooks === 'off' || sendEventsTo === null) return null;
  const webhook = { port: await freePort('The webhook listener', undefined), secret: randomUUID() };
  sendEventsTo(`http://127.0.0.1:${webhook.port}/plane`, webhook.secret);
  return webhook;
}

interface Parts {
  readonly postgresUrl: string;
  readonly temporal: { readonly cli: string; readonly address: string; readonly uiUrl: string };
  readonly tracker: DemoTracker;
  readonly production: Production;
  readonly alerts: AlertSink;
}

/** The servers that do not need each other, side by side. */
async function startParts({ options, folder, display, releases, signal }: StackInput): Promise<Parts> {
  const started: Partial<{ -readonly [Name in keyof Parts]: Parts[Name] }> = {};
  const real = realPlane(process.env);
  await display.together([
    {
      title: 'Postgres',
      async run() {
        const postgres = await startPostgresServer();
        releases.add('Postgres', postgres.stop);
        started.postgresUrl = await postgres.createDatabase('d2d');
        return `port ${postgres.port}`;
      },
    },
    {
      title: 'Temporal dev server',
      async run(say) {
        const cli = await provideTemporalCli({ env: process.env, say, signal });
        signal.throwIfAborted();
        const server = await startTemporalServer({ cli, ui: 'on', keywords: SEARCH_ATTRIBUTES });
        releases.add('Temporal', server.stop);
        started.temporal = { cli, address: server.address, uiUrl: server.uiUrl ?? '' };
        return `${server.address}, UI ${server.uiUrl}`;
      },
    },
    {
      title: real === null ? 'Simulated Plane' : 'Plane',
      async run(say) {
        // Stale callers use up what a key has by default, and then everything waits.
        const requestsPerMinute = options.scenario === 'flap' ? 300 : 60;
        if (real === null && requestsPerMinute !== 60)
          say(`takes ${requestsPerMinute} requests a minute (API_KEY_RATE_LIMIT)`);
        const tracker =
          real === null ? await startSimulatedTracker({ requestsPerMinute }) : await openRealTracker(real, say);
        releases.add('Plane', tracker.close);
        started.tracker = tracker;
        started.alerts = await startAlertSink();
        releases.add('alert sink', started.alerts.close);
        return tracker.boardUrl;
      },
    },
    {
      title: 'Production',
      async run() {
        const production = await startProduction(join(folder, 'production.log'), signal);
        releases.add('production', production.stop);
        started.production = production;
        const { version, pid } = await production.state();
        return `${version} at ${production.serviceUrl}, process ${pid}`;
      },
    },
  ]);
  const { postgresUrl, temporal, tracker, production, alerts } = started;
  if (!postgresUrl || !temporal || !tracker || !production || !alerts) throw new Error('not everything has started');
  return { postgresUrl, temporal, tracker, production, alerts };
}
