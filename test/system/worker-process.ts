import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { inject } from 'vitest';
import { z } from 'zod';
import { forget, guard } from '../../demo/servers/guardian.ts';
import { made } from '../setup/made.ts';

const LogLine = z.looseObject({ level: z.string(), msg: z.string() });

/** One line of the worker's log. */
export type LogLine = z.infer<typeof LogLine>;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** `node dist/worker.js` as a process of its own. */
export interface WorkerProcess {
  readonly pid: number;
  /** Every line of its log so far. @throws where one is no JSON. */
  log(): readonly LogLine[];
  /** What it wrote beside its log: a worker that cannot start has none yet. */
  stderr(): string;
  /** The first line of its log whose message holds this text, now or later. @throws where it ends without. */
  said(text: string): Promise<LogLine>;
  /** Resolves at its first output or its end: most of the cost of the start is over. */
  readonly loaded: Promise<unknown>;
  signal(signal: NodeJS.Signals): void;
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>;
  readonly ended: Promise<Ended>;
}

/**
 * Starts a worker in an environment of these variables alone. It cannot outlive this process.
 * @param cwd by default a folder in which there is no .env
 */
export async function startWorkerProcess(
  env: Readonly<Record<string, string>>,
  cwd = made('dist', inject('dist')),
): Promise<WorkerProcess> {
  const main = join(made('dist', inject('dist')), 'worker.js');
  const child = spawn(process.execPath, [main], { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const listeners = new Set<() => void>();
  const written = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      written[stream] += text;
      for (const listener of listeners) listener();
    });
  }
  const closed = once(child, 'close');
  const loaded = Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data'), closed]);
  await once(child, 'spawn');
  const { pid = 0 } = child;
  guard({ pid, signal: 'SIGKILL' });
  const ended = closed.then((): Ended => {
    forget(pid);
    return { code: child.exitCode, signal: child.signalCode };
  });

  const log = (): LogLine[] =>
    written.stdout
      .split('\n')
      .slice(0, -1) // the last line is not whole yet
      .map((line) => LogLine.parse(JSON.parse(line)));

  return {
    pid,
    log,
    stderr: () => written.stderr,
    said: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const line = log().find(({ msg }) => msg.includes(text));
          if (line === undefined) return;
          listeners.delete(look);
          resolve(line);
        };
        listeners.add(look);
        look();
        ended.then(({ code }) => {
          reject(new Error(`the worker ended (${code}) without saying "${text}":\n${written.stdout}${written.stderr}`));
        }, reject);
      }),
    loaded,
    signal: (signal) => void child.kill(signal),
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    ended,
  };
}
