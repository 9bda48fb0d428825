import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { inject } from 'vitest';
import { runCli } from '../../client/cli.ts';
import type { Stream } from '../../client/output.ts';
import { createWiring } from '../../client/wiring.ts';
import { made } from '../setup/made.ts';

export interface CliRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCli {
  /** Resolves once the text has been written on stdout or stderr. */
  said(text: string): Promise<void>;
  interrupt(): void;
  readonly ended: Promise<CliRun>;
}

/**
 * Starts the compiled `d2d` as a process of its own, off any terminal, in an environment of these variables alone.
 * @param cwd by default a folder in which there is no .env
 */
export function startCli(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
  cwd = made('dist', inject('dist')),
): RunningCli {
  const main = join(made('dist', inject('dist')), 'client', 'd2d.js');
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  const heard = (): void => {
    for (const listener of listeners) listener();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    heard();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    heard();
  });
  const ended = once(child, 'close').then(([code]: (number | null)[]) => ({ code: code ?? null, stdout, stderr }));
  return {
    ended,
    interrupt: () => void child.kill('SIGINT'),
    said: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (`${stdout}\n${stderr}`.includes(text)) resolve();
        };
        listeners.add(look);
        look();
        void ended.then(() => reject(new Error(`d2d ended without saying "${text}":\n${stdout}\n${stderr}`)));
      }),
  };
}

/** Runs `d2d` to its end, as a process. */
export const runProcess = (env: Readonly<Record<string, string>>, ...args: string[]): Promise<CliRun> =>
  startCli(env, args).ended;

/** The same within this process: faster, for tests that do not need a process. */
export const runHere = (env: Readonly<Record<string, string>>, ...args: string[]): Promise<CliRun> =>
  runAt(Date.now, env, ...args);

/** The same, while no time passes: it waits for an answer for as long as that takes. */
export const runInNoTime = (env: Readonly<Record<string, string>>, ...args: string[]): Promise<CliRun> => {
  const began = Date.now();
  return runAt(() => began, env, ...args);
};

async function runAt(now: () => number, env: Readonly<Record<string, string>>, ...args: string[]): Promise<CliRun> {
  let stdout = '';
  let stderr = '';
  const stream = (write: (text: string) => void): Stream => ({
    write,
    tty: false,
    colour: false,
    size: () => ({ columns: 80, rows: 24 }),
  });
  const wiring = createWiring(env);
  const code = await runCli(args, {
    terminal: {
      stdout: stream((text) => {
        stdout += text;
      }),
      stderr: stream((text) => {
        stderr += text;
      }),
    },
    wiring,
    userName: 'tester',
    version: '0.0.0',
    interrupted: new AbortController().signal,
    now,
  });
  await wiring.close();
  return { code, stdout, stderr };
}
