import { mkdir, open, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Where built and downloaded servers are kept, outside the repository: `${XDG_CACHE_HOME:-~/.cache}/deploy-to-done`. */
export function cacheFolder({ XDG_CACHE_HOME: cache, HOME: home }: NodeJS.ProcessEnv): string {
  const base = cache !== undefined && isAbsolute(cache) ? cache : join(home ?? homedir(), '.cache');
  return join(base, 'deploy-to-done');
}

/** A holder touches its lock this often, ms; one that was not touched for ten times as long belongs to a dead process. */
const HEARTBEAT_MS = 2_000;

/** Longest wait for another process that builds the same thing, ms: a build takes about 5 minutes on 2 cores. */
const WAIT_MS = 20 * 60_000;

/**
 * Makes `name` in the cache folder once, however many processes ask: `make` fills a temporary folder, which is then renamed
 * to its place, so what is there is complete.
 * @throws what `make` throws; then nothing stays behind.
 */
export async function madeOnce(folder: string, name: string, make: (into: string) => Promise<void>): Promise<string> {
  const path = join(folder, name);
  if (await exists(path)) return path;
  await mkdir(folder, { recursive: true });
  return locked(`${path}.lock`, async () => {
    if (await exists(path)) return path; // another process made it while we waited
    const into = `${path}.${process.pid}.tmp`;
    try {
      await rm(into, { recursive: true, force: true });
      await mkdir(into);
      await make(into);
      await rename(into, path);
    } finally {
      await rm(into, { recursive: true, force: true });
    }
    return path;
  });
}

export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function locked<T>(path: string, task: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + WAIT_MS;
  while (!(await take(path))) {
    const age = Date.now() - (await stat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
    // Two that remove a dead lock at the same moment may both go on: they then build the same thing twice, which is harmless.
    if (age > 10 * HEARTBEAT_MS) await rm(path, { force: true });
    else if (Date.now() > deadline)
      throw new Error(`Another process has held ${path} for 20 minutes: end it, or remove it`);
    else await delay(250);
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {}); // the lock is only a courtesy, see above
  }, HEARTBEAT_MS);
  try {
    return await task();
  } finally {
    clearInterval(heartbeat);
    await rm(path, { force: true });
  }
}

async function take(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx')).close();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}
