/**
 * `npm run bench:starts [-- <dist> …]`: how long a worker and `d2d` take to start. Each start is a new process, on a real Postgres,
 * a real Temporal dev server and the simulated Plane. Several compiled projects, such as the one of the last release, are measured
 * in turns (default: `dist`). Ratios are to `node -e 0`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import Table from 'cli-table3';
import { migrate } from '../adapters/postgres/migrate.ts';
import { SEARCH_ATTRIBUTES } from '../adapters/temporal/search-attributes.ts';
import { startPostgresServer } from '../demo/servers/postgres-server.ts';
import { provideTemporalCli } from '../demo/servers/temporal-cli.ts';
import { startTemporalServer } from '../demo/servers/temporal-server.ts';
import { startSimulatedPlane } from '../demo/simulated-plane/simulated-plane.ts';

const ROUNDS = 11;

interface Cost {
  /** Until it has ended or written `ready`. */
  readonly wallMs: number;
  /** User and system time of all threads until then. */
  readonly cpuMs: number;
}

/** Makes a process print its CPU time in µs on SIGUSR2 and at its end. */
const CPU_USED = `data:text/javascript,${encodeURIComponent(`
  const tell = () => { const { user, system } = process.cpuUsage(); process.stderr.write('cpu ' + (user + system) + '\\n'); };
  process.on('SIGUSR2', tell).on('exit', tell);
`)}`;

/** Runs Node until it ends, or kills it once it has written `ready`. */
async function cost(args: readonly string[], env: Record<string, string>, ready?: string): Promise<Cost> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, ['--import', CPU_USED, ...args], {
    env,
    cwd: tmpdir(), // no .env of the user's is read there
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close');
  const written = { stdout: '', stderr: '' };
  const until = (stream: 'stdout' | 'stderr', text: string): Promise<void> =>
    new Promise((done) => {
      child[stream].on('data', () => {
        if (written[stream].includes(text)) done();
      });
    });
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      written[stream] += text;
    });
  }
  await Promise.race([ended, ...(ready === undefined ? [] : [until('stdout', ready)])]);
  const wallMs = performance.now() - startedAt;
  if (ready !== undefined) {
    if (!written.stdout.includes(ready))
      throw new Error(`the process ended before it wrote "${ready}":\n${written.stdout}${written.stderr}`);
    const told = until('stderr', 'cpu ');
    child.kill('SIGUSR2');
    await told;
    child.kill('SIGKILL');
    await ended;
  }
  const used = /cpu (\d+)/.exec(written.stderr)?.[1];
  if (used === undefined)
    throw new Error(`the process did not report its CPU time:\n${written.stdout}${written.stderr}`);
  return { wallMs, cpuMs: Number(used) / 1_000 };
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const dists = process.argv.slice(2).map((path) => resolve(path));
if (dists.length === 0) dists.push(resolve('dist'));

const folder = await mkdtemp(join(tmpdir(), 'd2d-bench-'));
const plane = await startSimulatedPlane();
plane.control.setRateLimit(null);
const [postgres, temporal] = await Promise.all([
  startPostgresServer(),
  provideTemporalCli({ env: process.env, say: console.error }).then((cli) =>
    startTemporalServer({ cli, ui: 'off', keywords: SEARCH_ATTRIBUTES }),
  ),
]);
try {
  const databaseUrl = await postgres.createDatabase();
  await migrate({ url: databaseUrl });
  const env = {
    HOME: folder,
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: temporal.address,
    ORCH_PLANE_URL: plane.url,
    ORCH_PLANE_API_KEY: plane.apiKey,
    ORCH_PLANE_WORKSPACE: plane.workspace,
    ORCH_PLANE_PROJECT: 'ORCH',
    ORCH_SELF_HOSTING_REPO: 'orchestrator',
    ORCH_ARTEFACTS_DIR: folder,
    ORCH_POST_DEPLOY_ENABLED: 'false',
  };
  const starts: Record<string, (dist: string) => Promise<Cost>> = {
    'node -e 0': () => cost(['-e', '0'], env),
    'd2d --version': (dist) => cost([join(dist, 'client/d2d.js'), '--version'], env),
    'd2d settings': (dist) => cost([join(dist, 'client/d2d.js'), 'settings'], env),
    'd2d list': (dist) => cost([join(dist, 'client/d2d.js'), 'list', '--all'], env),
    'worker, until it is ready': (dist) => cost([join(dist, 'worker.js')], env, 'the worker is ready'),
  };
  const costs = new Map<string, Cost[]>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, start] of Object.entries(starts)) {
      for (const dist of dists) {
        const key = `${name}\n${dist}`;
        costs.set(key, [...(costs.get(key) ?? []), await start(dist)]);
      }
    }
  }
  const table = new Table({ head: ['start', 'project', 'wall, ms', 'CPU, ms', 'wall, as node -e 0'] });
  for (const [key, all] of costs) {
    const [name = '', dist = ''] = key.split('\n');
    const wall = median(all.map(({ wallMs }) => wallMs));
    const bare = median((costs.get(`node -e 0\n${dist}`) ?? []).map(({ wallMs }) => wallMs));
    table.push([
      name,
      dist,
      wall.toFixed(0),
      median(all.map(({ cpuMs }) => cpuMs)).toFixed(0),
      (wall / bare).toFixed(1),
    ]);
  }
  console.log(`Node ${process.version}, median of ${ROUNDS} starts\n${table}`);
} finally {
  await Promise.all([temporal.stop(), postgres.stop(), plane.close()]);
  await rm(folder, { recursive: true });
}
