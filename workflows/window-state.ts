import type { RollbackResult } from '../activities/rollback.ts';
import type { ActionRecord, MessageRecord, TickRecord, WindowOutcome } from '../activities/window-report.ts';
import {
  type Assessment,
  classify,
  currentStreak,
  type Grid,
  hasRecovered,
  lookNow,
  missedAtEnd,
  nextLookAt,
  type Observation,
  type OwnStatuses,
  plannedTicks,
  recoveryIsUnknown,
  skippedDuring,
  terminalStage,
  tickAt,
  type WindowPolicy,
} from '../decisions/index.ts';
import { beginning } from './bounded.ts';
import type { DriverLimits } from './driver-time-outs.ts';
import { withNote } from './kept.ts';
import type { Command } from './messages.ts';
import { summarise } from './summarise.ts';
import { withLook } from './tick-records.ts';

// The state of one window and every way in which it changes. Pure: time is an argument, nothing is changed in place.

export interface MonitorInput {
  readonly repo: string;
  readonly workItem: string;
  readonly version: string | null;
  readonly requestedBy: string | null;
  readonly selfHosting: boolean;
  readonly policy: WindowPolicy;
  readonly rollback: (DriverLimits & { readonly idempotent: boolean }) | null;
  readonly guarded: boolean;
  readonly settleMs: number;
  /** Whether there is a health check, without which no look is evidence; absent in windows of earlier versions. */
  readonly looksAtHealth?: boolean;
  /** The tracker's state in which the item rests where the window ends degraded; absent: there is none. */
  readonly degradedState?: string;
  /** What its deploy knows of the statuses that it has shown; absent in windows of earlier versions, and without a deploy. */
  readonly own?: OwnStatuses;
  /** The window so far, where it goes on in a new run (continue-as-new). */
  readonly carried?: WindowState;
  /** Length of the history after which it continues as new, where that is not the usual one. */
  readonly continueAfterEvents?: number;
}

/** One look at production, as the probe returns it. */
export interface Look {
  /** When it was taken, by the clock of its worker, or by Temporal's where that is later, epoch ms; absent where the probe itself was lost. */
  readonly at?: number;
  readonly health: Observation['health'];
  readonly requests: number;
  readonly errors5xx: number;
  /** The task's stage; absent where it could not be read. */
  readonly stage?: string | null;
  readonly detail?: string;
  /** How long it took. */
  readonly ms?: number;
  /** How far its worker's clock was from the time that it knew of Temporal's, where that is more than a second; negative: behind. */
  readonly aheadMs?: number;
}

type EndingKind = 'ran_out' | 'cancelled' | 'closed_early' | 'task_cancelled';

/** Looks on one grid: those of the window, or those that follow its rollback. */
interface Watch {
  readonly openedAt: number;
  readonly endsAt: number;
  readonly ticks: readonly TickRecord[];
  /** Ticks at which no worker ran. */
  readonly missed: number;
  /** Ticks that passed while the look before was still running; absent where there are none. */
  readonly skipped?: number;
}

export type Rules = 2 | 3 | 4 | 5;

export interface WindowState {
  readonly window: Watch;
  /** `null` until a rollback has succeeded, or may have: what follows one is judged by itself. */
  readonly afterRollback: Watch | null;
  readonly degraded: {
    readonly at: number;
    readonly tick: number;
    readonly summary: string;
    /** The rule that proved it; absent in windows of earlier versions. */
    readonly trigger?: 'health' | 'errors';
  } | null;
  /** The version that runs after the rollback, where it is known. */
  readonly rolledBackTo?: string | null;
  readonly recoveredAt: number | null;
  readonly action: ActionRecord | null;
  readonly ending: {
    readonly kind: EndingKind;
    readonly at: number;
    readonly by: string;
    readonly reason: string;
  } | null;
  readonly messages: readonly MessageRecord[];
  readonly notes: readonly { readonly at: number; readonly text: string }[];
  /** Signals that were ignored; absent: none. */
  readonly ignoredSignals?: number;
  /**
   * Absent in windows of earlier versions: ticks during a slow probe are missed there, and health alone proves a recovery.
   * Before 3 a look that failed was evidence of health, before 4 a worker's clock could be 10 s ahead, and before 5 a run of it went
   * on for 1,500 events.
   */
  readonly rules?: Rules;
  /** The look that found the window over, too late to count as one of its own, failed. */
  readonly failedAfterwards?: true;
  /** As in its input. */
  readonly looksAtHealth?: boolean;
  /** Its deploy has shown a status, the first one, since the window has begun. */
  readonly statusShown?: true;
  /** Counts the changes, so that a wait can tell that there was one. */
  readonly revision: number;
}

export const changed = (state: WindowState, change: Partial<WindowState>): WindowState => ({
  ...state,
  ...change,
  revision: state.revision + 1,
});

/**
 * @param openedAt when the workflow was started
 * @param rules absent: those of earlier versions
 */
export const open = ({ policy, looksAtHealth, carried }: MonitorInput, openedAt: number, rules?: Rules): WindowState =>
  carried ?? {
    window: { openedAt, endsAt: openedAt + policy.windowMs, ticks: [], missed: 0 },
    afterRollback: null,
    degraded: null,
    recoveredAt: null,
    action: null,
    ending: null,
    messages: [],
    notes: [],
    ...(rules === undefined ? {} : { rules }),
    ...(looksAtHealth === undefined ? {} : { looksAtHealth }),
    revision: 0,
  };

/** What is known of the statuses of its deploy; `null`: nothing, as it has none. */
export const ownStatuses = ({ own }: MonitorInput, { statusShown }: WindowState): OwnStatuses | null =>
  own === undefined ? null : { ...own, acknowledged: own.acknowledged || statusShown === true };

/** Whether it is judged by these rules, or later ones. */
export const hasRules = ({ rules }: WindowState, since: Rules): boolean => rules !== undefined && rules >= since;

/** The looks that are being taken now. */
const watch = (state: WindowState): Watch => state.afterRollback ?? state.window;

const intervalMs = (state: WindowState, policy: WindowPolicy): number =>
  state.afterRollback === null ? policy.intervalMs : Math.min(policy.intervalMs, policy.confirmMs);

const grid = (state: WindowState, policy: WindowPolicy): Grid => {
  const { openedAt, endsAt } = watch(state);
  return { openedAt, endsAt, intervalMs: intervalMs(state, policy) };
};

const windowGrid = ({ window }: WindowState, policy: WindowPolicy): Grid => ({
  ...window,
  intervalMs: policy.intervalMs,
});

const acting = ({ action }: WindowState): boolean => action !== null && action.finishedAt === null;

/** Whether the window goes on: a rollback that has begun is waited for, whatever ended the window. */
export const isOpen = (state: WindowState): boolean => state.ending === null || acting(state);

/** When to look at production next; `null`: not any more. */
export function lookAt(state: WindowState, policy: WindowPolicy): number | null {
  if (state.ending !== null) return null;
  const { ticks } = watch(state);
  const last = ticks.at(-1);
  if (last === undefined) return nextLookAt(grid(state, policy), null);
  const failing = ticks.findLast(({ health }) => health !== 'unknown')?.health === 'fail';
  return nextLookAt(grid(state, policy), { at: last.at, confirmAfterMs: failing ? policy.confirmMs : null });
}

/** When something is due next: a look, or the end of the window; `null`: only a message or the end of the action goes on. */
export function wakeAt(state: WindowState, policy: WindowPolicy): number | null {
  const look = lookAt(state, policy);
  if (look !== null) return look;
  return state.ending !== null || acting(state) ? null : watch(state).endsAt;
}

/** The number of the tick that a look at a moment stands for. */
export const tickOf = (state: WindowState, policy: WindowPolicy, at: number): number => tickAt(grid(state, policy), at);

/** The latest moment that the window knows of: that of its last look. */
export const lastSeenAt = (state: WindowState): number => watch(state).ticks.at(-1)?.at ?? watch(state).openedAt;

/** The verdict on the window so far; what follows a rollback does not count into it. */
export const assess = (state: WindowState, policy: WindowPolicy): Assessment => classify(state.window.ticks, policy);

/**
 * Folds a look into the window; a task that it finds cancelled ends the window (FR-3, D4). One that is taken when even the
 * last tick is over by an interval says nothing about the window any more, which has run its time then.
 *
 * A look counts at the moment at which it was due, or later by its worker's clock. The workflow's own time will not do: after
 * its worker was lost it stands still at the task before until the next one, and is another in a replay (measured, SDK 1.24.0).
 * @param dueAt when the look was due
 */
export function recordLook(state: WindowState, policy: WindowPolicy, dueAt: number, look: Look): WindowState {
  const current = watch(state);
  const at = Math.max(dueAt, look.at ?? dueAt);
  const cancelled = { by: 'tasks', reason: 'the task was cancelled' };
  const ticksAt = grid(state, policy);
  const due = lookNow(ticksAt, current.ticks.at(-1)?.at ?? null, at);
  if (due === null) {
    if (terminalStage(look.stage) === 'cancelled') return ended(state, 'task_cancelled', at, cancelled);
    const over = ranOut(state, policy, at);
    return look.health === 'fail' && state.afterRollback === null ? { ...over, failedAfterwards: true } : over;
  }
  const confirming = current.ticks.at(-1)?.tick === due.tick;
  const tookMs =
    hasRules(state, 2) && look.ms !== undefined && tickAt(ticksAt, at + look.ms) > due.tick ? look.ms : undefined;
  const ticks = withLook(current.ticks, look, { tick: due.tick, confirming, at, tookMs });
  const next = { ...withMissed(current, ticksAt, due.missed), ticks };
  const looked = changed(state, state.afterRollback === null ? { window: next } : { afterRollback: next });

  if (terminalStage(look.stage) === 'cancelled') {
    return ended(looked, 'task_cancelled', at, cancelled);
  }
  return recovered(degraded(looked, policy, at), policy, at);
}

/** Counts the ticks that passed since the last look: no worker ran, or that look was still running. */
function withMissed(current: Watch, ticksAt: Grid, missed: number): Watch {
  const skipped = skippedDuring(ticksAt, current.ticks.at(-1) ?? null, missed);
  return {
    ...current,
    missed: current.missed + missed - skipped,
    ...(skipped === 0 ? {} : { skipped: (current.skipped ?? 0) + skipped }),
  };
}

function degraded(state: WindowState, policy: WindowPolicy, at: number): WindowState {
  if (state.degraded !== null) return state;
  const assessment = assess(state, policy);
  if (assessment.verdict !== 'DEGRADED') return state;
  const summary = summarise(assessment, policy, state.window.ticks);
  const trigger = assessment.trigger ?? 'health';
  return { ...state, degraded: { at, tick: state.window.ticks.at(-1)?.tick ?? 0, summary, trigger } };
}

/** Whether too little was seen since the rollback to know whether production has recovered. Without one, what proved the degradation stands. */
export const recoveryUnknown = (
  { degraded: verdict, afterRollback, recoveredAt }: WindowState,
  policy: WindowPolicy,
): boolean =>
  recoveredAt === null &&
  afterRollback !== null &&
  recoveryIsUnknown(afterRollback.ticks, policy, verdict?.trigger ?? 'health');

/** Whether production has recovered after the verdict, and after the rollback where there was one. */
function recovered(state: WindowState, policy: WindowPolicy, at: number): WindowState {
  const { degraded: verdict, recoveredAt, afterRollback, window } = state;
  if (verdict === null || recoveredAt !== null) return state;
  const after = afterRollback?.ticks ?? window.ticks.filter((tick) => tick.at > verdict.at);
  if (hasRules(state, 2)) {
    if (!hasRecovered(after, policy, verdict.trigger ?? 'health')) return state;
  } else {
    const streak = currentStreak(after);
    if (streak.health !== 'pass' || streak.length < policy.failThreshold) return state;
  }
  const back = { ...state, recoveredAt: at };
  return afterRollback === null
    ? back
    : ended(back, 'ran_out', at, { by: 'window', reason: 'production is healthy again after the rollback' });
}

export function ended(state: WindowState, kind: EndingKind, at: number, { by, reason }: Command): WindowState {
  return state.ending === null ? changed(state, { ending: { kind, at, by, reason } }) : state;
}

/** The window has run its time; the ticks that nobody took are recorded as missed. */
export function ranOut(state: WindowState, policy: WindowPolicy, now: number): WindowState {
  const current = watch(state);
  const ticksAt = grid(state, policy);
  const reason =
    state.afterRollback === null ? 'the window has run its time' : 'the time to recover after the rollback is over';
  const over = withMissed(current, ticksAt, missedAtEnd(ticksAt, current.ticks.at(-1)?.at ?? null, now));
  return ended(
    changed(state, state.afterRollback === null ? { window: over } : { afterRollback: over }),
    'ran_out',
    now,
    { by: 'window', reason },
  );
}

/** What is kept of what a deployer or an alert sink has said. */
const told = (detail: string): string => beginning(detail, 8_000);

export const actionStarted = (state: WindowState, kind: ActionRecord['kind'], now: number): WindowState =>
  changed(state, {
    action:
      kind === 'ROLLBACK'
        ? { kind, startedAt: now, finishedAt: null, ok: null, detail: 'the rollback runs' }
        : { kind, startedAt: now, finishedAt: now, ok: null, detail: 'an alert is being raised' },
  });

/** The alert that was all that the window did has been taken. */
export const alertSent = (state: WindowState): WindowState =>
  state.action?.kind === 'ALERT_ONLY'
    ? changed(state, { action: { ...state.action, ok: true, detail: 'an alert was raised' } })
    : state;

/** The alert that was all that the window did has reached nobody yet but the ticket. @param text says so, and why */
export const alertFailed = (state: WindowState, text: string): WindowState =>
  state.action?.kind === 'ALERT_ONLY'
    ? changed(state, { action: { ...state.action, ok: false, detail: told(text) } })
    : state;

/**
 * A rollback has ended; where it worked, or may have, what follows is watched by itself until production is healthy again.
 * @param watched whether that holds for one of which nobody knows, too: not in windows of earlier versions
 */
export function rollbackFinished(
  state: WindowState,
  policy: WindowPolicy,
  result: RollbackResult,
  watched = true,
): WindowState {
  if (state.action === null) return state;
  const openedAt = Math.max(result.at, lastSeenAt(state));
  const { ok, detail, unknown, to } = result;
  const action = { ...state.action, finishedAt: openedAt, ok, detail: told(detail), ...(unknown ? { unknown } : {}) };
  const mayHaveWorked = ok || (unknown === true && watched);
  const afterRollback = mayHaveWorked
    ? { openedAt, endsAt: openedAt + policy.rollbackWatchMs, ticks: [], missed: 0 }
    : null;
  return changed(state, {
    action,
    afterRollback,
    ...(mayHaveWorked && to !== undefined ? { rolledBackTo: to } : {}),
    recoveredAt: mayHaveWorked ? null : state.recoveredAt,
  });
}

export const noted = (state: WindowState, text: string, at: number): WindowState =>
  changed(state, { notes: withNote(state.notes, text, at) });

/**
 * Notes a signal that was ignored, and why. It does not wake the window.
 * @param wake in windows of earlier versions it was a change like any other, and the timer of the next look began anew
 */
export function ignored(state: WindowState, why: string, at: number, wake: boolean): WindowState {
  const { revision } = state;
  const next = { ...noted(state, why, at), ignoredSignals: (state.ignoredSignals ?? 0) + 1 };
  return wake ? next : { ...next, revision };
}

/**
 * How the window ended. Degraded outranks how it ended; one that was stopped early never reads as healthy. A rollback of which nobody
 * knows has worked only where production recovered after it.
 */
export function outcome(state: WindowState, evidence: boolean): WindowOutcome | null {
  const { ending, degraded: verdict, action, recoveredAt } = state;
  if (ending === null) return null;
  if (verdict !== null) {
    if (action?.kind !== 'ROLLBACK') return 'degraded_alerted';
    const worked = action.ok === true || (action.unknown === true && recoveredAt !== null);
    return worked ? 'degraded_rolled_back' : 'rollback_failed';
  }
  if (ending.kind === 'ran_out') return evidence ? 'healthy' : 'no_evidence';
  return ending.kind;
}

export const planned = (state: WindowState, policy: WindowPolicy): number => plannedTicks(windowGrid(state, policy));
