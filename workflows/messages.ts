import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Healed } from '../activities/heal-work-item.ts';
import type { Drift, FailingRun, InDeployPhase, Orphan, TrackedItem } from '../activities/reconcile.ts';
import type {
  ActionRecord,
  MessageRecord,
  TickRecord,
  WindowOutcome,
  WindowReport,
} from '../activities/window-report.ts';
import type { Assessment, Coverage, DeployPhaseStatus, WindowPolicy } from '../decisions/index.ts';

// Every name, id and message by which the workflows are reached from outside.

export const DEPLOY_WORKFLOW = 'deployToDone';
export const MONITOR_WORKFLOW = 'postDeployMonitor';
export const SET_STATUS_WORKFLOW = 'setDeployStatus';
export const RECONCILE_WORKFLOW = 'reconcileStatuses';
export const HEAL_WORKFLOW = 'healWorkItem';
export const REOPEN_WORKFLOW = 'reopenTask';
export const WRAP_UP_WORKFLOW = 'wrapUp';

export const deployWorkflowId = (repo: string, workItem: string): string => `deploy/${repo}/${workItem}`;
/**
 * By Plane's own id of the work item: an event knows no other. Each task queue has its own: two installations on one namespace and
 * one Plane must not wait for each other's.
 */
export const healWorkflowId = (taskQueue: string, planeId: string): string => `heal/${taskQueue}/${planeId}`;
export const reopenWorkflowId = (taskQueue: string, repo: string, workItem: string): string =>
  `reopen/${taskQueue}/${repo}/${workItem}`;
export const monitorWorkflowId = (repo: string, workItem: string): string => `monitor/${repo}/${workItem}`;
/** By the run, deploy or window, whose wrap-up it is. */
export const wrapUpWorkflowId = (repo: string, workItem: string, runId: string, nth = 1): string =>
  `wrap-up/${repo}/${workItem}/${runId}${nth === 1 ? '' : `/${nth}`}`;

/**
 * How soon the server takes a workflow task away from a worker that died over it. With the worker's sticky time-out of 1 s
 * a window goes on 4.8 s after a kill, against 10 s by default (measured); the longest local activity, 3 s, fits in well.
 */
export const WORKFLOW_TASK_TIMEOUT = '5 seconds';

export const D2dRepo = defineSearchAttributeKey('D2dRepo', SearchAttributeType.KEYWORD);
export const D2dWorkItem = defineSearchAttributeKey('D2dWorkItem', SearchAttributeType.KEYWORD);
export const D2dPhase = defineSearchAttributeKey('D2dPhase', SearchAttributeType.KEYWORD);
export const D2dOutcome = defineSearchAttributeKey('D2dOutcome', SearchAttributeType.KEYWORD);
export const D2dVersion = defineSearchAttributeKey('D2dVersion', SearchAttributeType.KEYWORD);
/** Of a deploy or a window; none where the version is not known. Temporal takes no longer keywords. */
export const versionAttribute = (version: string | null | undefined) =>
  version == null ? [] : [{ key: D2dVersion, value: version.slice(0, 200) }];
export const D2dVerdict = defineSearchAttributeKey('D2dVerdict', SearchAttributeType.KEYWORD);

/** `unknown`: nobody knows how the deploy ended; the run waits for `resolveDeploy`. */
export type DeployPhase = 'awaiting_approval' | 'deploying' | 'unknown' | 'checking' | 'monitoring' | 'finished';
export type MonitorPhase = 'open' | 'acting' | 'closed';

export interface DeployInput {
  readonly repo: string;
  readonly workItem: string;
  readonly version?: string;
  /** Where it is left out, the settings decide. */
  readonly approval?: 'required' | 'none';
  readonly requestedBy?: string;
  /** Create the task, at stage `deploy`, where there is none; without it a missing task is refused. */
  readonly createTask?: boolean;
}

export type DeployOutcome =
  | 'done'
  | 'already_done'
  | 'refused'
  | 'rejected'
  | 'approval_expired'
  | 'deploy_failed'
  | 'unhealthy_after_deploy'
  | 'unhealthy_rolled_back'
  | 'unhealthy_rollback_failed'
  | 'deploy_unknown'
  | 'task_cancelled'
  | 'cancelled'
  | 'degraded_alerted'
  | 'degraded_rolled_back'
  | 'rollback_failed'
  | 'no_evidence'
  | 'window_cancelled'
  | 'closed_early'
  | 'superseded'
  | 'window_lost';

export interface DeployResult {
  readonly outcome: DeployOutcome;
  /** Why, in one sentence. */
  readonly reason: string;
  /** With `already_done`: the requested version is not the one that the last deploy left in production. Default: false. */
  readonly otherVersionRequested?: boolean;
}

/** Who sent a message and why. In a signal both may be missing (they read `unknown` then); an update without them is refused. */
export interface Command {
  readonly by: string;
  readonly reason: string;
}

export interface DriverStuck {
  readonly kind: 'deploy' | 'rollback';
  /** What does not heal by itself. */
  readonly text: string;
}

export const approveSignal = defineSignal<[{ readonly by: string; readonly reason?: string }]>('approve');
export const rejectSignal = defineSignal<[{ readonly by: string; readonly reason?: string }]>('reject');
export const deployFinishedSignal = defineSignal<[DeployFinished]>('deployFinished');
export const resolveDeploySignal = defineSignal<[DeployResolution]>('resolveDeploy');
/** To a deploy or a window, from its own driver: something needs a person, while the operation goes on. */
export const driverStuckSignal = defineSignal<[DriverStuck]>('driverStuck');
/** From a deploy to its window: the tracker has taken a status of the run, its first one, only since the window has begun. */
export const statusShownSignal = defineSignal('statusShown');
export const deployStatusQuery = defineQuery<DeployStatus>('deployStatus');

export const cancelWindowSignal = defineSignal<[Command]>('cancelWindow');
export const closeWindowUpdate = defineUpdate<WindowReport, [Command]>('closeWindow');
export const extendWindowUpdate = defineUpdate<{ readonly endsAt: number }, [Command & { readonly minutes: number }]>(
  'extendWindow',
);
export const windowStatusQuery = defineQuery<WindowStatus>('windowStatus');

/** One look at a work item because something may have happened to it (`healWorkItem`). */
export interface HealInput extends TrackedItem {
  /** Who has it looked at; default: an event. */
  readonly reason?: string;
  /** One look and no more: it does not stay for what may come. */
  readonly once?: boolean;
}

/** To `healWorkItem`: look once more. */
export const lookSignal = defineSignal('look');

/** What became of looking at one work item (`healWorkItem`). */
export interface HealResult {
  readonly looks: number;
  readonly corrections: number;
  /** The last look at which something of ours was shown. */
  readonly last: Healed | null;
}

/** What an external deployer reports: its deploy has ended. */
export interface DeployFinished {
  readonly ok: boolean;
  /** A report about another version than the one that was started is ignored. */
  readonly version?: string;
  /** As `deployStatus` shows it; a report about another operation is ignored. */
  readonly operationId?: string;
  readonly detail?: string;
  readonly by?: string;
}

/** What a person says of a deploy whose outcome is unknown. */
export interface DeployResolution extends Command {
  readonly deployed: boolean;
  /** The version that runs now; default: the one that was started. */
  readonly version?: string;
}

/** The answer to `deployStatus`. Times are epoch ms. */
export interface DeployStatus {
  readonly repo: string;
  readonly workItem: string;
  readonly version: string | null;
  readonly requestedBy: string | null;
  /** Names the deploy towards its deployer, which may report or echo it. */
  readonly operationId: string;
  readonly phase: DeployPhase;
  readonly outcome: DeployOutcome | null;
  /** Why it ended so; in phase `unknown`, why nobody knows. */
  readonly reason: string | null;
  /** With `already_done`: the requested version is not the one that the last deploy left in production. */
  readonly otherVersionRequested: boolean;
  readonly approval: {
    readonly required: boolean;
    readonly expiresAt: number | null;
    readonly decision: 'approved' | 'rejected' | 'expired' | null;
    readonly by: string | null;
    readonly reason: string | null;
  };
  /** What an external deployer reported. */
  readonly reported: DeployFinished | null;
  /** What somebody said of a deploy whose outcome was unknown. */
  readonly resolution: DeployResolution | null;
  /** Workflow id of the post-deploy window, once it is armed. */
  readonly windowId: string | null;
  /** What did not go as it should but did not stop the run, oldest first: status writes that failed, ignored signals. */
  readonly notes: readonly { readonly at: number; readonly text: string }[];
  /** Signals that were ignored; absent: none. Of many notes the first and the last are kept. */
  readonly ignoredSignals?: number;
  /** The status with which the item is left by a run that left production degraded; absent for others, and where there is no state for that. */
  readonly finalStatus?: string;
}

/** A look; those that follow a rollback are numbered anew. */
export type SeenTick = TickRecord & { readonly afterRollback?: true };

/** The answer to `windowStatus`. Times are epoch ms. */
export interface WindowStatus {
  readonly repo: string;
  readonly workItem: string;
  readonly version: string | null;
  readonly phase: MonitorPhase;
  readonly openedAt: number;
  readonly endsAt: number;
  /** `null` where none is due any more. */
  readonly nextLookAt: number | null;
  readonly tick: number;
  readonly plannedTicks: number;
  /** Ticks that passed while the look before was still running; they are not counted as missed. */
  readonly skippedTicks: number;
  readonly assessment: Assessment;
  readonly coverage: Coverage;
  readonly summary: string;
  readonly degradedAt: number | null;
  readonly recovered: boolean | null;
  /** Too little was seen to know; `recovered` is false then. */
  readonly recoveryUnknown?: true;
  readonly action: ActionRecord | null;
  readonly outcome: WindowOutcome | null;
  readonly policy: WindowPolicy;
  /** The last ten looks, oldest first. */
  readonly lastTicks: readonly SeenTick[];
  readonly messages: readonly MessageRecord[];
  /** What did not go as it should but did not stop the window, oldest first. */
  readonly notes: readonly { readonly at: number; readonly text: string }[];
  /** Signals that were ignored; absent: none. Of many notes the first and the last are kept. */
  readonly ignoredSignals?: number;
  /** The status with which the item is left, and why; absent before the end, and where degraded work has no state of its own. */
  readonly finalStatus?: string;
}

/** One guarded status write by itself, for callers that only know a work item (`setDeployStatus`). */
export interface SetDeployStatusInput {
  readonly repo: string;
  readonly workItem: string;
  readonly status: DeployPhaseStatus;
  readonly caller: string;
  readonly reason?: string;
}

/** Sets a task that is done back to `deploy` (`reopenTask`). */
export interface ReopenInput extends Command {
  readonly repo: string;
  readonly workItem: string;
}

/** The task as it stands now. */
export interface Reopened {
  readonly repo: string;
  readonly stage: string;
  /** What did not go as it should, though the task is reopened. */
  readonly note: string | null;
}

/** A sweep over all work items (`reconcileStatuses`). */
export interface ReconcileInput {
  /** Say what would be healed, and write nothing. */
  readonly dryRun?: boolean;
  /** Read everything, not only what was changed since the sweep before. */
  readonly full?: boolean;
  /** The one that it runs on, by which its healings are named: in a replay nothing else tells it. Absent: from an earlier version. */
  readonly taskQueue?: string;
}

/** What became of one deploy-phase status that should not stand. */
export interface Healing extends Drift {
  /** `right again`: it was found as it should be, or gone. `put off`: a look or a sweep that follows sees to it. */
  readonly result: 'healed' | 'right again' | 'put off' | 'failed' | 'would be healed';
  /** Why it failed, or was put off. */
  readonly detail?: string;
}

/** How far a project has been read; times are epoch ms. */
export interface SweptProject {
  /** What was changed before this moment has been read. */
  readonly readUpTo: number;
  /** When the last full pass began; 0: the next one is full. */
  readonly fullAt: number;
  /** What was in the deploy phase when it had been swept. */
  readonly inDeployPhase: readonly InDeployPhase[];
  /** Ids of what could not be corrected, those that were tried last at the end: others come first. */
  readonly failing: readonly string[];
  /** Ids of statuses behind which nothing ran. Absent: from an earlier version. */
  readonly orphans?: readonly string[];
}

export interface ReconcileResult {
  readonly dryRun: boolean;
  /** Work items that were read. */
  readonly looked: number;
  readonly inDeployPhase: number;
  readonly drifted: number;
  readonly healed: number;
  /** Left to a look or a sweep that follows. */
  readonly putOff: number;
  readonly failed: number;
  /** Projects of the tracker that could not be read, at most 200 of them, and why: the next sweep reads on where the last good one began. */
  readonly unread: readonly { readonly project: string; readonly why: string }[];
  /** Deploys and windows whose workflow task keeps failing, at most 200 of them; `null`: it is not known. */
  readonly failing: readonly FailingRun[] | null;
  /** Statuses that no run takes further, at most 200 of them: each needs a person. `null`: it is not known. */
  readonly orphaned: readonly Orphan[] | null;
  /** What drifted, at most 200 of it. */
  readonly healings: readonly Healing[];
  /** By project, for the next sweep; those that it is to read anew may be missing. */
  readonly projects: Readonly<Record<string, SweptProject>>;
  /** The project that the next sweep begins with, as this one has lasted too long for it; `null`: it came to its end. */
  readonly beginWith: string | null;
}
