import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { forget, guard } from './guardian.ts';

export interface ServerCommand {
  /** For messages: `Postgres`. */
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Run as another user (root only). */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** Asks it to stop; default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** A folder that is removed if this process is killed before it could do so. */
  readonly folder?: string;
}

export interface ServerProcess {
  readonly pid: number;
  /** True until it has ended. */
  running(): boolean;
  /** The last 40 lines it wrote. */
  output(): string;
  /** Asks it to stop, kills it after 5 s; resolves when it is gone. */
  stop(): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

/** How long a server may take to stop by itself, ms. Postgres and Temporal need well under a second. */
const STOP_MS = 5_000;

/**
 * Starts a server that cannot outlive this process. It has a session of its own, so that a Ctrl-C in the terminal reaches
 * only us and what depends on the server can be drained first.
 * @throws where the executable cannot be started.
 */
export async function startServerProcess(command: ServerCommand): Promise<ServerProcess> {
  const stopSignal = command.stopSignal ?? 'SIGTERM';
  const child = spawn(command.file, command.args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    ...(command.env === undefined ? {} : { env: command.env }),
    ...command.user,
  });
  const output = lastLines(child);
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await once(child, 'spawn').catch((cause: unknown) => {
    throw new Error(`${command.name} could not be started: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command.name} could not be started: no process id`);
  guard({ pid, signal: stopSignal, folder: command.folder });
  const running = (): boolean => child.exitCode === null && child.signalCode === null;
  const endNow = (): void => void child.kill(stopSignal);
  process.once('exit', endNow);
  child.once('exit', () => {
    forget(pid);
    process.removeListener('exit', endNow);
  });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (running()) child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await closed;
    clearTimeout(timer);
  };
  return { pid, running, output, stop: () => end(stopSignal), kill: () => end('SIGKILL') };
}

/**
 * Asks `ready` every 25 ms until it says yes.
 * @throws when the server has ended, or is not ready within `withinMs`; the message holds its last lines.
 */
export async function untilReady(
  name: string,
  server: ServerProcess,
  withinMs: number,
  ready: () => Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await ready())) {
    if (!server.running()) throw new Error(`${name} ended while starting:\n${server.output()}`);
    if (Date.now() > deadline) {
      await server.kill();
      throw new Error(`${name} was not ready within ${withinMs / 1000} s:\n${server.output()}`);
    }
    await delay(25);
  }
}

function lastLines(child: ChildProcess): () => string {
  let text = '';
  const keep = (chunk: Buffer): void => {
    text = (text + chunk.toString('utf8')).split('\n').slice(-41).join('\n');
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return () => text.trim();
}
