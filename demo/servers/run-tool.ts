import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

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
}

/** Runs a build tool to its end. @throws with the last lines of its output where it fails or takes too long. */
export async function runTool({ file, args, env, cwd, withinMs, goOn = async () => true }: Tool): Promise<void> {
  const child = spawn(file, args, {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-2_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const deadline = Date.now() + withinMs;
  const watch = setInterval(() => {
    goOn().then(
      (on) => (on && Date.now() < deadline ? undefined : child.kill('SIGKILL')),
      () => child.kill('SIGKILL'),
    );
  }, 1_000);
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) =>
        code === 0
          ? resolve()
          : reject(new Error(`${file} ended with ${signal ?? `exit code ${code}`}:\n${output.trim()}`)),
      );
    });
  } finally {
    clearInterval(watch);
  }
}
