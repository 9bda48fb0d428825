import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Healed } from '../../activities/heal-work-item.ts';
import type { Drift, InDeployPhase, Orphan, PageRead } from '../../activities/reconcile.ts';
import type { EvidenceDeps, TrackerStatus } from '../../activities/status-evidence.ts';
import { createStatusSetters } from '../../activities/status-setters.ts';
import { createTaskActivities, type RunningOnRepository } from '../../activities/tasks.ts';
import type { WindowReport } from '../../activities/window-report.ts';
import type { WorkerTime } from '../../activities/worker-clock.ts';
import { type Item, shownAs } from './item.ts';

interface World {
  readonly items: ReadonlyMap<string, Item>;
  readonly windowActive: (repo: string, workItem: string) => Promise<boolean>;
  readonly latestRun: EvidenceDeps<null>['latestRun'];
  readonly runningOn?: (repo: string) => Promise<readonly RunningOnRepository[]>;
  /** Takes each line that the guard logs. */
  readonly log?: (fields: object) => void;
  readonly guardEnabled?: boolean;
  /** Where degraded work has a state of its own: what the last deploy came to. */
  readonly lastDeploy?: EvidenceDeps<null>['lastDeploy'];
  /** The clock of the server, epoch ms. */
  readonly now?: () => Promise<number>;
}

type ByItem = { readonly workItem: string };
type LookedFor = { readonly version?: string | null; readonly rolledBack?: true };

/**
 * The same for all attempts of a local activity. Temporal repeats one when its workflow task is lost, for example when the process
 * was suspended.
 */
function localActivityId(): string {
  const { workflowExecution, activityId } = Context.current().info;
  return `${workflowExecution?.runId}/${activityId}`;
}

/** Heartbeats while it runs, like the real activity, so that one held by a test is not taken for lost. */
async function withHeartbeats<T>(run: () => Promise<T>): Promise<T> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), 1_000);
  try {
    return await run();
  } finally {
    clearInterval(timer);
  }
}

/** When something happened, by the clock of an item's probes. That it is behind it says nowhere. */
function clockOf({ probeClock }: Item, now: number, askedAt: number): WorkerTime {
  const at = probeClock(now, askedAt);
  return at - askedAt > 1_000 ? { at, aheadMs: at - askedAt } : { at };
}

/**
 * The activities over items in memory: the real setters and tasks with evidence from Temporal itself, and a tracker, a
 * production and a deployer that do as the item says.
 */
export function activitiesOver({
  items,
  windowActive,
  latestRun,
  runningOn = async () => [],
  log = () => {},
  guardEnabled = true,
  lastDeploy,
  now = async () => Date.now(),
}: World) {
  const at = (workItem: string): Item => {
    const found = items.get(workItem);
    if (found === undefined) throw ApplicationFailure.nonRetryable(`the test has no item ${workItem}`);
    return found;
  };
  const locks = new Map<string, Promise<unknown>>();
  /** Index of each probe of an item, by local activity id. */
  const probeIndex = new Map<string, number>();
  const written = new Set<string>();

  const setters = createStatusSetters<null>({
    guard: {
      enabled: guardEnabled,
      get repos() {
        return [...items.values()].map(({ plan }) => plan.repo);
      },
      selfHostingRepo: 'orchestrator',
    },
    async withWorkItemLock(workItem, run) {
      const before = locks.get(workItem);
      const mine = (async () => {
        await before?.catch(() => {});
        return run(null);
      })();
      locks.set(workItem, mine);
      return mine;
    },
    async findTask(workItem) {
      const { task } = at(workItem);
      return task === null ? null : { ...task, workItem };
    },
    findSpelled: async () => null,
    findByOtherName: async () => null,
    windowActive,
    deployUnderWay: async () => false,
    latestRun,
    // As the settings of a worker: the state that the plan names is there, or nobody asks.
    lastDeploy: async (repo, workItem, dbStage) =>
      at(workItem).plan.degradedState === undefined
        ? 'over'
        : ((await lastDeploy?.(repo, workItem, dbStage)) ?? 'over'),
    tracker: {
      async shown(_repo, workItem) {
        await at(workItem).tracker('read');
        return at(workItem).shown;
      },
      async write(_repo, workItem, status) {
        const written = at(workItem);
        await written.tracker('write');
        const own = typeof status === 'string';
        written.writes.push({ status: own ? status : 'before', stage: written.task?.stage ?? null });
        if (status === 'cancelled') written.shown = { id: 'id-cancelled', name: 'Cancelled', status: null };
        else written.shown = own ? shownAs(status) : { id: status.id, name: 'before', status: null };
      },
      hasState: async () => true,
      stateId: async (_repo, _workItem, status: TrackerStatus) => shownAs(status).id,
    },
    log: { info: log },
  });

  const tasks = createTaskActivities({
    tasks: {
      async find(workItem) {
        await at(workItem).database('read');
        const { task } = at(workItem);
        return task === null ? null : { ...task, workItem };
      },
      async compareAndSetStage(workItem, from, to) {
        await at(workItem).database('set');
        const { task } = at(workItem);
        if (task === null || task.stage !== from) return false;
        task.stage = to;
        return true;
      },
      findNamed: async (workItems) =>
        workItems.flatMap((workItem) => {
          const task = items.get(workItem)?.task ?? null;
          return task === null ? [] : [{ ...task, workItem }];
        }),
      async insert({ repo, workItem, stage }) {
        if (at(workItem).task !== null) return false;
        at(workItem).task = { repo, stage };
        return true;
      },
    },
    namesOf: async (_repo, workItem) => [workItem],
    async runningOn(repo) {
      for (const item of items.values()) if (item.plan.repo === repo) await item.runs();
      return runningOn(repo);
    },
    windowActive,
    lastDeployed: async (_repo, workItem) => at(workItem).lastDeployed,
  });

  return {
    ...setters,
    ...tasks,
    completeTask: (task: Parameters<typeof tasks.completeTask>[0]) => withHeartbeats(() => tasks.completeTask(task)),
    tellTime: async (temporalMs: number): Promise<WorkerTime> => ({ at: Math.max(await now(), temporalMs) }),
    /** A project for each item that is to be swept: its own id. */
    projectsToSweep: async () => [...items.values()].filter(({ swept }) => swept).map(({ workItem }) => workItem),
    async readPage({ project }: { readonly project: string }): Promise<PageRead> {
      const { workItem, shown } = at(project);
      const item = { id: workItem, project };
      const inDeployPhase = [{ item, names: [workItem], shown: shown.name, status: 'deploying' as const }];
      return { looked: 1, inDeployPhase, left: [], next: null };
    },
    findFailing: async () => [],
    findOrphans: async (): Promise<Orphan[]> => [],
    findDrifts: async ({ items: found }: { readonly items: readonly InDeployPhase[] }): Promise<Drift[]> =>
      found.map(({ item, shown }) => ({
        ...{ repo: at(item.id).plan.repo, workItem: item.id, item, shown },
        wanted: 'done',
      })),
    async healWorkItem({ id, reason }: { readonly id: string; readonly reason: string }): Promise<Healed> {
      const { repo } = at(id).plan;
      return {
        repo,
        ...(await setters.healStatus({ repo, workItem: id, caller: 'healWorkItem', reason })),
      };
    },
    async planDeploy({ repo }: { readonly repo: string }) {
      const found = [...items.values()].find(({ plan }) => plan.repo === repo);
      if (found === undefined)
        throw ApplicationFailure.nonRetryable(`repository "${repo}" is not described`, 'UnknownRepository');
      return found.plan;
    },
    async deploy({ workItem }: ByItem) {
      at(workItem).count.deploys += 1;
      return withHeartbeats(at(workItem).deploy);
    },
    checkHealth: async ({ repo, version, rolledBack }: LookedFor & { readonly repo: string }) => {
      const found = [...items.values()].find(({ plan }) => plan.repo === repo);
      if (rolledBack === true) found?.lookedFor.push({ version: version ?? null, rolledBack });
      return found === undefined ? { ok: true, detail: '' } : found.checkHealth();
    },
    async rollback({ workItem }: ByItem) {
      at(workItem).count.rollbacks += 1;
      const { currentAttemptScheduledTimestampMs: askedAt } = Context.current().info;
      const begunAt = performance.now();
      const end = await withHeartbeats(at(workItem).rollback);
      return { ...end, ...clockOf(at(workItem), await now(), askedAt + performance.now() - begunAt) };
    },
    async observe({ workItem, version, rolledBack, now: askedAt = 0 }: ByItem & LookedFor & { readonly now?: number }) {
      const seen = at(workItem);
      if (rolledBack === true) seen.lookedFor.push({ version: version ?? null, rolledBack });
      const id = localActivityId();
      const n = probeIndex.get(id) ?? seen.count.looks;
      probeIndex.set(id, n);
      seen.count.looks = Math.max(seen.count.looks, n + 1);
      const ranAt = await now();
      seen.probedAt[n] ??= ranAt;
      await seen.onLook(n);
      const look = seen.looks[Math.min(n, seen.looks.length - 1)];
      return { ...clockOf(seen, ranAt, askedAt), ...look, stage: seen.task?.stage ?? null };
    },
    async commentOnWorkItem({ workItem, key, paragraphs }: ByItem & { key: string; paragraphs: string[] }) {
      await at(workItem).commenting();
      if (at(workItem).comments.every((comment) => comment.key !== key))
        at(workItem).comments.push({ key, paragraphs });
    },
    async sendAlert({ workItem, key, title, text }: ByItem & { key: string; title: string; text: string }) {
      await at(workItem).sink();
      at(workItem).alerts.push({ key, title, text });
    },
    async writePostDeployLog(report: WindowReport) {
      await at(report.workItem).onLog();
      const id = localActivityId();
      if (!written.has(id)) at(report.workItem).reports.push(report);
      written.add(id);
      return { path: `${report.workItem}.md` };
    },
  };
}
