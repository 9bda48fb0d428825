import { patched } from '@temporalio/workflow';

/**
 * Every id that is asked for with `since`, and what runs do whose history is older than it. An id stays for as long as such a history may be
 * replayed. A replay of a newer history finds its marker, and takes the new path.
 *
 * In the replay of an old history `since` answers `false`; once that run goes on live, `true`. So one run can get both answers to one id.
 */
const PATCHES = {
  'alarm-beside': 'wait until an alarm about a status is sent before they write the status again',
  'alarm-told': 'lose an alarm about a status that the sink refuses, and read the status back only after the alarm',
  'alert-of-lost-log': 'send no alert about the log of a window that cannot be written',
  'alerts-of-endings': 'send no alert that production has recovered, was rolled back, or was not seen',
  'alerts-of-failed-deploys': 'tell of a failed or unhealthy deploy by a comment alone',
  'calls-once': 'pass on each call of a driver for a person, also the same one again',
  'calls-on-the-ticket': 'tell of a call for a person by an alert alone',
  'cancel-ends-late-task': 'try to set the task to done also after a cancel',
  'cancel-first': 'roll back, or set the task to done, although a cancel came in the same workflow task',
  'ending-after-clock': 'act after an ending that came while the clock of a worker was looked at',
  'ending-first': 'probe and act although a cancel came in the same workflow task as the timer',
  'ends-after-its-alerts': 'end without their alerts; only where they do not hand over (wrap-up)',
  'failing-workflow-tasks': 'do not look for workflow tasks that fail',
  'first-answer-counts': 'let a report outrank a resolution that came before it',
  'ignored-signals-wake-nobody': 'begin the timer of the next look anew after each signal that is ignored',
  'late-task-decides':
    'end as their window says, although the task was cancelled or deleted before it could be set to done',
  'late-task-is-known': 'end at once after a cancel, although the last try may set the task to done',
  'look-before-end': 'drop a request for a look that comes while they end',
  'name-pattern': 'take any name of a repository and a work item',
  'orphaned-statuses': 'do not look for orphaned statuses',
  'outcome-of-refusals': 'set no outcome where their input is refused',
  'refusal-leaves': 'drop alerts and comments on their way where the start is refused',
  'rollback-is-checked': 'take a rollback of an unhealthy deploy for a recovery',
  'status-shown': 'do not tell their window that a status was shown only since it has begun',
  'time-from-a-worker': "use the workflow's time for decisions",
  'told-until-heard': 'give up an alert or a comment after 10 s',
  'unhealthy-rollback': 'do not roll back a deploy that is unhealthy',
  'unknown-deploy-waits': 'end where nobody knows how the deploy ended',
  'unknown-rollback-is-watched':
    'take a rollback of which nobody knows for a failed one, and do not look at production after it',
  'version-of-done-task': 'do not say which version a done task was deployed with',
  'version-pattern': 'take any version',
  'whose-report': 'take the report of any deploy, and none that came with the start',
  'window-rules-2': 'count looks that pass while a probe runs as missed, and prove a recovery by health alone',
  'window-rules-3': 'take a look that failed for evidence of health',
  'window-rules-4': "take a worker's clock that is up to 10 s ahead for right",
  'window-rules-5': 'continue as new after 1,500 events',
  'wrap-up': 'wait for the last status, its settle, alerts, comments and the log before they end',
  'wrap-ups-without-gaps': 'count a hand-over also where there was nothing to hand over',
} as const;

export type Patch = keyof typeof PATCHES;

/** Whether this point was first reached by code that has the change. Records a marker the first time it answers `true`. */
export const since = (id: Patch): boolean => patched(id);

export const patchIds: readonly string[] = Object.keys(PATCHES);
