/**
 * `npm run bench:windows [-- <windows>]`: what a worker that was restarted needs to go on with windows (default: 200 of 30 looks, 4 s
 * apart). First the CPU time of a replay: of a window of 30 looks, and of the longest that is allowed, with 2,935 looks before. Then
 * how long it takes until each window has looked again. A real Temporal dev server; the looks see nothing of the world. Takes 4 minutes.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import Table from 'cli-table3';
import type { TickRecord } from '../activities/window-report.ts';
import { SEARCH_ATTRIBUTES } from '../adapters/temporal/search-attributes.ts';
import { taskSlots } from '../adapters/temporal/task-slots.ts';
import { bundleOptions, dataConverter } from '../adapters/temporal/workflow-source.ts';
import { MAX_TICKS, type WindowPolicy } from '../decisions/index.ts';
import { provideTemporalCli } from '../demo/servers/temporal-cli.ts';
import { startTemporalServer } from '../demo/servers/temporal-server.ts';
import { MONITOR_WORKFLOW, WORKFLOW_TASK_TIMEOUT } from '../workflows/messages.ts';
import type { postDeployMonitor } from '../workflows/post-deploy-monitor.ts';
import { type MonitorInput, open } from '../workflows/window-state.ts';

const LOOKS = 30;
const EVERY_MS = 4_000;
/** Looks of one run of a window, before it continues as new. */
const OF_ONE_RUN = 65;
const REPLAYS = 5;

const windows = Number(process.argv[2] ?? 200);
const taskQueue = 'bench';

Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } }, // windows are ended in the middle of their tasks
});
const temporal = await startTemporalServer({
  cli: await provideTemporalCli({ env: process.env, say: console.error }),
  ui: 'off',
  keywords: SEARCH_ATTRIBUTES,
});
const { address } = temporal;
/** Bundled once, as the build does it. */
const workflows = {
  workflowBundle: await bundleWorkflowCode({ ...bundleOptions(), logger: new DefaultLogger('ERROR') }),
  dataConverter: dataConverter(),
};
const client = new Client({ connection: await Connection.connect({ address }) });
const connection = await NativeConnection.connect({ address });

/** Looks of each window, and those since the restart. */
const looks = new Map<string, number>();
const lookedAgain = new Set<string>();
const activities = {
  async observe({ workItem }: { readonly workItem: string }) {
    looks.set(workItem, (looks.get(workItem) ?? 0) + 1);
    lookedAgain.add(workItem);
    return { at: Date.now(), health: 'pass', requests: 10, errors5xx: 0 };
  },
};

const startWorker = async () => {
  const options = { connection, taskQueue, ...workflows, activities, tuner: taskSlots() };
  const worker = await Worker.create({ ...options, stickyQueueScheduleToStartTimeout: '1s' });
  const running = worker.run();
  return async () => {
    worker.shutdown();
    await running;
  };
};

const policy = (intervalMs: number): WindowPolicy => ({
  ...{
    windowMs: MAX_TICKS * intervalMs,
    intervalMs,
    confirmMs: intervalMs,
    failThreshold: 3,
    errorRatioThreshold: 0.05,
  },
  ...{ minRequests: 20, action: 'alert', maxWindowMs: MAX_TICKS * intervalMs, rollbackWatchMs: 60_000 },
});

const inputOf = (workItem: string, intervalMs: number): MonitorInput => ({
  ...{ repo: 'shop', workItem, version: 'v2', requestedBy: null, selfHosting: false, rollback: null },
  ...{ guarded: true, settleMs: 60_000, looksAtHealth: true, policy: policy(intervalMs) },
});

const start = (input: MonitorInput) =>
  client.workflow.start<typeof postDeployMonitor>(MONITOR_WORKFLOW, {
    ...{ taskQueue, workflowId: `monitor/shop/${input.workItem}`, workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT },
    args: [input],
  });

/** The longest window that there may be, when the last of its runs begins. */
function longest(): MonitorInput {
  const input = inputOf('LONG-1', 1_000);
  const before = MAX_TICKS - OF_ONE_RUN;
  const openedAt = Date.now() - before * 1_000;
  const ticks = Array.from(
    { length: before },
    (_, n): TickRecord => ({
      ...{ tick: n + 1, at: openedAt + (n + 1) * 1_000, health: 'pass', requests: 10, errors5xx: 0 },
    }),
  );
  const state = open(input, openedAt, 5);
  // The dev server's timers take more than a second: it does not come to all of its looks.
  return { ...input, carried: { ...state, window: { ...state.window, endsAt: Date.now() + 900_000, ticks } } };
}

const until = async (done: () => boolean): Promise<void> => {
  while (!done()) await delay(50);
};

let stop = await startWorker();
const long = await start(longest());
const many = await Promise.all(Array.from({ length: windows }, (_, n) => start(inputOf(`MANY-${n}`, EVERY_MS))));
await until(() => many.every((_, n) => (looks.get(`MANY-${n}`) ?? 0) >= LOOKS));
await stop();
lookedAgain.clear();
const restartedAt = performance.now();
stop = await startWorker();
await until(() => lookedAgain.size >= windows);
const recoveredMs = performance.now() - restartedAt;
const short = await many[0]?.fetchHistory();
await Promise.all(many.map((handle) => handle.terminate()));
await until(() => (looks.get('LONG-1') ?? 0) > OF_ONE_RUN - 10);
const history = await client.workflow.getHandle(long.workflowId, long.firstExecutionRunId).fetchHistory();
const inThisRun = looks.get('LONG-1') ?? 0;
await long.terminate();
await stop();

async function replayMs(of: unknown): Promise<number> {
  const cpu = () => process.cpuUsage();
  await Worker.runReplayHistory(workflows, of); // loads the code
  const [before, wall] = [cpu(), performance.now()];
  for (let n = 0; n < REPLAYS; n += 1) await Worker.runReplayHistory(workflows, of);
  const { user, system } = process.cpuUsage(before);
  return Math.min((user + system) / 1_000, (performance.now() - wall) * 2) / REPLAYS;
}

const table = new Table({
  head: ['a replay of a window with', 'CPU, ms, the start of a worker included'],
  style: { head: [], border: [] },
});
table.push([`${LOOKS} looks`, Math.round(await replayMs(short))]);
table.push([
  `${MAX_TICKS - OF_ONE_RUN + inThisRun} looks, ${inThisRun} of them in this run`,
  Math.round(await replayMs(history)),
]);
console.log(`Node ${process.version}\n${table}`);
console.log(
  `${windows} windows of ${LOOKS} looks: each has looked again ${(recoveredMs / 1_000).toFixed(1)} s after the worker was started`,
);
console.log(`(their next look was due within ${EVERY_MS / 1_000} s; the code was loaded in that time, too)`);
await connection.close();
await temporal.stop();
process.exit(0);
