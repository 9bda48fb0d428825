import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';
import { PATIENCE_MS } from '../setup/patience.ts';
import { type System, type SystemOptions, startSystem } from './harness.ts';
import type { Item } from './item.ts';
import type { WorkerProcess } from './worker-process.ts';

type Run = (system: System, item: Item) => Promise<void>;

/** Each wait has a limit of its own, and says what it waited for; this ends what waits without one. */
const LIMIT_MS = PATIENCE_MS + 20_000;

/**
 * Runs a test in a system of its own with one work item, and ends whatever is left of it.
 * @throws what the test throws, with what its run and its workers said last, or that it did not end.
 */
export async function withSystem(options: SystemOptions, run: Run): Promise<void> {
  const watched = await startWatched(options);
  try {
    await runOn(watched, run);
  } finally {
    await watched.system.close();
  }
}

/**
 * A system with one worker that the tests of a `describe` share: those that end no worker, and whose faults name their item.
 * @returns runs a test as `withSystem` does, with a work item of its own.
 */
export function sharedSystem(options: SystemOptions & { readonly repos: number }): (run: Run) => Promise<void> {
  let shared: Watched;
  beforeAll(async () => {
    shared = await startWatched(options);
    await shared.system.startWorker();
  });
  afterAll(() => shared.system.close());
  return (run) => runOn(shared, run);
}

interface Watched {
  readonly system: System;
  /** Those that were started so far. */
  readonly workers: readonly WorkerProcess[];
}

async function startWatched(options: SystemOptions): Promise<Watched> {
  const system = await startSystem(options);
  const workers: WorkerProcess[] = [];
  const startWorker: System['startWorker'] = async (more) => {
    const worker = await system.startWorker(more);
    workers.push(worker);
    return worker;
  };
  return { system: { ...system, startWorker }, workers };
}

async function runOn({ system, workers }: Watched, run: Run): Promise<void> {
  const item = await system.addItem();
  const abort = new AbortController();
  const tooLong = delay(LIMIT_MS, undefined, { signal: abort.signal }).then(() => {
    throw new Error(`the test did not end within ${LIMIT_MS / 1_000} s`);
  });
  tooLong.catch(() => {}); // it is aborted below
  try {
    await Promise.race([run(system, item), tooLong]);
  } catch (error) {
    if (error instanceof Error) error.message += await lastWords(item, workers);
    throw error;
  } finally {
    abort.abort();
  }
}

async function lastWords(item: Item, workers: readonly WorkerProcess[]): Promise<string> {
  const asked = [item.deployStatus(), item.windowStatus()].map((answer) =>
    Promise.race([answer, delay(3_000, 'no answer', { ref: false })]).catch(String),
  );
  const said = workers.map(
    (worker) =>
      `worker ${worker.pid}:\n${worker
        .log()
        .slice(-10)
        .map((line) => JSON.stringify(line))
        .join('\n')}${worker.stderr()}`,
  );
  return `\n${JSON.stringify(await Promise.all(asked))}\nPlane: ${item.history().join(', ')}\n${said.join('\n')}`;
}
