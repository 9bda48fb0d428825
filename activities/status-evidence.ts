import { messageOf } from '../adapters/error-message.ts';
import {
  applies,
  type DeployPhaseStatus,
  type DeployRecord,
  decide,
  type GuardVerdict,
  type LastDeploy,
  type RestingEvidence,
  type Scope,
  terminalStage,
} from '../decisions/index.ts';
import { type SentWrite, sentWrites } from './sent-writes.ts';
import { type Stopwatch, startStopwatch } from './stopwatch.ts';

export type TrackerStatus = DeployPhaseStatus | 'done' | 'degraded';

/** A work item's place in the tracker, as it was read. */
export interface ShownStatus {
  /** The tracker's id of the state. */
  readonly id: string;
  readonly name: string;
  /** Which of the orchestrator's statuses it is; `null`: one of the project's own. */
  readonly status: TrackerStatus | null;
}

/** What can be written: one of the orchestrator's statuses, the project's state for what is cancelled, or a state of its own. */
export type Written = TrackerStatus | 'cancelled' | Pick<ShownStatus, 'id' | 'name'>;

/** The tracker, by the work item's id in `tasks`. Whatever fails is thrown. */
export interface Tracker {
  /** Reads what the tracker shows now: one request once the project's states are known. */
  shown(repo: string, workItem: string): Promise<ShownStatus>;
  /** Writes a status: one unconditional PATCH. `beforeSending` is called when it begins to be sent; where it throws, nothing is. */
  write(repo: string, workItem: string, status: Written, beforeSending?: () => void): Promise<void>;
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
  /** The deploy whose last status it is: a newer run of the work item outranks it. Absent: no deploy asks, or a run of an earlier version does. */
  readonly run?: string;
}

interface NamedTask {
  readonly repo: string;
  readonly workItem: string;
}

interface TaskRow extends NamedTask {
  readonly stage: string;
}

export interface EvidenceDeps<Held> {
  readonly guard: Scope;
  /**
   * Runs a function while no other setter of any worker is between its evidence and its write (invariant 4); `lost` is
   * aborted, with the reason, where that ceases to be so.
   */
  readonly withWorkItemLock: <T>(workItem: string, run: (held: Held, lost?: AbortSignal) => Promise<T>) => Promise<T>;
  /** Reads a task; under the lock on the lock's own connection, in a statement of its own. */
  readonly findTask: (workItem: string, held?: Held) => Promise<TaskRow | null>;
  /** The task of a work item that is spelled otherwise in `tasks`. */
  readonly findSpelled: (workItem: string) => Promise<NamedTask | null>;
  /**
   * The task of a work item that has another name in `tasks`, such as its key for its uuid: the tracker is asked for them.
   * @throws also where the tracker does not show the work item: that is no evidence that it has no task.
   */
  readonly findByOtherName: (repo: string, workItem: string) => Promise<NamedTask | null>;
  readonly windowActive: (repo: string, workItem: string) => Promise<boolean>;
  /** Whether a deploy of the work item is between its begin and its window: what it shows is its own business. */
  readonly deployUnderWay: (repo: string, workItem: string) => Promise<boolean>;
  /** The latest run of the deploy of the work item; `null`: Temporal keeps none. */
  readonly latestRun: (repo: string, workItem: string) => Promise<DeployRecord | null>;
  /** What Temporal has on record of the last deploy; absent where degraded work has no state of its own in the tracker. */
  readonly lastDeploy?: ((repo: string, workItem: string, dbStage: string | null) => Promise<LastDeploy>) | undefined;
  readonly tracker: Tracker;
  readonly log: { info(fields: object, message: string): void };
  readonly stopwatch?: Stopwatch;
}

/** Not in force is exactly the unguarded behaviour: no lock, no evidence, one write. */
const OFF: RestingEvidence = { inForce: false, dbStage: null, windowActive: false };

/**
 * How old evidence may be when the write that rests on it begins, ms: as long as the lock may be held. A worker that was
 * stopped in between (SIGSTOP, a frozen machine) goes on with its next step before it hears that its lock is gone, and the
 * settle time outlives only writes that began while it was held (invariant 5).
 */
const MAX_EVIDENCE_AGE_MS = 20_000;

/** Writes a status of the work item, if it still may. */
export type Write = (status: Written) => Promise<void>;

/** What a setter does with the evidence; the request bears the names of the task. */
export type Act<T> = (evidence: RestingEvidence, request: SetStatus, write: Write) => Promise<T>;

/** What a decision rested on: told with each result, so that it can be explained afterwards. */
export interface OnEvidence {
  readonly evidence: RestingEvidence;
  /** The work item as `tasks` names it. */
  readonly workItem: string;
  /** Writes that were sent before it came to this: by tries that failed, or in doubt. */
  readonly earlier?: readonly SentWrite[];
}

export interface Evidenced {
  /** Runs `act` with fresh evidence under the lock; where the guard is not in force, without either. */
  withEvidence<T extends object>(request: SetStatus, act: Act<T>): Promise<T & OnEvidence>;
  /** The guard's decision, with its one line in the log (D5). */
  verdictOn(target: string, request: SetStatus, evidence: RestingEvidence): GuardVerdict;
  /**
   * Writes a status unless it stands there already: a write of the same would move `updated_at` for nothing.
   * @param isLeft whether what stands there stays.
   * @returns with `status`, what the tracker shows by this call; `null`: a state of its own has stayed.
   */
  writeIfNew(
    request: SetStatus,
    status: TrackerStatus,
    write: Write,
    isLeft?: (shown: ShownStatus) => boolean,
  ): Promise<{ readonly shown: string; readonly status: TrackerStatus | null; readonly wrote: boolean }>;
}

/** `named`: the work item is named as its task is, or has none. */
type Asked = SetStatus & { readonly named?: true };

/**
 * The discipline of every status write (invariants 2 to 4; docs/status-protocol.md): lock, evidence, decision, write.
 *
 * Each call throws what the lock, Postgres, Temporal or the tracker throw: without evidence nothing is stamped.
 */
export function evidenced<Held>(deps: EvidenceDeps<Held>): Evidenced {
  const { guard, withWorkItemLock, findTask, findSpelled, findByOtherName, windowActive, tracker, log } = deps;
  const { stopwatch = startStopwatch } = deps;

  /** The task of a work item that the tasks do not know by the name that the caller has for it. */
  const findNamed = async ({ repo, workItem }: SetStatus): Promise<NamedTask | null> =>
    (await findSpelled(workItem)) ?? (await findByOtherName(repo, workItem));

  /** Of a cancelled task, and under an active window, the last deploy does not matter. */
  async function completed({ repo, workItem }: SetStatus, evidence: RestingEvidence): Promise<RestingEvidence> {
    const { dbStage, windowActive: active } = evidence;
    if (deps.lastDeploy === undefined || active || terminalStage(dbStage) === 'cancelled') return evidence;
    return { ...evidence, lastDeploy: await deps.lastDeploy(repo, workItem, dbStage) };
  }

  /** One pass under the lock. `doubt` learns of a write that was sent and outlived the lock or its time. */
  function locked<T extends object>(asked: Asked, act: Act<T>, doubt: { inDoubt: () => boolean }) {
    const { workItem } = asked;
    return withWorkItemLock(workItem, async (held, lost) => {
      const age = stopwatch();
      const task = await findTask(workItem, held);
      if (task === null && !asked.named) return 'no task of that name';
      const repo = task?.repo ?? asked.repo;
      if (!applies(guard, repo)) return { outOfScope: repo };
      const active = await windowActive(repo, workItem);
      const request = { ...asked, repo };
      const evidence = await completed(request, { inForce: true, dbStage: task?.stage ?? null, windowActive: active });
      const { write, earlier } = recording(evidence, (status, sending) =>
        tracker.write(repo, workItem, status, () => {
          lost?.throwIfAborted();
          assertFresh(workItem, age());
          doubt.inDoubt = () => lost?.aborted === true || age() > MAX_EVIDENCE_AGE_MS;
          sending();
        }),
      );
      return { result: { ...(await act(evidence, request, write)), evidence, workItem, ...earlier() } };
    });
  }

  /**
   * A write that outlived its lock or its time may have been overtaken by what it did not know: it is looked at once more, with
   * fresh evidence, whether it seemed to work or not.
   */
  async function twiceIfInDoubt<T extends object>(request: Asked, act: Act<T>) {
    const doubt = { inDoubt: () => false };
    try {
      const first = await locked(request, act, doubt);
      if (!doubt.inDoubt()) return first;
    } catch (error) {
      if (!doubt.inDoubt()) throw error;
    }
    return locked(request, act, doubt);
  }

  /** By the name that the task has: another one would be another lock, and no evidence at all. */
  async function guarded<T extends object>(request: Asked, act: Act<T>): Promise<T & OnEvidence> {
    const came = await twiceIfInDoubt(request, act);
    if (came === 'no task of that name') {
      const workItem = (await findNamed(request))?.workItem ?? request.workItem;
      return guarded({ ...request, workItem, named: true }, act);
    }
    return 'result' in came ? came.result : unguarded({ ...request, repo: came.outOfScope }, act);
  }

  const unguarded = async <T extends object>(request: SetStatus, act: Act<T>): Promise<T & OnEvidence> => {
    const { repo, workItem } = request;
    const { write, earlier } = recording(OFF, (status, sending) => tracker.write(repo, workItem, status, sending));
    return { ...(await act(OFF, request, write)), evidence: OFF, workItem, ...earlier() };
  };

  return {
    async withEvidence(request, act) {
      if (!guard.enabled) return unguarded(request, act);
      if (applies(guard, request.repo)) return guarded(request, act);
      const task = (await findTask(request.workItem)) ?? (await findNamed(request));
      const { repo, workItem } = task ?? request;
      return applies(guard, repo) ? guarded({ ...request, repo, workItem }, act) : unguarded({ ...request, repo }, act);
    },

    verdictOn(target, request, evidence) {
      const verdict = decide(evidence);
      log.info(
        {
          work_item: request.workItem,
          caller: request.caller,
          target,
          db_stage: evidence.dbStage,
          window_active: evidence.windowActive,
          ...(evidence.lastDeploy === undefined ? {} : { last_deploy: evidence.lastDeploy }),
          verdict,
          ...(request.reason === undefined ? {} : { reason: request.reason }),
        },
        'deploy status guard',
      );
      return verdict;
    },

    async writeIfNew({ repo, workItem }, status, write, isLeft = () => false) {
      const stands = await tracker.shown(repo, workItem);
      const shown = stands.name;
      if (isLeft(stands)) return { shown, status: stands.status, wrote: false };
      if (stands.id === (await tracker.stateId(repo, workItem, status))) return { shown, status, wrote: false };
      await write(status);
      return { shown, status, wrote: true };
    },
  };
}

/**
 * A write that is on record from the moment at which it begins to be sent.
 * @param send calls `sending` at that moment.
 */
function recording(evidence: RestingEvidence, send: (status: Written, sending: () => void) => Promise<void>) {
  const sent = sentWrites();
  let mine: SentWrite | null = null;
  const write: Write = async (status) => {
    try {
      await send(status, () => {
        mine = sent.begin({ at: Date.now(), status: typeof status === 'string' ? status : status.name, evidence });
      });
      if (mine !== null) sent.answered(mine, 'taken');
    } catch (error) {
      if (mine !== null) sent.answered(mine, messageOf(error));
      throw error;
    }
  };
  return {
    write,
    /** What was sent before this write, and is not told by its own result. */
    earlier(): Pick<OnEvidence, 'earlier'> {
      const earlier = sent.all.filter((each) => each !== mine);
      return earlier.length === 0 ? {} : { earlier };
    },
  };
}

function assertFresh(workItem: string, ageMs: number): void {
  if (ageMs <= MAX_EVIDENCE_AGE_MS) return;
  throw new Error(
    `The evidence about ${workItem} is ${Math.round(ageMs / 1_000)} s old, more than the ${MAX_EVIDENCE_AGE_MS / 1_000} s within which its status may be written; it is read anew by the next try`,
  );
}
