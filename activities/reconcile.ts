import {
  applies,
  type DeployPhaseStatus,
  type LastDeploy,
  type RestingEvidence,
  type Scope,
  sweptStatus,
  terminalStage,
} from '../decisions/index.ts';
import type { InTurn } from './in-turn.ts';

/** A deploy or a window that does not go on: its workflow task keeps failing. */
export interface FailingRun {
  readonly workflowId: string;
  /** The message of the failure. */
  readonly why: string;
}

/** A work item by the tracker's own ids. */
export interface TrackedItem {
  readonly id: string;
  readonly project: string;
}

/** A work item that shows a deploy-phase status. */
export interface InDeployPhase {
  readonly item: TrackedItem;
  /** The names by which a task may know it. */
  readonly names: readonly string[];
  /** What the tracker calls its status. */
  readonly shown: string;
  readonly status: DeployPhaseStatus;
}

/** A status behind which no deploy and no window runs, and whose task does not say what should stand. */
export interface Orphan {
  readonly item: TrackedItem;
  readonly repo: string;
  readonly workItem: string;
  /** What the tracker shows. */
  readonly shown: string;
  /** Where the task stands. */
  readonly stage: string;
}

/** A deploy-phase status that should not stand. */
export interface Drift {
  readonly repo: string;
  readonly workItem: string;
  /** The tracker's own ids. */
  readonly item: TrackedItem;
  /** What the tracker shows. */
  readonly shown: string;
  /** What the authorities ask for. */
  readonly wanted: 'done' | 'monitoring' | 'degraded' | 'cancelled';
}

export interface ReadPage {
  readonly project: string;
  /** `null`: the first page. */
  readonly cursor: string | null;
  /** Epoch ms: what was changed before is not read; `null`: all of it is. */
  readonly since: number | null;
  /** Ids of work items that were in the deploy phase when they were read last. */
  readonly known: readonly string[];
}

export interface PageRead {
  /** Work items that were read. */
  readonly looked: number;
  readonly inDeployPhase: readonly InDeployPhase[];
  /** Of the known ones, those that are in it no more. */
  readonly left: readonly string[];
  /** For the next page; `null`: there is nothing more to read. */
  readonly next: string | null;
}

export interface ReconcileDeps {
  readonly guard: Scope;
  /** The tracker's projects of all repositories, each once. */
  readonly projects: readonly string[];
  readonly tracker: {
    /** Work items of a project, those that were changed last first, with the status where it is one of ours. */
    page(
      project: string,
      cursor: string | null,
    ): Promise<{
      readonly items: readonly {
        readonly item: TrackedItem;
        readonly names: readonly string[];
        readonly shown: string;
        readonly status: DeployPhaseStatus | 'done' | 'degraded' | null;
        readonly updatedAt: number;
      }[];
      readonly next: string | null;
    }>;
  };
  readonly tasks: {
    findNamed(names: readonly string[]): Promise<readonly (Task & { readonly asked: string })[]>;
  };
  readonly windowActive: (repo: string, workItem: string) => Promise<boolean>;
  readonly deployUnderWay: (repo: string, workItem: string) => Promise<boolean>;
  /** Whether a deploy or a window of the work item runs, in whatever phase. */
  readonly runs: (repo: string, workItem: string) => Promise<boolean>;
  readonly failingRuns: () => Promise<readonly FailingRun[]>;
  /** What Temporal has on record of the last deploy; absent where degraded work has no state of its own in the tracker. */
  readonly lastDeploy?: ((repo: string, workItem: string, dbStage: string | null) => Promise<LastDeploy>) | undefined;
  readonly inTurn: InTurn;
}

/** A faulty release of the worker may fail them all: these are enough for a person to see it. */
const MOST_FAILING = 200;

interface Task {
  readonly repo: string;
  readonly workItem: string;
  readonly stage: string;
}

/**
 * What a sweep reads (docs/status-protocol.md). It writes nothing: what has drifted is corrected by `healWorkItem`, which reads the evidence
 * anew. Each throws what the tracker, Postgres or Temporal throw.
 */
export function createReconcile(deps: ReconcileDeps) {
  const { guard, projects, tracker, tasks, windowActive, deployUnderWay, lastDeploy, inTurn } = deps;

  /** What a task asks its work item to show; `null`: nothing else than it shows. */
  async function wantedBy({ repo, workItem, stage }: Task, shown: DeployPhaseStatus): Promise<Drift['wanted'] | null> {
    if (!applies(guard, repo)) return null;
    const evidence = (active: boolean): RestingEvidence => ({ inForce: true, dbStage: stage, windowActive: active });
    // Only a done task has a window that could matter.
    const asked = sweptStatus(evidence(false));
    const active = asked === 'done' && (await windowActive(repo, workItem));
    const last =
      lastDeploy === undefined || active || asked === 'cancelled' ? undefined : await lastDeploy(repo, workItem, stage);
    const wanted = sweptStatus({ ...evidence(active), ...(last === undefined ? {} : { lastDeploy: last }) });
    if (wanted === null || wanted === shown) return null;
    return (await deployUnderWay(repo, workItem)) ? null : wanted;
  }

  return {
    /** The deploys and windows of this worker's task queue whose workflow task keeps failing, at most 200 of them. */
    findFailing: async (): Promise<readonly FailingRun[]> => (await deps.failingRuns()).slice(0, MOST_FAILING),

    async projectsToSweep(): Promise<readonly string[]> {
      return guard.enabled ? projects : [];
    },

    /** One page of a project. */
    async readPage({ project, cursor, since, known }: ReadPage): Promise<PageRead> {
      const { items, next } = await inTurn('sweep', () => tracker.page(project, cursor));
      const inDeployPhase: InDeployPhase[] = [];
      const left: string[] = [];
      for (const { item, names, shown, status } of items) {
        if (status !== null && status !== 'done' && status !== 'degraded')
          inDeployPhase.push({ item, names, shown, status });
        else if (known.includes(item.id)) left.push(item.id);
      }
      const oldest = items.at(-1)?.updatedAt ?? 0;
      const readAll = since !== null && oldest < since;
      return { looked: items.length, inDeployPhase, left, next: readAll ? null : next };
    },

    /** Which of these statuses should not stand, by the tasks and the windows as they are now. Asks the tracker nothing. */
    async findDrifts({ items }: { readonly items: readonly InDeployPhase[] }): Promise<readonly Drift[]> {
      const found = await tasks.findNamed(items.flatMap(({ names }) => names));
      const drifts: Drift[] = [];
      for (const { item, names, shown, status } of items) {
        const task = found.find(({ asked }) => names.includes(asked));
        const wanted = task === undefined ? null : await wantedBy(task, status);
        if (task !== undefined && wanted !== null)
          drifts.push({ repo: task.repo, workItem: task.workItem, item, shown, wanted });
      }
      return drifts;
    },

    /**
     * Which of these statuses no run takes further, as after the tasks were restored to an earlier moment. Work may wait in
     * `Awaiting Deploy` without a run. Asks the tracker nothing.
     */
    async findOrphans({ items }: { readonly items: readonly InDeployPhase[] }): Promise<readonly Orphan[]> {
      const found = await tasks.findNamed(items.flatMap(({ names }) => names));
      const orphans: Orphan[] = [];
      for (const { item, names, shown, status } of items) {
        const task = found.find(({ asked }) => names.includes(asked));
        if (task === undefined || status === 'awaiting_deploy' || terminalStage(task.stage) !== null) continue;
        const { repo, workItem } = task;
        if (!applies(guard, repo)) continue;
        if (!(await deps.runs(repo, workItem))) orphans.push({ item, repo, workItem, shown, stage: task.stage.trim() });
      }
      return orphans;
    },
  };
}

export type Reconcile = ReturnType<typeof createReconcile>;
