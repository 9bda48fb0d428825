import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { createAlertSink } from '../adapters/alerts/webhook-sink.ts';
import { createDriverFor } from '../adapters/deploy/drivers.ts';
import { createHttpProbe } from '../adapters/http-probe/http-probe.ts';
import { commentHtml } from '../adapters/plane/comment-html.ts';
import type { PlaneClient } from '../adapters/plane/plane-client.ts';
import { createTracker } from '../adapters/plane/tracker.ts';
import type { Database } from '../adapters/postgres/database.ts';
import type { Querier } from '../adapters/postgres/querier.ts';
import { createTasks } from '../adapters/postgres/tasks.ts';
import { createWorkItemLock } from '../adapters/postgres/work-item-lock.ts';
import { createEarlierOutcome } from '../adapters/temporal/earlier-runs.ts';
import { createLastDeployed } from '../adapters/temporal/last-deployed.ts';
import { createPreviousVersion } from '../adapters/temporal/previous-version.ts';
import { createWindowEvidence } from '../adapters/temporal/window-evidence.ts';
import { failingRuns } from '../adapters/temporal/workflow-tasks.ts';
import { normaliseRepo } from '../decisions/index.ts';
import { planeProjects, type Repository, type Settings } from '../settings.ts';
import { createAlerts } from './alerts.ts';
import { createDeploy } from './deploy.ts';
import { createHealWorkItem } from './heal-work-item.ts';
import { createHealthCheck } from './health-check.ts';
import { createInTurn } from './in-turn.ts';
import { onceInAllRuns } from './once-in-all-runs.ts';
import { createPlanActivity } from './plan-deploy.ts';
import { createPostDeployLog } from './post-deploy-log.ts';
import { createProbes } from './probes.ts';
import { createReconcile } from './reconcile.ts';
import { createRollback } from './rollback.ts';
import { createStatusSetters } from './status-setters.ts';
import { createTaskActivities } from './tasks.ts';
import { workerClock } from './worker-clock.ts';

export interface Connections {
  readonly database: Database;
  readonly plane: PlaneClient;
  readonly temporal: Client;
  /** The worker's own environment, of which a deploy command gets the harmless part. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
}

/** Every activity of the worker, over its settings and connections. */
export function composeActivities(settings: Settings, { database, plane, temporal, environment, log }: Connections) {
  const repository = (name: string): Repository | undefined => settings.repositories.get(normaliseRepo(name));
  /** A repository as the settings spell it, which is how the ids of its workflows are made. */
  const spelled = (repo: string): string => repository(repo)?.name ?? repo.trim();
  const { awaitingDeploy, deploying, monitoring, done, degraded } = settings.plane.states;

  const tasks = createTasks(database);
  const evidence = createWindowEvidence(temporal);
  const windowActive = (repo: string, workItem: string) => evidence.windowActive(spelled(repo), workItem);
  const deployUnderWay = (repo: string, workItem: string) => evidence.deployUnderWay(spelled(repo), workItem);
  const lastDeploy =
    degraded === null
      ? undefined
      : (repo: string, workItem: string, dbStage: string | null) =>
          evidence.lastDeploy(spelled(repo), workItem, dbStage);
  const tracker = createTracker({
    client: plane,
    names: { awaiting_deploy: awaitingDeploy, deploying, monitoring, done, degraded: degraded ?? undefined },
    projectOf: (repo) => repository(repo)?.planeProject ?? settings.plane.project,
  });
  const inTurn = createInTurn(plane.within);
  const driverFor = onceInAllRuns(
    createDriverFor({ environment, secrets: settings.secrets }),
    createEarlierOutcome(temporal),
  );
  const http = createHttpProbe({ secrets: settings.secrets });

  const setters = createStatusSetters<Querier>({
    guard: settings.guard,
    withWorkItemLock: createWorkItemLock(database),
    findTask: (workItem, held) => (held === undefined ? tasks : createTasks(held)).find(workItem),
    findSpelled: async (workItem) => (await tasks.findNamed([workItem]))[0] ?? null,
    findByOtherName: async (repo, workItem) =>
      (await tasks.findNamed(await tracker.namesOf(repo, workItem)))[0] ?? null,
    windowActive,
    deployUnderWay,
    latestRun: (repo, workItem) => evidence.latestRun(spelled(repo), workItem),
    lastDeploy,
    tracker,
    log,
  });

  const ofRuns =
    <Request, T>(set: (request: Request) => Promise<T>) =>
    (request: Request): Promise<T> =>
      inTurn('run', () => set(request));

  return {
    ...createPlanActivity({
      repository,
      repositoryNames: () => [...settings.repositories.values()].map(({ name }) => name),
      guard: settings.guard,
      postDeploy: settings.postDeploy,
      settleMs: settings.settleMs,
      outageMs: settings.worker.outageMs,
      degradedState: degraded,
    }),
    ...createTaskActivities({
      tasks,
      namesOf: (repo, workItem) => inTurn('run', () => tracker.namesIfShown(repo, workItem)),
      runningOn: (repo) => evidence.runningWindows(spelled(repo)),
      windowActive,
      lastDeployed: createLastDeployed(temporal),
    }),
    ...setters,
    setAwaitingDeploy: ofRuns(setters.setAwaitingDeploy),
    setDeploying: ofRuns(setters.setDeploying),
    setMonitoring: ofRuns(setters.setMonitoring),
    convergeDone: ofRuns(setters.convergeDone),
    settleStatus: ofRuns(setters.settleStatus),
    restoreStatus: ofRuns(setters.restoreStatus),
    readStatus: ofRuns(setters.readStatus),
    ...createHealWorkItem({ tracker, tasks, healStatus: setters.healStatus, inTurn }),
    ...createReconcile({
      guard: settings.guard,
      projects: planeProjects(settings),
      tracker,
      tasks,
      windowActive,
      deployUnderWay,
      runs: (repo, workItem) => evidence.runs(spelled(repo), workItem),
      failingRuns: () => failingRuns(temporal, settings.worker.taskQueue),
      lastDeploy,
      inTurn,
    }),
    ...createDeploy({ repository, driverFor, log }),
    ...createHealthCheck({ repository, http }),
    ...createProbes({ repository, http, stageOf: tasks.stageOf, log }),
    ...createRollback({
      repository,
      driverFor,
      previousVersion: createPreviousVersion(temporal),
      selfHostingRepo: settings.selfHostingRepo,
      log,
    }),
    ...createAlerts({
      comment: ({ repo, workItem, key, paragraphs }) =>
        inTurn('run', () => tracker.comment(repo, workItem, commentHtml(paragraphs), `${workItem}:${key}`)),
      sink: settings.alertWebhookUrl === null ? null : createAlertSink(settings.alertWebhookUrl),
      log,
    }),
    ...createPostDeployLog({ artefactsDir: settings.artefactsDir }),
    ...workerClock,
  };
}
