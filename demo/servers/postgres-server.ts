import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { freePort } from './port.ts';
import { type PostgresUser, postgresBinaries, postgresUser } from './postgres-binaries.ts';
import { type ServerProcess, startServerProcess, untilReady } from './server-process.ts';

export interface PostgresServer {
  /** URL of the database `postgres` of the superuser `postgres`. */
  readonly url: string;
  readonly port: number;
  /** Its data and whatever else it needs, for as long as it lives. */
  readonly folder: string;
  pid(): number;
  /** Creates a database and gives its URL; without a name it gets a random one. */
  createDatabase(name?: string): Promise<string>;
  /** Stops it and removes its data. */
  stop(): Promise<void>;
  /** kill -9 of the whole server, the data stay: a crash. */
  crash(): Promise<void>;
  /** Stops it in order, the data stay: an outage. */
  pause(): Promise<void>;
  /** Starts it again on the same port and data, after `crash` or `pause`. */
  resume(): Promise<void>;
}

/** Recovery after a crash and a busy machine included; a server that ends while it starts is reported at once. */
const READY_MS = 120_000;

/**
 * A throw-away server: nothing has to survive a power cut, and no socket file is left behind. Commits stay synchronous: they have
 * to survive a kill -9 of the server.
 */
const THROW_AWAY = ['fsync=off', 'full_page_writes=off', 'max_connections=300', 'unix_socket_directories='];

/**
 * A Postgres in a temporary folder on a free port of the loopback interface, which ends with this process; 1.5 s.
 * @throws where Postgres has no binaries for this platform or cannot start. The message holds its last lines.
 */
export async function startPostgresServer(options: { readonly port?: number } = {}): Promise<PostgresServer> {
  const user = await postgresUser();
  const folder = await mkdtemp(join(tmpdir(), 'd2d-postgres-'));
  try {
    await chmod(folder, 0o755);
    const binaries = await postgresBinaries(user, folder);
    const data = join(folder, 'data');
    const password = randomBytes(12).toString('hex');
    await initialise(binaries, folder, data, password, user);
    const port = await freePort('Postgres', options.port);
    const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
    const start = async (): Promise<ServerProcess> => launch({ binaries, data, port, user, folder, url });
    return control({ url, port, folder, start, first: await start() });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function initialise(binaries: string, folder: string, data: string, password: string, user: PostgresUser) {
  const passwordFile = join(folder, 'password');
  await mkdir(data, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (user !== undefined) await Promise.all([data, passwordFile].map((path) => chown(path, user.uid, user.gid)));
  const setUp = [
    '--username=postgres',
    '--auth=password',
    `--pwfile=${passwordFile}`,
    '--encoding=UTF8',
    '--no-locale',
  ];
  await promisify(execFile)(join(binaries, 'bin', 'initdb'), ['-D', data, '--no-sync', ...setUp], {
    cwd: folder,
    ...user,
  });
  await rm(passwordFile);
}

interface Launch {
  readonly binaries: string;
  readonly data: string;
  readonly port: number;
  readonly user: PostgresUser;
  readonly folder: string;
  readonly url: string;
}

async function launch({ binaries, data, port, user, folder, url }: Launch): Promise<ServerProcess> {
  const deadline = Date.now() + READY_MS;
  for (;;) {
    const server = await startServerProcess({
      name: 'Postgres',
      file: join(binaries, 'bin', 'postgres'),
      args: ['-D', data, '-p', String(port), '-h', '127.0.0.1', ...THROW_AWAY.flatMap((setting) => ['-c', setting])],
      cwd: folder,
      user,
      stopSignal: 'SIGINT', // "fast": ends the sessions, keeps the data in order
      folder,
    });
    try {
      await untilReady('Postgres', server, READY_MS, () => answers(url));
      return server;
    } catch (error) {
      // After a kill -9 the old server's children hold its shared memory for a moment.
      if (!server.output().includes('shared memory block') || Date.now() > deadline) throw error;
    }
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch {
    return false; // not yet: the caller asks again, within its limit
  } finally {
    await client.end().catch(() => {});
  }
}

interface Control {
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  readonly start: () => Promise<ServerProcess>;
  readonly first: ServerProcess;
}

function control({ url, port, folder, start, first }: Control): PostgresServer {
  let server = first;
  return {
    url,
    port,
    folder,
    pid: () => server.pid,
    async createDatabase(name = `d2d_${randomBytes(6).toString('hex')}`) {
      const client = new Client({ connectionString: url });
      await client.connect();
      try {
        await client.query(`create database ${client.escapeIdentifier(name)}`);
      } finally {
        await client.end();
      }
      return Object.assign(new URL(url), { pathname: `/${encodeURIComponent(name)}` }).href;
    },
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
    crash: () => server.kill(),
    pause: () => server.stop(),
    async resume() {
      if (!server.running()) server = await start();
    },
  };
}
