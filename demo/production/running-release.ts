import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { program } from '../program.ts';
import { type Order, Report } from './release-messages.ts';

/** A release that serves. */
export interface RunningRelease {
  readonly version: string;
  readonly pid: number;
  tell(order: Order): void;
  /** Resolves when its process is gone and its port is free. */
  stop(): Promise<void>;
}

/** How long a release may take to serve, and to end by itself, ms. It needs a tenth of a second on an idle machine. */
const START_MS = 15_000;
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
  const serves = new Promise<void>((resolve) => {
    child.on('message', (message) => {
      const report = Report.parse(message);
      if (report === 'serves') resolve();
      else onReport(report);
    });
  });
  await within(child, version, serves);
  return { version, pid: child.pid ?? 0, tell: (order) => void child.send(order), stop: () => stop(child) };
}

async function within(child: ChildProcess, version: string, serves: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const fails = new Promise<never>((_, reject) => {
    const fail = (why: string): void => reject(new Error(`release ${version} ${why}`));
    child.once('error', (error) => fail(`cannot be started: ${error.message}`));
    child.once('exit', (code, signal) => fail(`has ended with ${signal ?? `exit code ${code}`}`));
    timer = setTimeout(() => fail(`does not serve within ${START_MS / 1_000} s`), START_MS);
  });
  fails.catch(() => {}); // it may end much later, when nobody waits any more
  try {
    await Promise.race([serves, fails]);
  } catch (error) {
    await stop(child);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await gone;
  clearTimeout(timer);
}
