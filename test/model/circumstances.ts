import type { DeployPhaseStatus } from '../../decisions/index.ts';
import type { Shown, WriteFate } from './virtual-plane.ts';
import type { Freeze } from './virtual-worker.ts';

/** What protects the status. Each can be taken away, to see what it is there for. */
export interface Protections {
  readonly lock: boolean;
  readonly freshEvidence: boolean;
  readonly settle: boolean;
  readonly ageCheck: boolean;
  /** A write whose lock was lost, or whose time ran over, is looked at once more by the same try; else it does not know. */
  readonly doubt: boolean;
  readonly sweep: boolean;
  /** A sweep compares again what the one before saw in the deploy phase. */
  readonly known: boolean;
  /** The settle, and the sweep, are as long as they are said to be; else twice as long. */
  readonly promptSettle: boolean;
  readonly promptSweep: boolean;
}

export const ALL: Protections = {
  lock: true,
  freshEvidence: true,
  settle: true,
  ageCheck: true,
  doubt: true,
  sweep: true,
  known: true,
  promptSettle: true,
  promptSweep: true,
};

/** Somebody with an old idea of the work item. */
export interface StaleCaller {
  /** What it wants to show, and when, ms. */
  readonly target: DeployPhaseStatus;
  readonly atMs: number;
  /** What befalls its first process. */
  readonly freeze: Freeze | null;
}

/** One deploy of the work item. */
export interface Run {
  /** How long its window is open, ms. */
  readonly windowMs: number;
  /** `cancelled`: the task, in the end. `terminated`: run and window, from outside, so that nobody has the last word. */
  readonly ending: 'done' | 'cancelled' | 'terminated';
  /** Its window proves degraded, and production does not recover. */
  readonly degraded?: boolean;
}

/** What does not lie with the work item's own run. */
export interface Circumstances {
  /** Whether anybody else writes, or ends things from outside. Without them nothing but the status that rests is right; a person's choice stays. */
  readonly foreign: boolean;
  /** The tracker has a state for degraded work. */
  readonly degradedState?: boolean;
  /** What becomes of requests to Plane, one after the other; all is well with those beyond. */
  readonly fates: readonly WriteFate[];
  /** How old reads of the row are, ms. */
  readonly lags: readonly number[];
  /** When the schedule starts its first sweep, ms. */
  readonly firstSweepMs: number;
}

/** What came of it. */
export interface Outcome {
  readonly shown: Shown;
  /** What the authorities ask for in the end; `null`: whatever stands there is a person's choice, or nothing has to change. */
  readonly wanted: Shown | null;
  readonly right: boolean;
  /** How long another one stood, ms of virtual time. */
  readonly wrongMs: number;
  /** How long after the last disturbance it was right for good, ms, and within what time that was promised. */
  readonly rightAfterMs: number;
  readonly promisedMs: number;
  /** What happened, to tell that something did. */
  readonly happened: {
    readonly kills: number;
    readonly freezes: number;
    readonly locksLost: number;
    readonly oldEvidence: number;
    readonly writes: number;
    readonly staleReads: number;
    readonly failures: number;
    readonly rewrites: number;
    readonly healed: number;
    /** Of these, by what an earlier sweep knew: the row had not been changed since. */
    readonly known: number;
  };
}
