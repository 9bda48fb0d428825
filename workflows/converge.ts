import { isCancellation, log, proxyActivities, sleep } from '@temporalio/workflow';
import type { LastWord, LastWordResult, StatusSetters } from '../activities/status-setters.ts';
import type { OwnStatuses } from '../decisions/index.ts';
import { isFailure, messageOf } from './failures.ts';
import { since } from './patches.ts';
import { sendAlert } from './tell-people.ts';
import { mendingMs } from './until-it-works.ts';

/** The last write of a run is tried again without limit: a status is late rather than wrong (invariant 3). */
export const lastSetters = (summary: string) =>
  proxyActivities<StatusSetters>({
    summary,
    startToCloseTimeout: '45 seconds',
    heartbeatTimeout: '10 seconds',
    retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
  });

/** How often a status is read back and found wrong before somebody is called. */
const SETTLE_TRIES = 5;

/** Whose last status is written. */
interface LastWrite {
  readonly repo: string;
  readonly workItem: string;
  /** Names this run, so that an alarm of one kind about it is raised once. */
  readonly alarmKey: string;
}

export interface Convergence extends LastWrite {
  readonly caller: string;
  readonly reason: string;
  /** Only where the guard is in force is a status read back. */
  readonly guarded: boolean;
  readonly settleMs: number;
  /** The deploy left production degraded, or rolled back, and there is a state for that. */
  readonly degraded?: boolean;
  /** Nothing was deployed: a status that rests stays. */
  readonly redrive?: boolean;
  /** What the run knows of its statuses, so that somebody's choice stays. */
  readonly own?: OwnStatuses;
  /** The deploy and its window, as part of a sentence: what a comment says where somebody's choice stays. */
  readonly news?: string;
  /** The deploy that asks: a newer run of the work item outranks it. Absent: a window without a deploy, or an earlier version. */
  readonly run?: string;
}

/** What the last word needs of the world. The workflows have it of Temporal; a model of all races has its own. */
export interface Outside {
  setters(summary: string): Pick<StatusSetters, 'convergeDone' | 'settleStatus'>;
  sleep(ms: number, options: { readonly summary: string }): Promise<void>;
  sendAlert(alert: Parameters<typeof sendAlert>[0]): Promise<void>;
  /** False in runs of earlier versions: they waited for the alarm before they tried again. */
  besideAlarms(): boolean;
  /** Writes a comment where a person has moved the work item. Absent: none is written. */
  tell?(kind: string, paragraphs: readonly string[]): void;
}

export const TEMPORAL: Outside = {
  setters: lastSetters,
  sleep,
  sendAlert,
  besideAlarms: () => since('alarm-beside'),
};

/**
 * The last word on a done task: writes `Done`, or the state for what ended degraded, then, after the settle time, reads it back and converges again until a read
 * needs no write (invariant 5). Ends early only where the work item is gone from the tracker.
 * @param note takes what did not go as it should
 */
export async function convergeAndSettle(
  convergence: Convergence,
  note: (text: string) => void,
  outside: Outside = TEMPORAL,
): Promise<void> {
  const done = () => outside.setters(summaryOf(convergence)).convergeDone(lastWord(convergence));
  const written = await untilWritten(convergence, note, done, outside);
  if (written === null) return;
  tellOfChoice(convergence, written, (...told) => outside.tell?.(...told));
  await settle(convergence, note, outside);
}

/** Has a comment written about a status that a person has chosen, and that stays. */
export function tellOfChoice(
  { news, workItem }: Convergence,
  { chosen, shown }: LastWordResult,
  tell: (kind: string, paragraphs: readonly string[]) => void,
): void {
  if (chosen === true && news !== undefined)
    tell('left', [`${workItem}: ${news}. The status was left at ${shown || 'what somebody has chosen'}.`]);
}

/** What is asked of `convergeDone`. */
export function lastWord({ repo, workItem, caller, reason, run, degraded, redrive, own }: Convergence): LastWord {
  return {
    ...{ repo, workItem, caller, reason },
    ...(run === undefined ? {} : { run }),
    ...(degraded === true ? { degraded: true as const } : {}),
    ...(redrive === true ? { redrive: true as const } : {}),
    ...(own === undefined ? {} : { own }),
  };
}

export const summaryOf = ({ degraded }: Convergence): string =>
  degraded === true ? 'show that it is degraded' : 'show Done';

/** Reads the status back after the settle time, and converges it again, until a read needs no write. */
export async function settle(
  convergence: Convergence,
  note: (text: string) => void,
  outside: Outside = TEMPORAL,
): Promise<void> {
  const { repo, workItem, caller, guarded, settleMs } = convergence;
  if (!guarded) return;
  for (let attempt = 1; attempt <= SETTLE_TRIES; attempt += 1) {
    if (settleMs > 0) await outside.sleep(settleMs, { summary: 'then the status is read back' });
    const settled = () =>
      outside.setters('read the status back').settleStatus({ repo, workItem, caller, reason: 'settle' });
    const result = await untilWritten(convergence, note, settled, outside, 'unsettled');
    if (result?.wrote !== true) return;
    note(`the status was wrong after it had settled, and was converged again (${attempt} of ${SETTLE_TRIES})`);
  }
  await alarm(
    convergence,
    'fought',
    note,
    outside,
    `the status was wrong ${SETTLE_TRIES} times in a row after it had settled: somebody keeps writing it`,
  );
}

/**
 * Runs a write until it has worked. Where only a person can mend it, somebody is called.
 * @param kind which write this is, for the key of that alarm
 * @returns `null`: the work item is gone from the tracker, so there is nothing to mirror any more.
 */
export async function untilWritten<T>(
  last: LastWrite,
  note: (text: string) => void,
  run: () => Promise<T>,
  outside: Outside = TEMPORAL,
  kind: 'unwritten' | 'unsettled' = 'unwritten',
): Promise<T | null> {
  let alarming: Promise<void> | null = null;
  for (let failures = 1; ; failures += 1) {
    try {
      const written = await run();
      await alarming;
      return written;
    } catch (error) {
      if (isCancellation(error)) throw error;
      const text = messageOf(error);
      if (isFailure(error, 'PlaneNotFound')) {
        note(`mirroring ended: ${text}`);
        await alarming;
        return null;
      }
      if (failures === 1) {
        const why = `the last status cannot be written; retrying every few minutes: ${text}`;
        alarming = alarm(last, kind, note, outside, why);
        alarming.catch(() => {}); // waited for once the status is written
        // A sink that is down must not keep the status from being written.
        if (!outside.besideAlarms()) await alarming;
      }
      await outside.sleep(mendingMs(failures), { summary: 'then the last status is written again' });
    }
  }
}

async function alarm(
  { repo, workItem, alarmKey }: LastWrite,
  kind: 'unwritten' | 'unsettled' | 'fought',
  note: (text: string) => void,
  { sendAlert: send }: Outside,
  text: string,
): Promise<void> {
  note(text);
  try {
    await send({
      // A sink that drops repetitions by their key must not drop another alarm.
      key: `${alarmKey}:status-${kind}`,
      severity: 'critical',
      repo,
      workItem,
      title: `${workItem}: its status in the tracker is not certain`,
      text,
      at: Date.now(),
    });
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.error('the alarm about a status could not be sent', { error });
  }
}
