import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { forget, guard } from './guardian.ts';

/** The full path of an executable on the PATH, or null. Never throws. */
export async function onPath(name: string, { PATH = '' }: NodeJS.ProcessEnv): Promise<string | null> {
  const folders = PATH.split(delimiter).filter((folder) => folder !== '');
  const files = process.platform === 'win32' ? [`${name}.exe`, `${name}.cmd`] : [name];
  for (const path of folders.flatMap((folder) => files.map((file) => join(folder, file)))) {
    if (await executable(path)) return path;
  }
  return null;
}

/** Never throws. */
export const executable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

export interface Tool {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Whole time, ms. */
  readonly withinMs: number;
  /** Ends the tool early where this says no; asked every second. */
  readonly goOn?: () => Promise<boolean>;
  /** Ends it at once. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a build tool to its end, in a process group of its own, which does not outlive this process.
 * @throws with the last lines of its output where it fails or takes too long; the signal's reason where that ended it.
 */
export async function runTool({
  file,
  args,
  env,
  cwd,
  withinMs,
  goOn = async () => true,
  signal,
}: Tool): Promise<void> {
  signal?.throwIfAborted();
  const child = spawn(file, args, {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    ...(cwd === undefined ? {} : { cwd }),
  });
  const group = child.pid === undefined ? null : -child.pid;
  if (group !== null) guard({ pid: group, signal: 'SIGKILL' });
  const end = (): void => {
    if (group === null) return;
    try {
      process.kill(group, 'SIGKILL');
    } catch {} // it has ended by itself
  };
  signal?.addEventListener('abort', end, { once: true });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-2_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const deadline = Date.now() + withinMs;
  const watch = setInterval(() => {
    goOn().then(
      (on) => (on && Date.now() < deadline ? undefined : end()),
      () => end(),
    );
  }, 1_000);
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, killedBy) =>
        code === 0
          ? resolve()
          : reject(
              signal?.aborted
                ? signal.reason
                : new Error(`${file} ended with ${killedBy ?? `exit code ${code}`}:\n${output.trim()}`),
            ),
      );
    });
  } finally {
    clearInterval(watch);
    signal?.removeEventListener('abort', end);
    if (group !== null) forget(group);
  }
}
