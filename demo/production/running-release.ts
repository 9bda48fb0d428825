import { type ChildProcess, spawn } from 'node:child_process';
import { on, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { program } from '../program.ts';
import { type Order, Report } from './release-messages.ts';

/** A release that serves. */
export interface RunningRelease {
  readonly version: string;
  readonly pid: number;
  /** Resolves when it is obeyed. @throws where the release has ended, or takes too long. */
  tell(order: Order): Promise<void>;
  /** Resolves when its process is gone and its port is free. */
  stop(): Promise<void>;
}

/** How long a release may take to serve or to obey, and to end by itself, ms. It needs a tenth of a second on an idle machine. */
const ANSWER_MS = 15_000;
const STOP_MS = 3_000;

/**
 * Starts a release and waits until it serves.
 * @throws where it ends before, or takes too long.
 */
export async function startRelease(
  port: number,
  version: string,
  onReport: (report: Report) => void,
): Promise<RunningRelease> {
  const child = spawn(process.execPath, [...program('demo/production/release'), String(port), version], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  child.on('message', (message) => onReport(Report.parse(message)));
  try {
    await reported(child, version, 'serves');
  } catch (error) {
    await stop(child);
    throw error;
  }
  return {
    version,
    pid: child.pid ?? 0,
    async tell(order) {
      const obeyed = reported(child, version, order);
      child.send(order);
      await obeyed;
    },
    stop: () => stop(child),
  };
}

/** @throws where the release ends before it reports that, cannot be started or told, or takes too long. */
async function reported(child: ChildProcess, version: string, awaited: Report): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  const heard = async (): Promise<void> => {
    for await (const [message] of on(child, 'message', { signal })) if (message === awaited) return;
  };
  const why = await Promise.race([
    heard().catch((error: Error) => error.message),
    once(child, 'exit', { signal }).then(
      ([code, by]) => `has ended with ${by ?? `exit code ${code}`}`,
      (error: Error) => error.message,
    ),
    delay(ANSWER_MS, `took longer than ${ANSWER_MS / 1_000} s`, { signal }).catch(() => undefined),
  ]);
  over.abort();
  if (why !== undefined) throw new Error(`release ${version}, awaited to report "${awaited}": ${why}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await gone;
  clearTimeout(timer);
}
