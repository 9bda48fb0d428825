import { setTimeout as delay } from 'node:timers/promises';
import { PATIENCE_MS, type System, type SystemOptions, startSystem } from './harness.ts';
import type { Item } from './item.ts';
import type { WorkerProcess } from './worker-process.ts';

/**
 * Runs a test in a system of its own with one work item, and ends whatever is left of it.
 * @throws what the test throws, with what its run and its workers said last, or that it did not end.
 */
export async function withSystem(
  options: SystemOptions,
  run: (system: System, item: Item) => Promise<void>,
): Promise<void> {
  const system = await startSystem(options);
  const workers: WorkerProcess[] = [];
  const watched: System = {
    ...system,
    async startWorker(more) {
      const worker = await system.startWorker(more);
      workers.push(worker);
      return worker;
    },
  };
  const abort = new AbortController();
  const tooLong = delay(PATIENCE_MS, undefined, { signal: abort.signal }).then(() => {
    throw new Error(`the test did not end within ${PATIENCE_MS / 1_000} s`);
  });
  try {
    const item = await system.addItem();
    try {
      await Promise.race([run(watched, item), tooLong]);
    } catch (error) {
      if (error instanceof Error) error.message += await lastWords(item, workers);
      throw error;
    }
  } finally {
    abort.abort();
    tooLong.catch(() => {});
    await system.close();
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
