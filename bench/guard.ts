/**
 * `npm run bench:guard`: what the guard costs a status write. The real setters over a real Postgres, a real Temporal dev server and the
 * simulated Plane on loopback, with the guard on and off side by side in one run; each call changes the status, so each writes.
 */
import { Client, Connection } from '@temporalio/client';
import Table from 'cli-table3';
import { type Connections, composeActivities } from '../activities/compose.ts';
import { createLogger } from '../adapters/logging.ts';
import { createPlaneClient } from '../adapters/plane/plane-client.ts';
import { createDatabase, type Database } from '../adapters/postgres/database.ts';
import { migrate } from '../adapters/postgres/migrate.ts';
import { SEARCH_ATTRIBUTES } from '../adapters/temporal/search-attributes.ts';
import { startPostgresServer } from '../demo/servers/postgres-server.ts';
import { provideTemporalCli } from '../demo/servers/temporal-cli.ts';
import { startTemporalServer } from '../demo/servers/temporal-server.ts';
import { type SimulatedPlane, startSimulatedPlane } from '../demo/simulated-plane/simulated-plane.ts';
import { loadSettings } from '../settings.ts';

const REPO = 'shop';
const CALLS = 640;
const WARM_UP = 64;

interface Count {
  postgres: number;
  temporal: number;
}

interface Figures {
  readonly p50: number;
  readonly p99: number;
  readonly perCall: { readonly postgres: number; readonly temporal: number; readonly plane: number };
}

/** Every message to Postgres counts. */
const counting = (database: Database, count: Count): Database => ({
  ...database,
  query(text, values) {
    count.postgres += 1;
    return database.query(text, values);
  },
  async lockClient() {
    const client = await database.lockClient();
    return new Proxy(client, {
      get(target, name) {
        if (name === 'query') count.postgres += 1;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  },
});

/** Calls setters, so many at once, each on its own work item or all on one, and measures each call. */
async function measure(
  setters: ReturnType<typeof composeActivities>,
  plane: SimulatedPlane,
  count: Count,
  items: readonly string[],
  callers: number,
): Promise<Figures> {
  const times: number[] = [];
  let called = 0;
  const caller = (until: number) => async (): Promise<void> => {
    while (called < until) {
      const n = called;
      called += 1;
      const workItem = items[n % items.length] ?? '';
      // Turn by turn on each item, so that there is something to write.
      const turn = Math.floor(n / items.length) % 2 === 0;
      const since = performance.now();
      await (turn ? setters.setDeploying : setters.setAwaitingDeploy)({ repo: REPO, workItem, caller: 'bench' });
      if (n >= WARM_UP) times.push(performance.now() - since);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller(WARM_UP)));
  Object.assign(count, { postgres: 0, temporal: 0 });
  plane.control.clearRequests();
  await Promise.all(Array.from({ length: callers }, caller(WARM_UP + CALLS)));
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? Number.NaN;
  const perCall = (number: number): number => number / CALLS;
  return {
    p50: at(0.5),
    p99: at(0.99),
    perCall: {
      postgres: perCall(count.postgres),
      temporal: perCall(count.temporal),
      plane: perCall(plane.control.requests().length),
    },
  };
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const [postgres, temporal, plane] = await Promise.all([
  startPostgresServer(),
  provideTemporalCli({ env: process.env, say }).then((cli) =>
    startTemporalServer({ cli, ui: 'off', keywords: SEARCH_ATTRIBUTES }),
  ),
  startSimulatedPlane(),
]);
plane.control.setRateLimit(null);
const databaseUrl = await postgres.createDatabase('bench');
await migrate({ url: databaseUrl });
const count: Count = { postgres: 0, temporal: 0 };
const client = new Client({
  connection: await Connection.connect({ address: temporal.address }),
  interceptors: {
    workflow: [
      {
        describe(input, next) {
          count.temporal += 1;
          return next(input);
        },
      },
    ],
  },
});

function settersWith(guard: 'true' | 'false') {
  const settings = loadSettings({
    DATABASE_URL: databaseUrl,
    ORCH_PLANE_URL: plane.url,
    ORCH_PLANE_API_KEY: plane.apiKey,
    ORCH_PLANE_WORKSPACE: plane.workspace,
    ORCH_PLANE_PROJECT: 'ORCH',
    ORCH_SELF_HOSTING_REPO: REPO,
    ORCH_POST_DEPLOY_HEALTH_URL: 'http://127.0.0.1:1/',
    ORCH_DEPLOY_STATUS_GUARD_ENABLED: guard,
  });
  const database = createDatabase({
    ...settings.database,
    tls: undefined,
    connectTimeoutMs: 5_000,
    applicationName: 'bench',
  });
  const connections: Connections = {
    database: counting(database, count),
    plane: createPlaneClient(settings.plane),
    temporal: client,
    environment: {},
    log: createLogger('silent', process.stdout),
  };
  return { setters: composeActivities(settings, connections), database };
}

const sides = { off: settersWith('false'), on: settersWith('true') };
const names = Array.from({ length: 32 }, () => plane.control.addWorkItem({ project: 'ORCH', name: 'bench' }).key);
for (const name of names)
  await sides.on.database.query('insert into tasks (repo, work_item_id, stage) values ($1, $2, $3)', [
    REPO,
    name,
    'deploy',
  ]);

const table = new Table({
  head: [
    'callers',
    'work items',
    'off p50',
    'p99',
    'on p50',
    'p99',
    'p50 ratio',
    'Postgres',
    'Temporal',
    'Plane off',
    'on',
  ],
  style: { head: [], border: [] },
});
const ms = (value: number): string => `${value.toFixed(1)} ms`;
for (const [callers, items] of [
  [1, 1],
  [1, 32],
  [32, 1],
  [32, 32],
] as const) {
  const on = names.slice(0, items);
  const off = await measure(sides.off.setters, plane, count, on, callers);
  const guarded = await measure(sides.on.setters, plane, count, on, callers);
  table.push([
    ...[callers, items, ms(off.p50), ms(off.p99), ms(guarded.p50), ms(guarded.p99)],
    ...[(guarded.p50 / off.p50).toFixed(2), guarded.perCall.postgres.toFixed(2), guarded.perCall.temporal.toFixed(2)],
    ...[off.perCall.plane.toFixed(2), guarded.perCall.plane.toFixed(2)],
  ]);
}
say(`${CALLS} calls each, guard off and on; requests and round trips a call of the guarded one`);
say(table.toString());
await Promise.all([sides.on.database.close(), sides.off.database.close(), plane.close()]);
await Promise.all([temporal.stop(), postgres.stop()]);
process.exit(0); // the client's connection is left open
