import {
  type DeployPhaseStatus,
  type GuardVerdict,
  isChosen,
  isLeftAtRest,
  lastSay,
  type OwnStatuses,
  type RestingEvidence,
  restingStatus,
  statusToWrite,
  sweptStatus,
} from '../decisions/index.ts';
import { type EvidenceDeps, evidenced, type OnEvidence, type SetStatus, type ShownStatus } from './status-evidence.ts';

export interface SetStatusResult extends OnEvidence {
  readonly verdict: GuardVerdict;
  /** What the tracker showed before; `null`: it was not read. */
  readonly shown: string | null;
  /** What the tracker shows by this call; `null`: nothing was written and nothing had to be. */
  readonly status: string | null;
  /** `false` where the status stood there already, or the verdict forbade the write. */
  readonly wrote: boolean;
}

export interface PutBack extends SetStatusResult {
  /** A newer deploy of the work item runs. What it comes to decides whether the status is put back. */
  readonly waits?: boolean;
}

/** What a correction can put in the place of a deploy-phase status. */
type Resting = 'done' | 'monitoring' | 'degraded' | 'cancelled';

/** How the deploy ended whose last status is written; it counts where no evidence is read. */
export interface Ended {
  /** It left production degraded, or rolled back. */
  readonly degraded?: true;
}

export interface LastWord extends SetStatus, Ended {
  /** Nothing was deployed: a status that rests stays. */
  readonly redrive?: true;
  /** What the run knows of its statuses, so that somebody's choice stays; absent in runs of earlier versions, and where nothing was deployed. */
  readonly own?: OwnStatuses;
}

export interface LastWordResult extends SetStatusResult {
  /** What is shown is somebody's choice, and stays. */
  readonly chosen?: true;
}

export interface Correction extends OnEvidence {
  /** `null`: there was nothing to correct. */
  readonly verdict: GuardVerdict | null;
  /** What the tracker showed; `null`: it was not even read, as the authorities ask for nothing. */
  readonly shown: string | null;
  /** What they ask for. */
  readonly status: Resting | null;
  readonly wrote: boolean;
}

/**
 * The status setters, each gated by the guard at the moment it writes (FR-2, D5; invariants 2 to 4).
 *
 * Each throws what the lock, Postgres, Temporal or the tracker throw: without evidence nothing is stamped (invariant 3).
 */
export function createStatusSetters<Held>(deps: EvidenceDeps<Held>) {
  const { tracker, deployUnderWay, windowActive, lastDeploy, latestRun } = deps;
  const { withEvidence, verdictOn, writeIfNew } = evidenced(deps);

  const leftAtRest =
    (evidence: RestingEvidence) =>
    ({ status }: ShownStatus): boolean =>
      isLeftAtRest(status, evidence);

  /** Without evidence: what a deploy that ended so leads to, where there is a state for that. */
  const degradedState = ({ degraded }: Ended): boolean => degraded === true && lastDeploy !== undefined;

  const setter =
    (target: DeployPhaseStatus) =>
    (request: SetStatus): Promise<SetStatusResult> =>
      withEvidence(request, async (evidence, named, write) => {
        const verdict = verdictOn(target, named, evidence);
        const status = statusToWrite(verdict, target, evidence);
        if (status === null) return { verdict, shown: null, status, wrote: false };
        if (evidence.inForce) return { verdict, ...(await writeIfNew(named, status, write, leftAtRest(evidence))) };
        await write(status);
        return { verdict, shown: null, status, wrote: true };
      });

  /**
   * Corrects a deploy-phase status that should not stand. Where a person has moved the item elsewhere, it stays there.
   * @param isLeft whether somebody else is about to set it.
   */
  const correct = (
    request: SetStatus,
    ask: (evidence: RestingEvidence) => Resting | null,
    isLeft: (evidence: RestingEvidence, request: SetStatus) => Promise<boolean>,
  ): Promise<Correction> =>
    withEvidence(request, async (evidence, named, write) => {
      const status = ask(evidence);
      if (status === null) return { verdict: null, shown: null, status, wrote: false };
      const { name, status: stands } = await tracker.shown(named.repo, named.workItem);
      const stays = stands === null || stands === status || stands === 'done' || stands === 'degraded';
      if (stays || (await isLeft(evidence, named))) return { verdict: null, shown: name, status, wrote: false };
      const verdict = verdictOn(status, named, evidence);
      await write(status);
      return { verdict, shown: name, status, wrote: true };
    });

  /** Whether a run is about to show `monitoring`. Asked in this order: a deploy that is not under way any more has its window by now. */
  const aboutToWatch = async (evidence: RestingEvidence, { repo, workItem }: SetStatus): Promise<boolean> =>
    (await deployUnderWay(repo, workItem)) || (await windowActive(repo, workItem)) !== evidence.windowActive;

  return {
    setAwaitingDeploy: setter('awaiting_deploy'),
    setDeploying: setter('deploying'),
    setMonitoring: setter('monitoring'),

    /**
     * The terminal sync: a done task whose window is over shows `Done`, or `degraded` after a deploy that ended so; one whose
     * window is active `monitoring`. Where somebody has moved the item elsewhere during the run, it stays there.
     */
    convergeDone: (request: LastWord): Promise<LastWordResult> =>
      withEvidence(request, async (evidence, named, write) => {
        const verdict = verdictOn('done', named, evidence);
        if (!evidence.inForce) {
          const { repo, workItem, run } = named;
          const latest = run === undefined ? null : await latestRun(repo, workItem);
          if (latest !== null && latest.runId !== run) return { verdict, shown: null, status: null, wrote: false };
          const status = degradedState(request) ? 'degraded' : 'done';
          await write(status);
          return { verdict, shown: null, status, wrote: true };
        }
        const status = restingStatus(evidence);
        if (status === null) return { verdict, shown: null, status, wrote: false };
        const { own, redrive } = request;
        let chosen = false;
        const isLeft = (stands: ShownStatus): boolean => {
          chosen = own !== undefined && isChosen(stands, own);
          return chosen || (redrive === true && isLeftAtRest(stands.status, evidence));
        };
        const written = await writeIfNew(named, status, write, isLeft);
        return { verdict, ...written, ...(chosen ? { chosen: true as const } : {}) };
      }),

    /** Reads a status back and converges it again where a deploy-phase status stands that should not (invariant 5). */
    settleStatus: (request: SetStatus): Promise<Correction> => correct(request, restingStatus, async () => false),

    /**
     * The same for a sweep, which also takes the item of a cancelled task out of its deploy-phase status. Between `done` and the
     * window a run is about to show `monitoring` itself: it is left to that, or the status would flap.
     */
    healStatus: (request: SetStatus): Promise<Correction> => correct(request, sweptStatus, aboutToWatch),

    /**
     * Puts back the status from before a run that did not reach `done`; `Awaiting Deploy` where that was a deploy-phase one, or is
     * gone. Of a deploy that left production degraded it is `degraded`, unless a person has moved the item meanwhile.
     */
    restoreStatus: (request: SetStatus & Ended & { readonly before: ShownStatus | null }): Promise<PutBack> =>
      withEvidence(request, async (evidence, named, write) => {
        const { before } = request;
        const { repo, workItem, run } = named;
        const verdict = verdictOn('before', named, evidence);
        const say = run === undefined ? 'has' : lastSay(run, await latestRun(repo, workItem));
        if (say !== 'has') return { verdict, shown: null, status: null, wrote: false, waits: say === 'waits' };
        // An item that was shown without any state has nothing that could be put back.
        const own = before !== null && before.id !== '' && !inDeployPhase(before);
        if (!evidence.inForce) {
          const put = degradedState(request) ? 'degraded' : own ? before : 'awaiting_deploy';
          await write(put);
          return { verdict, shown: null, status: typeof put === 'string' ? put : put.name, wrote: true };
        }
        const status = statusToWrite(verdict, 'awaiting_deploy', evidence);
        if (status === null) return { verdict, shown: null, status, wrote: false };
        // What it showed before is not known where the tracker was away then.
        const isMoved = (shown: ShownStatus): boolean =>
          before !== null && !inDeployPhase(shown) && shown.id !== before.id;
        if (status === 'degraded') return { verdict, ...(await writeIfNew(named, status, write, isMoved)) };
        if (status !== 'awaiting_deploy')
          return { verdict, ...(await writeIfNew(named, status, write, leftAtRest(evidence))) };
        const stands = await tracker.shown(repo, workItem);
        const { name, status: shown } = stands;
        if (!inDeployPhase(stands)) return { verdict, shown: name, status: null, wrote: false };
        if (own && (await tracker.hasState(repo, workItem, before.id))) {
          await write(before);
          return { verdict, shown: name, status: before.name, wrote: true };
        }
        if (shown !== status) await write(status);
        return { verdict, shown: name, status, wrote: shown !== status };
      }),

    /** What the tracker shows now; reads no evidence and writes nothing. */
    readStatus: ({ repo, workItem }: { readonly repo: string; readonly workItem: string }): Promise<ShownStatus> =>
      tracker.shown(repo, workItem),
  };
}

/** Whether what is shown is not a status in which an item can rest. */
const inDeployPhase = ({ status }: ShownStatus): boolean =>
  status !== null && status !== 'done' && status !== 'degraded';

export type StatusSetters = ReturnType<typeof createStatusSetters>;
