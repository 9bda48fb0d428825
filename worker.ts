import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { composeActivities } from './activities/compose.ts';
import { activityInterceptors } from './activities/interceptor.ts';
import { messageOf } from './adapters/error-message.ts';
import { createLogger, temporalLogger } from './adapters/logging.ts';
import { packageVersion } from './adapters/package-version.ts';
import { createPlaneClient } from './adapters/plane/plane-client.ts';
import type { PlaneEvent } from './adapters/plane/webhook.ts';
import { listenForEvents } from './adapters/plane/webhook-listener.ts';
import { postgresTls } from './adapters/postgres/connection.ts';
import { createDatabase } from './adapters/postgres/database.ts';
import { grpcMessage } from './adapters/temporal/grpc-errors.ts';
import { startHealing } from './adapters/temporal/start-healing.ts';
import { applySweepSchedule, sweepScheduleId } from './adapters/temporal/sweep-schedule.ts';
import { taskSlots } from './adapters/temporal/task-slots.ts';
import { temporalOptions } from './adapters/temporal/temporal-options.ts';
import { workflowSource } from './adapters/temporal/workflow-source.ts';
import { within } from './adapters/within.ts';
import { visible } from './decisions/shown-text.ts';
import {
  checkSettings,
  EXIT_BAD_SETTINGS,
  loadDotEnv,
  planeProjects,
  repositoriesInForce,
  type Settings,
} from './settings.ts';
import { checkWorld } from './world.ts';

/** How long Temporal is waited for at the start, ms. */
const CONNECT_MS = 15_000;

/** The longest wait between two tries to reach Temporal again, ms: by default it grows to two minutes, and Temporal is back before. */
const RECONNECT_MS = 5_000;

/** What may follow the grace of the activities, ms: a deploy command gets 5 s to end before it is killed, a probe takes 3 s. */
const LAST_MS = 10_000;

/** How long each connection gets to close, ms. */
const CLOSING_MS = 5_000;

/** Releases of what was opened, run in reverse order. */
const opened: { readonly name: string; readonly close: () => Promise<unknown> }[] = [];

/** What is said before there is a log, or after it. */
const say = (text: string): void => console.error(visible(text));

/** Settings, then connections, then activities, then `run()`. @returns the exit code of the process. */
async function main(env: NodeJS.ProcessEnv): Promise<number> {
  const dotEnv = loadDotEnv(env);
  if (dotEnv.fault !== null) {
    say(`The worker cannot start: ${dotEnv.fault}`);
    return EXIT_BAD_SETTINGS;
  }
  const checked = checkSettings(env);
  const { settings } = checked;
  const faults = [...checked.faults];
  let temporal: ReturnType<typeof temporalOptions> | null = null;
  try {
    temporal = temporalOptions(env);
  } catch (error) {
    faults.push(messageOf(error));
  }
  if (settings === null || temporal === null) {
    say(
      `The worker cannot start, ${faults.length === 1 ? 'a setting is wrong' : `${faults.length} settings are wrong`}:`,
    );
    for (const fault of faults) say(`  ${fault}`);
    for (const warning of checked.warnings) say(`  (warning) ${warning}`);
    if (dotEnv.file !== null) say(`  (${dotEnv.file} was read; the environment wins)`);
    return EXIT_BAD_SETTINGS;
  }
  const log = createLogger(settings.worker.logLevel);
  Runtime.install({
    logger: temporalLogger(log),
    telemetryOptions: { logging: { filter: { core: 'WARN', other: 'WARN' }, forward: {} } },
    shutdownSignals: [],
  });
  if (dotEnv.file !== null)
    log.info({ file: dotEnv.file, variables: dotEnv.names.size }, 'settings were read from .env; the environment wins');
  for (const warning of temporal.warnings) log.warn(warning);
  log.info({ version: packageVersion() }, `connecting to Temporal at ${temporal.address}`);
  const worker = await createWorker(settings, temporal, env, log);
  return worker === null ? EXIT_BAD_SETTINGS : run(worker, settings, log);
}

async function createWorker(
  settings: Settings,
  { connectionOptions, namespace, address }: ReturnType<typeof temporalOptions>,
  env: NodeJS.ProcessEnv,
  log: Logger,
): Promise<Worker | null> {
  // Not closed: a call that is then under way is tried again, out of a timer, and throws there (SDK 1.24.0).
  const connection = await reached(
    address,
    Connection.connect({ ...connectionOptions, channelArgs: { 'grpc.max_reconnect_backoff_ms': RECONNECT_MS } }),
  );
  const database = createDatabase({
    ...settings.database,
    tls: postgresTls(settings.database),
    connectTimeoutMs: 5_000,
    applicationName: 'deploy-to-done',
    onIdleError: (error) => log.warn({ err: error }, 'an idle database connection was lost'),
  });
  opened.push({ name: 'database', close: () => database.close() });
  const plane = createPlaneClient(settings.plane);
  opened.push({ name: 'plane', close: () => plane.close() });

  const checks = await checkWorld(
    { settings, temporal: connection, namespace, database, plane, environment: env },
    true,
  );
  for (const { name, level, message } of checks) log[LEVELS[level]]({ check: name }, message);
  if (checks.some(({ level }) => level === 'fault')) {
    log.fatal('the worker does not start: correct what the checks say (d2d doctor runs them again)');
    return null;
  }

  const client = new Client({ connection, namespace });
  await keepSweeping(client, settings, log);

  if (settings.planeWebhook !== null) {
    const { taskQueue } = settings.worker;
    const projects = planeProjects(settings);
    const onWorkItem = async (item: PlaneEvent): Promise<void> => {
      const known = await Promise.allSettled(projects.map((project) => plane.project(project)));
      // One that Plane does not tell of just now may be the one.
      const ours = known.some((asked) => asked.status === 'rejected' || asked.value.id === item.project);
      if (ours) await startHealing(client, taskQueue, item);
    };
    const listener = await listenForEvents({ ...settings.planeWebhook, onWorkItem, log });
    opened.push({ name: 'webhook listener', close: () => listener.close() });
    log.info({ url: listener.url }, 'listening for the webhook events of Plane');
  }

  const native = await reached(address, NativeConnection.connect(connectionOptions));
  opened.push({ name: 'worker connection', close: () => native.close() });
  const source = workflowSource();
  return Worker.create({
    ...source,
    connection: native,
    namespace,
    taskQueue: settings.worker.taskQueue,
    activities: composeActivities(settings, {
      database,
      plane,
      temporal: client,
      environment: env,
      log,
    }),
    interceptors: { ...source.interceptors, activity: [activityInterceptors] },
    // A label. The SDK's own has 91 characters and stands in two events of every tick.
    workerDeploymentOptions: {
      version: { deploymentName: 'deploy-to-done', buildId: packageVersion() },
      useWorkerVersioning: false,
    },
    tuner: taskSlots(),
    // With the workflow task time-out of 5 s, a window goes on 4.8 s after its worker was killed (measured).
    stickyQueueScheduleToStartTimeout: '1s',
    shutdownGraceTime: settings.worker.shutdownMs,
    shutdownForceTime: settings.worker.shutdownMs + LAST_MS,
    // A cancel reaches an activity only with a heartbeat.
    maxHeartbeatThrottleInterval: '1s',
  });
}

/** The schedule of the sweeps is kept by the workers themselves; without it statuses are still right but for foreign writers. */
async function keepSweeping(client: Client, { sweep, worker: { taskQueue } }: Settings, log: Logger): Promise<void> {
  try {
    const applied = await within(
      CONNECT_MS,
      'Temporal',
      applySweepSchedule(client, { taskQueue, everyMs: sweep.everyMs }),
    );
    log.info(
      { schedule: sweepScheduleId(taskQueue), every_s: sweep.everyMs / 1_000 },
      `the schedule of the sweeps: ${applied}`,
    );
  } catch (error) {
    log.warn({ err: error }, 'the schedule of the sweeps could not be applied; d2d schedule apply does it, too');
  }
}

/** What `Connection.connect` throws says neither where Temporal was looked for nor what to do. */
async function reached<T>(address: string, connecting: Promise<T>): Promise<T> {
  try {
    return await within(CONNECT_MS, `Temporal at ${address}`, connecting);
  } catch (cause) {
    throw new Error(
      `Temporal at ${address} cannot be reached (${grpcMessage(cause)}): check TEMPORAL_ADDRESS and the network`,
      { cause },
    );
  }
}

const LEVELS = { ok: 'info', warning: 'warn', fault: 'error' } as const;

/** Runs until a signal drains the worker; a second one ends the process at once. */
async function run(worker: Worker, settings: Settings, log: Logger): Promise<number> {
  let asked = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (asked) {
      log.fatal({ signal }, 'ended at once, what was running is left to its time-outs');
      process.exit(1);
    }
    asked = true;
    const { shutdownMs } = settings.worker;
    log.info(
      { signal },
      `draining: what is running has ${shutdownMs / 1_000} s to end; a second signal ends it at once`,
    );
    worker.shutdown();
    // `run()` may hang on a resource that does not close: the process never does.
    setTimeout(
      () => {
        log.fatal('the worker did not drain in time');
        process.exit(1);
      },
      shutdownMs + LAST_MS + CLOSING_MS,
    ).unref();
  };
  for (const each of ['SIGTERM', 'SIGINT'] as const) process.removeAllListeners(each).on(each, onSignal);
  const inForce = repositoriesInForce(settings);
  log.info(
    {
      task_queue: settings.worker.taskQueue,
      repositories: [...settings.repositories.values()].map(({ name }) => name),
      watched: inForce.filter(({ watched }) => watched).map(({ repo }) => repo),
      guarded: inForce.filter(({ guarded }) => guarded).map(({ repo }) => repo),
    },
    'the worker is ready',
  );
  await worker.run();
  log.info('drained');
  return 0;
}

async function release(): Promise<void> {
  for (const { name, close } of opened.reverse()) {
    await within(CLOSING_MS, name, close()).catch((error) => say(`closing ${name}: ${messageOf(error)}`));
  }
}

// Nothing runs before the worker does: a signal ends the process at once, also as PID 1, which has no default for it.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1));

try {
  process.exitCode = await main(process.env);
} catch (error) {
  say(`The worker has failed: ${messageOf(error)}`);
  process.exitCode = 1;
} finally {
  await release();
  // Nothing may keep a worker alive that does not work any more.
  setTimeout(() => process.exit(), 1_000).unref();
}
