/**
 * A setter in a process of its own that stops itself (SIGSTOP) right before it sends its write; run with `node --import tsx`. It hears
 * nothing from its lock, so that only the age check stands between it and the write. On stdout: what came of it, in one line.
 */
import { createStatusSetters } from '../../../activities/status-setters.ts';
import { createPlaneClient } from '../../../adapters/plane/plane-client.ts';
import { createTracker } from '../../../adapters/plane/tracker.ts';
import { createDatabase } from '../../../adapters/postgres/database.ts';
import type { Querier } from '../../../adapters/postgres/querier.ts';
import { createTasks } from '../../../adapters/postgres/tasks.ts';
import { createWorkItemLock } from '../../../adapters/postgres/work-item-lock.ts';

const [databaseUrl = '', url = '', apiKey = '', workspace = '', repo = '', workItem = ''] = process.argv.slice(2);

const database = createDatabase({
  url: databaseUrl,
  poolSize: 1,
  lockPoolSize: 1,
  statementTimeoutMs: 5_000,
  connectTimeoutMs: 5_000,
  applicationName: 'd2d stopping setter',
});
const reading = createPlaneClient({ url, apiKey, workspace });
// The connection of a read does not outlive a long stop, which would keep the write back, too: it opens one of its own.
const writing = createPlaneClient({ url, apiKey, workspace });
const lock = createWorkItemLock(database);
let hasStopped = false; // once: what it finds in doubt, it writes anew

const setters = createStatusSetters<Querier>({
  guard: { enabled: true, repos: [], selfHostingRepo: repo },
  async withWorkItemLock<T>(name: string, run: (held: Querier) => Promise<T>) {
    let came: Promise<T> | undefined;
    const locked = lock(name, (held) => (came = run(held)));
    await locked.catch(() => {}); // not even in the end
    return came ?? locked;
  },
  findTask: (name, held = database) => createTasks(held).find(name),
  findSpelled: async () => null,
  findByOtherName: async () => null,
  windowActive: async () => false,
  deployUnderWay: async () => false,
  latestRun: async () => null,
  tracker: createTracker({
    client: {
      ...reading,
      setState(...asked) {
        if (!hasStopped) process.kill(process.pid, 'SIGSTOP');
        hasStopped = true;
        return writing.setState(...asked);
      },
    },
    names: {
      awaiting_deploy: 'Awaiting Deploy',
      deploying: 'Deploying',
      monitoring: 'Monitoring after Deploy',
      done: 'Done',
    },
    projectOf: () => 'ORCH',
  }),
  log: { info: () => {} },
});

try {
  const { status, wrote } = await setters.setDeploying({ repo, workItem, caller: 'stopping setter' });
  console.log(wrote ? `wrote ${status}` : `wrote nothing, ${status} is shown`);
} catch (error) {
  console.log(String(error));
}
await Promise.all([reading.close(), writing.close(), database.close()]);
