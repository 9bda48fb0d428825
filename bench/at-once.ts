import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { type NativeConnection, Worker } from '@temporalio/worker';
import { composeActivities } from '../activities/compose.ts';
import { activityInterceptors } from '../activities/interceptor.ts';
import { createLogger } from '../adapters/logging.ts';
import { createPlaneClient } from '../adapters/plane/plane-client.ts';
import { createDatabase } from '../adapters/postgres/database.ts';
import { createTasks } from '../adapters/postgres/tasks.ts';
import type { WorkflowSource } from '../adapters/temporal/workflow-source.ts';
import { createD2dClient } from '../client/client.ts';
import { startSimulatedPlane } from '../demo/simulated-plane/simulated-plane.ts';
import { loadSettings } from '../settings.ts';

export interface AtOnceOptions {
  readonly starts: number;
  /** Migrated. */
  readonly databaseUrl: string;
  /** Of the worker's activities. */
  readonly temporal: Client;
  readonly connection: NativeConnection;
  readonly workflows: WorkflowSource;
  /** Whoever starts the deploys, and ends them. */
  readonly client: Client;
}

/** So often the simulated Plane is looked at, ms. */
const POLL_MS = 50;

/**
 * Starts so many deploys at once, each of a repository of its own, on one worker and a simulated Plane without a rate limit, and waits
 * until all show `Awaiting Deploy`.
 * @returns how long that took, ms.
 */
export async function startAtOnce(options: AtOnceOptions): Promise<number> {
  const { starts, databaseUrl, temporal, connection, workflows, client } = options;
  const plane = await startSimulatedPlane({ randomSeed: randomInt(2 ** 31) });
  plane.control.setRateLimit(null);
  const run = randomBytes(4).toString('hex');
  const repos = Array.from({ length: starts }, (_, n) => `shop-${run}-${n}`);
  const items = repos.map((repo) => ({
    repo,
    workItem: plane.control.addWorkItem({ project: 'ORCH', name: repo, state: 'In Progress' }).key,
  }));
  const settings = settingsOf(repos, databaseUrl, plane);
  const database = createDatabase({
    ...{ ...settings.database, tls: undefined, connectTimeoutMs: 5_000, applicationName: 'bench' },
  });
  const tasks = createTasks(database);
  for (const item of items) await tasks.insert({ ...item, stage: 'deploy' });
  const planeClient = createPlaneClient(settings.plane);
  const log = createLogger('silent', process.stdout);
  const taskQueue = `starts-${run}`;
  const worker = await Worker.create({
    ...{ connection, taskQueue, ...workflows, stickyQueueScheduleToStartTimeout: '1s' },
    activities: composeActivities(settings, { database, plane: planeClient, temporal, environment: {}, log }),
    interceptors: { activity: [activityInterceptors] },
  });
  try {
    return await worker.runUntil(async () => {
      const d2d = createD2dClient({ temporal: client, taskQueue });
      const since = performance.now();
      const runs = await Promise.all(items.map((item) => d2d.start({ ...item, approval: 'required' })));
      const isShown = ({ workItem }: { readonly workItem: string }): boolean =>
        plane.control.workItem(workItem).state === 'Awaiting Deploy';
      while (!items.every(isShown)) await delay(POLL_MS);
      const took = performance.now() - since;
      await Promise.all(runs.map(({ workflowId, runId }) => client.workflow.getHandle(workflowId, runId).terminate()));
      return took;
    });
  } finally {
    await planeClient.close();
    await plane.close();
    await database.close();
  }
}

function settingsOf(
  repos: readonly string[],
  databaseUrl: string,
  plane: { readonly url: string; readonly apiKey: string; readonly workspace: string },
) {
  const described = { deploy: { driver: 'external' } };
  const file = JSON.stringify({ repositories: Object.fromEntries(repos.map((repo) => [repo, described])) });
  return loadSettings(
    {
      DATABASE_URL: databaseUrl,
      ORCH_PLANE_URL: plane.url,
      ORCH_PLANE_API_KEY: plane.apiKey,
      ORCH_PLANE_WORKSPACE: plane.workspace,
      ORCH_PLANE_PROJECT: 'ORCH',
      ORCH_SELF_HOSTING_REPO: 'orchestrator',
      ORCH_REPOSITORIES_FILE: 'repositories.json',
      ORCH_DEPLOY_STATUS_GUARD_REPOS: repos.join(','),
      ORCH_POST_DEPLOY_ENABLED: 'false',
    },
    () => file,
  );
}
