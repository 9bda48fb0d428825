import type { Assessment, Coverage, Health, PostDeployAction, WindowPolicy } from '../decisions/index.ts';

export type WindowOutcome =
  | 'healthy'
  | 'no_evidence'
  | 'degraded_alerted'
  | 'degraded_rolled_back'
  | 'rollback_failed'
  | 'cancelled'
  | 'closed_early'
  | 'superseded'
  | 'task_cancelled';

/** One look at production, as a window keeps it. */
export interface TickRecord {
  /** Number of the tick on the window's grid; a look that confirms a failure carries the number of the tick before it. */
  readonly tick: number;
  /** When it was taken, epoch ms: when it was due, or later by the clock of its worker. */
  readonly at: number;
  readonly confirming?: true;
  readonly health: Health;
  readonly requests: number;
  readonly errors5xx: number;
  /** Why it did not pass, or why requests failed, where that differs from the look before; `…`: there were too many of them. */
  readonly detail?: string;
  /** How long the look took, ms, where ticks passed meanwhile. */
  readonly tookMs?: number;
}

/** A signal, update or cancel that the window received, and what became of it. */
export interface MessageRecord {
  readonly at: number;
  readonly name: 'cancelWindow' | 'closeWindow' | 'extendWindow' | 'cancel';
  readonly by: string;
  readonly reason: string;
  /** What it did, or why it was ignored, in one sentence. */
  readonly effect: string;
}

export interface ActionRecord {
  readonly kind: Exclude<PostDeployAction, 'NONE'>;
  readonly startedAt: number;
  readonly finishedAt: number | null;
  /** `null` while it runs. */
  readonly ok: boolean | null;
  /** Nobody knows whether it worked; `ok` is false then. */
  readonly unknown?: true;
  readonly detail: string;
}

/** Everything about one window: what was observed, the verdict, what was done, and who said what. Plain JSON; times are epoch ms. */
export interface WindowReport {
  readonly windowId: string;
  readonly repo: string;
  readonly workItem: string;
  readonly version: string | null;
  readonly requestedBy: string | null;
  readonly openedAt: number;
  readonly endsAt: number;
  readonly endedAt: number;
  readonly policy: WindowPolicy;
  readonly selfHosting: boolean;
  readonly outcome: WindowOutcome;
  readonly assessment: Assessment;
  /** The verdict in one sentence with its numbers. */
  readonly summary: string;
  /** What ended it early; `null` where it ran its time. */
  readonly endedBy: { readonly by: string; readonly reason: string } | null;
  readonly degradedAt: number | null;
  /** Whether production passed `failThreshold` times in a row after the verdict; `null` where it was never degraded. */
  readonly recovered: boolean | null;
  /** Too little was seen after the rollback to know whether production has recovered; `recovered` is false then. */
  readonly recoveryUnknown?: true;
  readonly action: ActionRecord | null;
  readonly coverage: Coverage;
  readonly plannedTicks: number;
  /** Ticks that passed while the look before was still running; they are not counted as missed. */
  readonly skippedTicks: number;
  readonly ticks: readonly TickRecord[];
  /** Looks taken after a rollback, judged by themselves. */
  readonly ticksAfterRollback: readonly TickRecord[];
  readonly messages: readonly MessageRecord[];
  /** What did not go as it should while the window was open: ignored signals, alerts that could not be sent. */
  readonly notes: readonly { readonly at: number; readonly text: string }[];
  /** The status with which the work item is left, and why; absent where degraded work has no state of its own. */
  readonly finalStatus?: string;
}
