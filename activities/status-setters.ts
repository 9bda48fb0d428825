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
  /** Whether a state is there still, by the tracker's id of it. */
  hasState(repo: string, workItem: string, id: string): Promise<boolean>;
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
  /**
   * Runs a function while no other setter of any worker is between its evidence and its write (invariant 4); `lost` is
   * aborted, with the reason, where that ceases to be so.
   */
  readonly withWorkItemLock: <T>(workItem: string, run: (held: Held, lost?: AbortSignal) => Promise<T>) => Promise<T>;
  /** Reads a task; under the lock on the lock's own connection, in a statement of its own. */
  readonly findTask: (workItem: string, held?: Held) => Promise<TaskRow | null>;
  readonly windowActive: (repo: string, workItem: string) => Promise<boolean>;
  readonly tracker: Tracker;
  readonly log: { info(fields: object, message: string): void };
  /** Milliseconds that only ever grow. Default: `performance.now`. */
  readonly now?: () => number;
}

/** Not in force is exactly the unguarded behaviour: no lock, no evidence, one write. */
const OFF: GuardEvidence = { inForce: false, dbStage: null, windowActive: false };

/**
 * How old evidence may be when the write that rests on it begins, ms: as long as the lock may be held. A worker that was
 * stopped in between (SIGSTOP, a frozen machine) goes on with its next step before it hears that its lock is gone, and the
 * settle time outlives only writes that began while it was held (invariant 5).
 */
const MAX_EVIDENCE_AGE_MS = 20_000;

type Target = DeployPhaseStatus | 'done' | 'before';

/** Writes a status of the work item, if it still may. */
type Write = (status: TrackerStatus | { readonly id: string }) => Promise<void>;

/**
 * The status setters, each gated by the guard at the moment it writes (FR-2, D5; invariants 2 to 4).
 *
 * Each throws what the lock, Postgres, Temporal or the tracker throw: without evidence nothing is stamped (invariant 3).
 */
export function createStatusSetters<Held>(deps: StatusSetterDeps<Held>) {
  const { guard, withWorkItemLock, findTask, windowActive, tracker, log, now = () => performance.now() } = deps;

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
    act: (evidence: GuardEvidence, repo: string, write: Write) => Promise<T>,
  ): Promise<T> {
    const { workItem } = request;
    const unguarded = (repo: string) => act(OFF, repo, (status) => tracker.write(repo, workItem, status));
    if (!guard.enabled) return unguarded(request.repo);
    if (!applies(guard, request.repo)) {
      const repo = (await findTask(workItem))?.repo ?? request.repo;
      if (!applies(guard, repo)) return unguarded(repo);
    }
    const guarded = await withWorkItemLock(workItem, async (held, lost) => {
      const since = now();
      const task = await findTask(workItem, held);
      const repo = task?.repo ?? request.repo;
      if (!applies(guard, repo)) return { outOfScope: repo };
      const active = await windowActive(repo, workItem);
      const evidence = { inForce: true, dbStage: task?.stage ?? null, windowActive: active };
      const write: Write = async (status) => {
        lost?.throwIfAborted();
        assertFresh(workItem, now() - since);
        await tracker.write(repo, workItem, status);
      };
      return { result: await act(evidence, repo, write) };
    });
    return 'result' in guarded ? guarded.result : unguarded(guarded.outOfScope);
  }

  /** Writes a status unless it stands there already: a write of the same would move `updated_at` for nothing. */
  async function writeIfNew(repo: string, workItem: string, status: TrackerStatus, write: Write): Promise<boolean> {
    const shown = await tracker.shown(repo, workItem);
    if (shown.id === (await tracker.stateId(repo, workItem, status))) return false;
    await write(status);
    return true;
  }

  const setter =
    (target: DeployPhaseStatus) =>
    (request: SetStatus): Promise<SetStatusResult> =>
      withEvidence(request, async (evidence, repo, write) => {
        const verdict = verdictOn(target, request, evidence);
        const status = statusToWrite(verdict, target, evidence);
        if (status === null) return { verdict, status, wrote: false };
        if (evidence.inForce)
          return { verdict, status, wrote: await writeIfNew(repo, request.workItem, status, write) };
        await write(status);
        return { verdict, status, wrote: true };
      });

  return {
    setAwaitingDeploy: setter('awaiting_deploy'),
    setDeploying: setter('deploying'),
    setMonitoring: setter('monitoring'),

    /** The terminal sync: a done task whose window is over shows `Done`, one whose window is active `monitoring`. */
    convergeDone: (request: SetStatus): Promise<SetStatusResult> =>
      withEvidence(request, async (evidence, repo, write) => {
        const verdict = verdictOn('done', request, evidence);
        if (!evidence.inForce) {
          await write('done');
          return { verdict, status: 'done', wrote: true };
        }
        const status = restingStatus(evidence);
        if (status === null) return { verdict, status, wrote: false };
        return { verdict, status, wrote: await writeIfNew(repo, request.workItem, status, write) };
      }),

    /**
     * Reads a status back and converges it again where a deploy-phase status stands that should not (invariant 5). Where a
     * person has moved the item elsewhere, it stays there.
     */
    settleStatus: (request: SetStatus): Promise<'holds' | 'rewritten'> =>
      withEvidence(request, async (evidence, repo, write) => {
        const status = restingStatus(evidence);
        if (status === null) return 'holds';
        const shown = await tracker.shown(repo, request.workItem);
        if (shown.status === null || shown.status === status || shown.status === 'done') return 'holds';
        verdictOn(status, request, evidence);
        await write(status);
        return 'rewritten';
      }),

    /** Puts back the status from before a run that did not reach `done`; `Awaiting Deploy` where that was a deploy-phase one, or is gone. */
    restoreStatus: (request: SetStatus & { readonly before: ShownStatus | null }): Promise<SetStatusResult> =>
      withEvidence(request, async (evidence, repo, write) => {
        const { workItem, before } = request;
        const verdict = verdictOn('before', request, evidence);
        // An item that was shown without any state has nothing that could be put back.
        const own = before !== null && before.id !== '' && (before.status === null || before.status === 'done');
        if (!evidence.inForce) {
          await write(own ? before : 'awaiting_deploy');
          return { verdict, status: own ? before.name : 'awaiting_deploy', wrote: true };
        }
        const status = statusToWrite(verdict, 'awaiting_deploy', evidence);
        if (status === null) return { verdict, status, wrote: false };
        if (status !== 'awaiting_deploy')
          return { verdict, status, wrote: await writeIfNew(repo, workItem, status, write) };
        const shown = await tracker.shown(repo, workItem);
        if (shown.status === null || shown.status === 'done') return { verdict, status: null, wrote: false };
        if (own && (await tracker.hasState(repo, workItem, before.id))) {
          await write(before);
          return { verdict, status: before.name, wrote: true };
        }
        if (shown.status !== status) await write(status);
        return { verdict, status, wrote: shown.status !== status };
      }),

    /** What the tracker shows now; reads no evidence and writes nothing. */
    readStatus: ({ repo, workItem }: { readonly repo: string; readonly workItem: string }): Promise<ShownStatus> =>
      tracker.shown(repo, workItem),
  };
}

function assertFresh(workItem: string, ageMs: number): void {
  if (ageMs <= MAX_EVIDENCE_AGE_MS) return;
  throw new Error(
    `The evidence about ${workItem} is ${Math.round(ageMs / 1_000)} s old, more than the ${MAX_EVIDENCE_AGE_MS / 1_000} s within which its status may be written; it is read anew by the next try`,
  );
}

export type StatusSetters = ReturnType<typeof createStatusSetters>;
