import {
  applies,
  type DeployPhaseStatus,
  decide,
  type GuardEvidence,
  type GuardVerdict,
  restingStatus,
  type Scope,
  statusToWrite,
} from '../decisions/index.ts';

export type TrackerStatus = DeployPhaseStatus | 'done';

/** A work item's place in the tracker, as it was read. */
export interface ShownStatus {
  /** The tracker's id of the state. */
  readonly id: string;
  readonly name: string;
  /** Which of the orchestrator's statuses it is; `null`: one of the project's own. */
  readonly status: TrackerStatus | null;
}

/** The tracker, by the work item's id in `tasks`. Whatever fails is thrown. */
export interface Tracker {
  /** Reads what the tracker shows now: one request once the project's states are known. */
  shown(repo: string, workItem: string): Promise<ShownStatus>;
  /** Writes a status: one unconditional PATCH. */
  write(repo: string, workItem: string, status: TrackerStatus | { readonly id: string }): Promise<void>;
  /** The tracker's id of the state that stands for a status. */
  stateId(repo: string, workItem: string, status: TrackerStatus): Promise<string>;
}

export interface SetStatus {
  readonly repo: string;
  readonly workItem: string;
  /** Who asks, for the log. */
  readonly caller: string;
  readonly reason?: string;
}

export interface SetStatusResult {
  readonly verdict: GuardVerdict;
  /** What the tracker shows by this call; `null`: nothing was written and nothing had to be. */
  readonly status: string | null;
  /** `false` where the status stood there already, or the verdict forbade the write. */
  readonly wrote: boolean;
}

interface TaskRow {
  readonly repo: string;
  readonly stage: string;
}

export interface StatusSetterDeps<Held> {
  readonly guard: Scope;
  /** Runs a function while no other setter of any worker is between its evidence and its write (invariant 4). */
  readonly withWorkItemLock: <T>(workItem: string, run: (held: Held) => Promise<T>) => Promise<T>;
  /** Reads a task; under the lock on the lock's own connection, in a statement of its own. */
  readonly findTask: (workItem: string, held?: Held) => Promise<TaskRow | null>;
  readonly windowActive: (repo: string, workItem: string) => Promise<boolean>;
  readonly tracker: Tracker;
  readonly log: { info(fields: object, message: string): void };
}

/** Not in force is exactly the unguarded behaviour: no lock, no evidence, one write. */
const OFF: GuardEvidence = { inForce: false, dbStage: null, windowActive: false };

type Target = DeployPhaseStatus | 'done' | 'before';

/**
 * The status setters, each gated by the guard at the moment it writes (FR-2, D5; invariants 2 to 4).
 *
 * Each throws what the lock, Postgres, Temporal or the tracker throw: without evidence nothing is stamped (invariant 3).
 */
export function createStatusSetters<Held>(deps: StatusSetterDeps<Held>) {
  const { guard, withWorkItemLock, findTask, windowActive, tracker, log } = deps;

  function verdictOn(target: Target, request: SetStatus, evidence: GuardEvidence): GuardVerdict {
    const verdict = decide(evidence);
    log.info(
      {
        work_item: request.workItem,
        caller: request.caller,
        target,
        db_stage: evidence.dbStage,
        window_active: evidence.windowActive,
        verdict,
        ...(request.reason === undefined ? {} : { reason: request.reason }),
      },
      'deploy status guard',
    );
    return verdict;
  }

  /** Runs `act` with fresh evidence under the lock; where the guard is not in force, without either. */
  async function withEvidence<T>(
    request: SetStatus,
    act: (evidence: GuardEvidence, repo: string) => Promise<T>,
  ): Promise<T> {
    const { workItem } = request;
    if (!guard.enabled) return act(OFF, request.repo);
    if (!applies(guard, request.repo)) {
      const repo = (await findTask(workItem))?.repo ?? request.repo;
      if (!applies(guard, repo)) return act(OFF, repo);
    }
    return withWorkItemLock(workItem, async (held) => {
      const task = await findTask(workItem, held);
      const repo = task?.repo ?? request.repo;
      if (!applies(guard, repo)) return act(OFF, repo);
      const active = await windowActive(repo, workItem);
      return act({ inForce: true, dbStage: task?.stage ?? null, windowActive: active }, repo);
    });
  }

  /** Writes a status unless it stands there already: a write of the same would move `updated_at` for nothing. */
  async function writeIfNew(repo: string, workItem: string, status: TrackerStatus): Promise<boolean> {
    const shown = await tracker.shown(repo, workItem);
    if (shown.id === (await tracker.stateId(repo, workItem, status))) return false;
    await tracker.write(repo, workItem, status);
    return true;
  }

  const setter =
    (target: DeployPhaseStatus) =>
    (request: SetStatus): Promise<SetStatusResult> =>
      withEvidence(request, async (evidence, repo) => {
        const verdict = verdictOn(target, request, evidence);
        const status = statusToWrite(verdict, target, evidence);
        if (status === null) return { verdict, status, wrote: false };
        if (evidence.inForce) return { verdict, status, wrote: await writeIfNew(repo, request.workItem, status) };
        await tracker.write(repo, request.workItem, status);
        return { verdict, status, wrote: true };
      });

  return {
    setAwaitingDeploy: setter('awaiting_deploy'),
    setDeploying: setter('deploying'),
    setMonitoring: setter('monitoring'),

    /** The terminal sync: a done task whose window is over shows `Done`, one whose window is active `monitoring`. */
    convergeDone: (request: SetStatus): Promise<SetStatusResult> =>
      withEvidence(request, async (evidence, repo) => {
        const verdict = verdictOn('done', request, evidence);
        if (!evidence.inForce) {
          await tracker.write(repo, request.workItem, 'done');
          return { verdict, status: 'done', wrote: true };
        }
        const status = restingStatus(evidence);
        if (status === null) return { verdict, status, wrote: false };
        return { verdict, status, wrote: await writeIfNew(repo, request.workItem, status) };
      }),

    /**
     * Reads a status back and converges it again where a deploy-phase status stands that should not (invariant 5). Where a
     * person has moved the item elsewhere, it stays there.
     */
    settleStatus: (request: SetStatus): Promise<'holds' | 'rewritten'> =>
      withEvidence(request, async (evidence, repo) => {
        const status = restingStatus(evidence);
        if (status === null) return 'holds';
        const shown = await tracker.shown(repo, request.workItem);
        if (shown.status === null || shown.status === status || shown.status === 'done') return 'holds';
        verdictOn(status, request, evidence);
        await tracker.write(repo, request.workItem, status);
        return 'rewritten';
      }),

    /** Puts back the status from before a run that did not reach `done`; `Awaiting Deploy` where that was a deploy-phase one. */
    restoreStatus: (request: SetStatus & { readonly before: ShownStatus | null }): Promise<SetStatusResult> =>
      withEvidence(request, async (evidence, repo) => {
        const { workItem, before } = request;
        const verdict = verdictOn('before', request, evidence);
        const own = before !== null && (before.status === null || before.status === 'done');
        if (!evidence.inForce) {
          await tracker.write(repo, workItem, own ? before : 'awaiting_deploy');
          return { verdict, status: own ? before.name : 'awaiting_deploy', wrote: true };
        }
        const status = statusToWrite(verdict, 'awaiting_deploy', evidence);
        if (status === null) return { verdict, status, wrote: false };
        if (status !== 'awaiting_deploy') return { verdict, status, wrote: await writeIfNew(repo, workItem, status) };
        const shown = await tracker.shown(repo, workItem);
        if (shown.status === null || shown.status === 'done') return { verdict, status: null, wrote: false };
        if (!own) return { verdict, status, wrote: await writeIfNew(repo, workItem, status) };
        await tracker.write(repo, workItem, before);
        return { verdict, status: before.name, wrote: true };
      }),

    /** What the tracker shows now; reads no evidence and writes nothing. */
    readStatus: ({ repo, workItem }: { readonly repo: string; readonly workItem: string }): Promise<ShownStatus> =>
      tracker.shown(repo, workItem),
  };
}

export type StatusSetters = ReturnType<typeof createStatusSetters>;
