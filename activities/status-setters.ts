import {
  type DeployPhaseStatus,
  type GuardEvidence,
  type GuardVerdict,
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

export interface Correction extends OnEvidence {
  /** `null`: there was nothing to correct. */
  readonly verdict: GuardVerdict | null;
  /** What the tracker showed; `null`: it was not even read, as the authorities ask for nothing. */
  readonly shown: string | null;
  /** What they ask for. */
  readonly status: 'done' | 'monitoring' | 'cancelled' | null;
  readonly wrote: boolean;
}

/**
 * The status setters, each gated by the guard at the moment it writes (FR-2, D5; invariants 2 to 4).
 *
 * Each throws what the lock, Postgres, Temporal or the tracker throw: without evidence nothing is stamped (invariant 3).
 */
export function createStatusSetters<Held>(deps: EvidenceDeps<Held>) {
  const { tracker, deployUnderWay, windowActive } = deps;
  const { withEvidence, verdictOn, writeIfNew } = evidenced(deps);

  const setter =
    (target: DeployPhaseStatus) =>
    (request: SetStatus): Promise<SetStatusResult> =>
      withEvidence(request, async (evidence, named, write) => {
        const verdict = verdictOn(target, named, evidence);
        const status = statusToWrite(verdict, target, evidence);
        if (status === null) return { verdict, shown: null, status, wrote: false };
        if (evidence.inForce) return { verdict, status, ...(await writeIfNew(named, status, write)) };
        await write(status);
        return { verdict, shown: null, status, wrote: true };
      });

  /**
   * Corrects a deploy-phase status that should not stand. Where a person has moved the item elsewhere, it stays there.
   * @param isLeft whether somebody else is about to set it.
   */
  const correct = (
    request: SetStatus,
    ask: (evidence: GuardEvidence) => 'done' | 'monitoring' | 'cancelled' | null,
    isLeft: (evidence: GuardEvidence, request: SetStatus) => Promise<boolean>,
  ): Promise<Correction> =>
    withEvidence(request, async (evidence, named, write) => {
      const status = ask(evidence);
      if (status === null) return { verdict: null, shown: null, status, wrote: false };
      const { name, status: stands } = await tracker.shown(named.repo, named.workItem);
      const stays = stands === null || stands === status || stands === 'done';
      if (stays || (await isLeft(evidence, named))) return { verdict: null, shown: name, status, wrote: false };
      const verdict = verdictOn(status, named, evidence);
      await write(status);
      return { verdict, shown: name, status, wrote: true };
    });

  /** Whether a run is about to show `monitoring`. Asked in this order: a deploy that is not under way any more has its window by now. */
  const aboutToWatch = async (evidence: GuardEvidence, { repo, workItem }: SetStatus): Promise<boolean> =>
    (await deployUnderWay(repo, workItem)) || (await windowActive(repo, workItem)) !== evidence.windowActive;

  return {
    setAwaitingDeploy: setter('awaiting_deploy'),
    setDeploying: setter('deploying'),
    setMonitoring: setter('monitoring'),

    /** The terminal sync: a done task whose window is over shows `Done`, one whose window is active `monitoring`. */
    convergeDone: (request: SetStatus): Promise<SetStatusResult> =>
      withEvidence(request, async (evidence, named, write) => {
        const verdict = verdictOn('done', named, evidence);
        if (!evidence.inForce) {
          await write('done');
          return { verdict, shown: null, status: 'done', wrote: true };
        }
        const status = restingStatus(evidence);
        if (status === null) return { verdict, shown: null, status, wrote: false };
        return { verdict, status, ...(await writeIfNew(named, status, write)) };
      }),

    /** Reads a status back and converges it again where a deploy-phase status stands that should not (invariant 5). */
    settleStatus: (request: SetStatus): Promise<Correction> => correct(request, restingStatus, async () => false),

    /**
     * The same for a sweep, which also takes the item of a cancelled task out of its deploy-phase status. Between `done` and the
     * window a run is about to show `monitoring` itself: it is left to that, or the status would flap.
     */
    healStatus: (request: SetStatus): Promise<Correction> => correct(request, sweptStatus, aboutToWatch),

    /** Puts back the status from before a run that did not reach `done`; `Awaiting Deploy` where that was a deploy-phase one, or is gone. */
    restoreStatus: (request: SetStatus & { readonly before: ShownStatus | null }): Promise<SetStatusResult> =>
      withEvidence(request, async (evidence, named, write) => {
        const { before } = request;
        const { repo, workItem } = named;
        const verdict = verdictOn('before', named, evidence);
        // An item that was shown without any state has nothing that could be put back.
        const own = before !== null && before.id !== '' && (before.status === null || before.status === 'done');
        if (!evidence.inForce) {
          await write(own ? before : 'awaiting_deploy');
          return { verdict, shown: null, status: own ? before.name : 'awaiting_deploy', wrote: true };
        }
        const status = statusToWrite(verdict, 'awaiting_deploy', evidence);
        if (status === null) return { verdict, shown: null, status, wrote: false };
        if (status !== 'awaiting_deploy') return { verdict, status, ...(await writeIfNew(named, status, write)) };
        const { name, status: shown } = await tracker.shown(repo, workItem);
        if (shown === null || shown === 'done') return { verdict, shown: name, status: null, wrote: false };
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

export type StatusSetters = ReturnType<typeof createStatusSetters>;
