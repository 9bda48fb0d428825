/**
 * `npm run bench:starts-at-once [-- <starts> …]`: how long many deploys that are started at once, each of a repository of its own, take
 * to show `Awaiting Deploy`, and what they ask Temporal for (default: 1, 10 and 100 starts). One worker, a real Postgres, a real Temporal
 * dev server and the simulated Plane without a rate limit, all on this machine.
 */
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import Table from 'cli-table3';
import { migrate } from '../adapters/postgres/migrate.ts';
import { SEARCH_ATTRIBUTES } from '../adapters/temporal/search-attributes.ts';
import { workflowSource } from '../adapters/temporal/workflow-source.ts';
import { startPostgresServer } from '../demo/servers/postgres-server.ts';
import { provideTemporalCli } from '../demo/servers/temporal-cli.ts';
import { startTemporalServer } from '../demo/servers/temporal-server.ts';
import { startAtOnce } from './at-once.ts';
import { countedConnection } from './counted-connection.ts';

const counts = process.argv.slice(2).map(Number);
if (counts.length === 0) counts.push(1, 10, 100);

Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } }, // runs are ended in the middle of their tasks
});
const [postgres, temporal] = await Promise.all([
  startPostgresServer(),
  provideTemporalCli({ env: process.env, say: console.error }).then((cli) =>
    startTemporalServer({ cli, ui: 'off', keywords: SEARCH_ATTRIBUTES }),
  ),
]);
const connection = await NativeConnection.connect({ address: temporal.address });
const table = new Table({
  head: ['starts', 'until all show it, s', 'describes per start', 'listings per start', 'executions listed per start'],
  style: { head: [], border: [] },
});
for (const starts of counts) {
  const databaseUrl = await postgres.createDatabase(`starts_${starts}`);
  await migrate({ url: databaseUrl });
  const { address } = temporal;
  const counted = countedConnection(await Connection.connect({ address }));
  const ms = await startAtOnce({
    ...{ starts, databaseUrl, connection, workflows: workflowSource() },
    temporal: new Client({ connection: counted.connection }),
    client: new Client({ connection: await Connection.connect({ address }) }),
  });
  const { calls, listed } = counted.asked;
  const each = (count = 0): string => (count / starts).toFixed(1);
  table.push([
    ...[starts, (ms / 1_000).toFixed(1), each(calls['describeWorkflowExecution'])],
    ...[each(calls['listWorkflowExecutions']), each(listed)],
  ]);
}
console.log(`Node ${process.version}\n${table}`);
await connection.close();
await Promise.all([temporal.stop(), postgres.stop()]);
process.exit(0); // the clients' connections are left open
