import { createDatabase } from '../../adapters/postgres/database.ts';
import { migrate } from '../../adapters/postgres/migrate.ts';
import { createTasks } from '../../adapters/postgres/tasks.ts';
import { REPO } from './repositories-file.ts';

/** The tasks in the database of a demo. */
export interface DemoTasks {
  /** A task that stands where a deploy begins. */
  create(workItem: string): Promise<void>;
  stage(workItem: string): Promise<string | null>;
  close(): Promise<void>;
}

/** @throws what the migration throws. */
export async function openTasks(url: string): Promise<DemoTasks> {
  await migrate({ url });
  const database = createDatabase({
    url,
    poolSize: 2,
    lockPoolSize: 1,
    statementTimeoutMs: 5_000,
    connectTimeoutMs: 5_000,
    applicationName: 'd2d demo',
  });
  const tasks = createTasks(database);
  return {
    async create(workItem) {
      await tasks.insert({ repo: REPO, workItem, stage: 'deploy' });
    },
    stage: (workItem) => tasks.stageOf(workItem),
    close: () => database.close(),
  };
}
