import { readFile } from 'node:fs/promises';
import type { Connection } from '@temporalio/client';
import proto from '@temporalio/proto'; // CommonJS: Node sees no names in it
import { program } from '../program.ts';
import { type LoggedProcess, startLoggedProcess } from './logged-process.ts';
import { waitFor } from './wait.ts';

/** The worker of a demo: one process at a time. */
export interface DemoWorker {
  /** @throws where it does not begin to poll; the message names its log. */
  start(): Promise<void>;
  /** kill -9 by its pid. @returns that pid. */
  kill(): Promise<number>;
  pid(): number;
  stop(): Promise<void>;
}

export interface DemoWorkerOptions {
  /** The whole environment of the process. */
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly connection: Connection;
  readonly taskQueue: string;
  /** How long it drains after SIGTERM, ms. */
  readonly shutdownMs: number;
  readonly signal: AbortSignal;
}

const READY_MS = 60_000;

/** A worker that refuses its world says all that is wrong with it in a few lines. */
const lastLines = async (file: string): Promise<string> =>
  (await readFile(file, 'utf8')).trim().split('\n').slice(-12).join('\n');

const { TASK_QUEUE_TYPE_WORKFLOW: WORKFLOW, TASK_QUEUE_TYPE_ACTIVITY: ACTIVITY } =
  proto.temporal.api.enums.v1.TaskQueueType;

export function createWorker({
  env,
  logFile,
  connection,
  taskQueue,
  shutdownMs,
  signal,
}: DemoWorkerOptions): DemoWorker {
  let current: LoggedProcess | null = null;

  const running = (): LoggedProcess => {
    if (current?.running() !== true) throw new Error(`the worker does not run (any more): see ${logFile}`);
    return current;
  };

  /** Temporal itself tells who asks it for work; those of a worker that was killed stay on its list for minutes. */
  async function polls(pid: number): Promise<boolean> {
    const { workflowService } = connection;
    const queues = await Promise.all(
      [WORKFLOW, ACTIVITY].map((taskQueueType) =>
        workflowService.describeTaskQueue({ namespace: 'default', taskQueue: { name: taskQueue }, taskQueueType }),
      ),
    );
    return queues.every(({ pollers }) => pollers.some(({ identity }) => identity?.startsWith(`${pid}@`)));
  }

  return {
    async start() {
      const started = await startLoggedProcess({
        name: 'The worker',
        args: program('worker'),
        env,
        logFile,
        stopMs: shutdownMs + 3_000,
      });
      current = started;
      const looks = async (): Promise<true | null> => {
        if (!started.running()) throw new Error(`the worker has ended while starting:\n${await lastLines(logFile)}`);
        return (await polls(started.pid)) ? true : null;
      };
      await waitFor(looks, {
        until: `until the worker polls (see ${logFile})`,
        withinMs: READY_MS,
        signal,
      });
    },
    async kill() {
      const { pid, kill } = running();
      await kill();
      return pid;
    },
    pid: () => running().pid,
    async stop() {
      await current?.stop();
    },
  };
}
