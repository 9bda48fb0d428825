import { startPostgresServer } from '../../../demo/servers/postgres-server.ts';
import { startTemporalServer } from '../../../demo/servers/temporal-server.ts';

// A process that owns servers and does nothing to end them; `servers.test.ts` kills it.

const [, , cli = ''] = process.argv;
const [postgres, temporal] = await Promise.all([startPostgresServer(), startTemporalServer({ cli, ui: 'off' })]);
console.log(JSON.stringify({ pids: [postgres.pid(), temporal.pid], folder: postgres.folder }));
