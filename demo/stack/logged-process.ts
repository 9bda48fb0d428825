import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { PROGRAM_FOLDER } from '../program.ts';
import { forget, guard } from '../servers/guardian.ts';

export interface LoggedCommand {
  /** For messages: `The worker`. */
  readonly name: string;
  /** Arguments to Node. */
  readonly args: readonly string[];
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Takes its stdout and stderr, appended. */
  readonly logFile: string;
  /** How long it may take to end by itself after SIGTERM, ms. */
  readonly stopMs: number;
}

export interface LoggedProcess {
  readonly pid: number;
  running(): boolean;
  /** SIGTERM, SIGKILL if that is not heard; resolves when it is gone. */
  stop(): Promise<void>;
  /** kill -9 by its pid; resolves when it is gone. */
  kill(): Promise<void>;
}

/**
 * Starts a Node program as a process of its own that ends with this one, in a session of its own: a Ctrl-C in the terminal
 * reaches only us, so that its end is in order.
 * @throws where it cannot be started.
 */
export async function startLoggedProcess({ name, args, env, logFile, stopMs }: LoggedCommand): Promise<LoggedProcess> {
  const log = await open(logFile, 'a');
  try {
    const child = spawn(process.execPath, args, {
      env,
      cwd: PROGRAM_FOLDER,
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
    });
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    await once(child, 'spawn');
    const { pid } = child;
    if (pid === undefined) throw new Error(`${name} could not be started: no process id`);
    guard({ pid, signal: 'SIGTERM' });
    child.once('exit', () => forget(pid));
    const running = (): boolean => child.exitCode === null && child.signalCode === null;
    const end = async (signal: NodeJS.Signals): Promise<void> => {
      if (running()) child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
      await gone;
      clearTimeout(timer);
    };
    return { pid, running, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
  } finally {
    await log.close();
  }
}
