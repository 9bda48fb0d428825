import { ApplicationFailure } from '@temporalio/common';
import { applies, type DeployPhaseStatus, type GuardEvidence, type Scope, sweptStatus } from '../decisions/index.ts';

/** A work item by the tracker's own ids. */
export interface TrackedItem {
  readonly id: string;
  readonly project: string;
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
  readonly wanted: 'done' | 'monitoring' | 'cancelled';
}

export interface ReadPage {
  readonly project: string;
  /** `null`: the first page. */
  readonly cursor: string | null;
  /** Epoch ms: what was changed before is not read; `null`: all of it is. */
  readonly since: number | null;
}

export interface PageRead {
  /** Work items that were read. */
  readonly looked: number;
  readonly inDeployPhase: number;
  readonly drifts: readonly Drift[];
  /** For the next page; `null`: there is nothing more to read. */
  readonly next: string | null;
}

interface Task {
  readonly repo: string;
  readonly workItem: string;
  readonly stage: string;
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
        /** The ids by which a task may name it. */
        readonly names: readonly string[];
        readonly shown: string;
        readonly status: DeployPhaseStatus | 'done' | null;
        readonly updatedAt: number;
      }[];
      readonly next: string | null;
    }>;
    shown(
      repo: string,
      workItem: string,
    ): Promise<{ readonly name: string; readonly status: DeployPhaseStatus | 'done' | null }>;
    /** The tracker's own ids of a work item that was read already. */
    place(repo: string, workItem: string): Promise<TrackedItem>;
    /** Requests that are left this minute, whoever uses the key; `null`: nobody knows. */
    requestsLeft(): number | null;
  };
  readonly tasks: {
    findAll(workItems: readonly string[]): Promise<readonly Task[]>;
    finishedSince(since: Date, limit: number): Promise<readonly Task[]>;
  };
  readonly windowActive: (repo: string, workItem: string) => Promise<boolean>;
  /** Requests a minute that a sweep leaves to status writes. */
  readonly keepRequests: number;
}

/** The most tasks that have finished of late and are looked at one by one. */
const MOST_FINISHED = 50;

/** How long a sweep waits where it must leave the rest of the requests to writes, ms. */
const SPARE_MS = 15_000;

const IN_DEPLOY_PHASE: readonly (string | null)[] = ['awaiting_deploy', 'deploying', 'monitoring'];

/**
 * What a sweep reads (docs/status-protocol.md). It writes nothing: what has drifted is corrected by `healWorkItem`, which reads the evidence
 * anew. Each throws what the tracker, Postgres or Temporal throw, and where too few requests are left.
 */
export function createReconcile({ guard, projects, tracker, tasks, windowActive, keepRequests }: ReconcileDeps) {
  /** Reads are put off where writes may need what is left of Plane's rate limit. */
  function sparingly(): void {
    const left = tracker.requestsLeft();
    if (left === null || left > keepRequests) return;
    throw ApplicationFailure.create({
      type: 'PlaneBudget',
      message: `${left} requests are left of Plane's rate limit, which are kept for status writes (ORCH_SWEEP_KEEP_REQUESTS): the sweep waits`,
      nextRetryDelay: SPARE_MS,
    });
  }

  async function driftOf(
    { repo, workItem, stage }: Task,
    { shown, status, item }: { readonly shown: string; readonly status: string | null; readonly item: TrackedItem },
  ): Promise<Drift | null> {
    if (!applies(guard, repo) || !IN_DEPLOY_PHASE.includes(status)) return null;
    const evidence = (active: boolean): GuardEvidence => ({ inForce: true, dbStage: stage, windowActive: active });
    // Only a done task has a window that could matter.
    const asked = sweptStatus(evidence(false)) === 'done';
    const wanted = sweptStatus(evidence(asked && (await windowActive(repo, workItem))));
    return wanted === null || wanted === status ? null : { repo, workItem, item, shown, wanted };
  }

  return {
    async projectsToSweep(): Promise<readonly string[]> {
      return guard.enabled ? projects : [];
    },

    /** One page of a project, and what of it has drifted. */
    async readPage({ project, cursor, since }: ReadPage): Promise<PageRead> {
      sparingly();
      const { items, next } = await tracker.page(project, cursor);
      const inDeployPhase = items.filter(({ status }) => IN_DEPLOY_PHASE.includes(status));
      const found = inDeployPhase.length === 0 ? [] : await tasks.findAll(inDeployPhase.flatMap(({ names }) => names));
      const drifts: Drift[] = [];
      for (const item of inDeployPhase) {
        const task = found.find(({ workItem }) => item.names.includes(workItem));
        const drift = task === undefined ? null : await driftOf(task, item);
        if (drift !== null) drifts.push(drift);
      }
      const oldest = items.at(-1)?.updatedAt ?? 0;
      const readAll = since !== null && oldest < since;
      return { looked: items.length, inDeployPhase: inDeployPhase.length, drifts, next: readAll ? null : next };
    },

    /** The tasks that finished of late, each asked for: its status may have been written long before, and stand in no page. */
    async readFinished({ since }: { readonly since: number }): Promise<PageRead> {
      const finished = guard.enabled ? await tasks.finishedSince(new Date(since), MOST_FINISHED) : [];
      const drifts: Drift[] = [];
      let inDeployPhase = 0;
      let looked = 0;
      for (const task of finished) {
        if (!applies(guard, task.repo)) continue;
        sparingly();
        const { name, status } = await tracker.shown(task.repo, task.workItem);
        looked += 1;
        if (IN_DEPLOY_PHASE.includes(status)) inDeployPhase += 1;
        const item = await tracker.place(task.repo, task.workItem);
        const drift = await driftOf(task, { shown: name, status, item });
        if (drift !== null) drifts.push(drift);
      }
      return { looked, inDeployPhase, drifts, next: null };
    },
  };
}

export type Reconcile = ReturnType<typeof createReconcile>;
