import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';
import { within } from '../../adapters/within.ts';
import { TEST_MS } from '../setup/patience.ts';
import { type System, type SystemOptions, startSystem } from './harness.ts';
import type { Item } from './item.ts';
import type { WorkerProcess } from './worker-process.ts';

type Run = (system: System, item: Item) => Promise<void>;

/** Ends a test whose wait has no limit of its own. Other waits end earlier and say what they waited for. */
const LIMIT_MS = TEST_MS - 20_000;

/**
 * Runs a test in a system of its own with one work item, and ends whatever is left of it.
 * @throws what the test throws, with the state of its run and the last log lines of its workers.
 */
export async function withSystem(options: SystemOptions, run: Run): Promise<void> {
  const system = await startSystem(options);
  try {
    await runOn(system, run);
  } finally {
    await system.close();
  }
}

/**
 * One system and one worker for the tests of a `describe`. They must not end the worker, and their faults must match their own item.
 * @param begin starts the worker. Default: without settings of its own.
 * @returns runs a test as `withSystem` does, with a work item of its own.
 */
export function sharedSystem(
  options: SystemOptions & { readonly repos: number },
  begin: (system: System) => Promise<unknown> = (system) => system.startWorker(),
): (run: Run) => Promise<void> {
  let system: System | undefined;
  beforeAll(async () => {
    system = await startSystem(options);
    await begin(system);
  });
  afterAll(() => system?.close());
  return async (run) => {
    if (system === undefined) throw new Error('the shared system did not start');
    await runOn(system, run);
  };
}

async function runOn(system: System, run: Run): Promise<void> {
  const item = await system.addItem();
  try {
    await within(LIMIT_MS, 'the test', run(system, item));
  } catch (error) {
    if (error instanceof Error) error.message += await lastWords(item, system.workers);
    throw error;
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
