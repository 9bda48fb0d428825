import {
  ActivityCancellationType,
  CancellationScope,
  condition,
  isCancellation,
  proxyActivities,
  sleep,
} from '@temporalio/workflow';
import type { AlertActivities } from '../activities/alerts.ts';
import { isFailure, messageOf } from './failures.ts';
import { since } from './patches.ts';
import { mendingMs } from './until-it-works.ts';

const limits = { startToCloseTimeout: '45 seconds', retry: { maximumInterval: '1 minute' } } as const;

/** The first tries: so long the end of a run waits for them. */
const soon = { ...limits, scheduleToCloseTimeout: '10 seconds' } as const;

/**
 * The later ones, without a limit in all: what takes the sink or the tracker away may last, and a person must hear of it all the same.
 * Cancelling waits until the attempt has stopped, so that the wrap-up cannot send the same twice.
 */
const sometime = { ...limits, cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED } as const;

const alerts = { summary: 'call somebody' };
const comments = { summary: 'tell it on the work item' };

export const { sendAlert } = proxyActivities<AlertActivities>({ ...limits, ...alerts });
const { sendAlert: sendAlertSoon } = proxyActivities<AlertActivities>({ ...soon, ...alerts });
const { sendAlert: sendAlertSometime } = proxyActivities<AlertActivities>({ ...sometime, ...alerts });
const { commentOnWorkItem: commentSoon } = proxyActivities<AlertActivities>({ ...soon, ...comments });
const { commentOnWorkItem: commentSometime } = proxyActivities<AlertActivities>({ ...sometime, ...comments });

export type Alert = Parameters<typeof sendAlert>[0];
export type Severity = Alert['severity'];
export type WorkItemComment = Parameters<typeof commentSoon>[0];

/** What people are to hear, and have not heard yet. */
export interface Untold {
  readonly alerts: readonly Alert[];
  readonly comments: readonly WorkItemComment[];
}

/** Tells people beside a run's own work. */
export interface Telling {
  /**
   * Whether the sink has taken it: `false` where it was left to others, or where a run of an earlier version gave it up.
   * @param refused takes what a person is to know where it was not taken at once
   */
  alert(alert: Alert, refused?: (text: string) => void): Promise<boolean>;
  /** Whether the tracker has it. */
  comment(comment: WorkItemComment): Promise<boolean>;
  /** Whether everything has been told, or given up. */
  isDone(): boolean;
  /** Stops what has not been told in its first tries. @returns what is left to tell */
  leave(): Promise<Untold>;
}

/** A message on its way. */
interface Message {
  /** Of its later tries; `null` while the first ones go on. */
  later: CancellationScope | null;
  told: Promise<boolean>;
}

/** @param note takes what did not go as it should */
export function createTelling(note: (text: string) => void): Telling {
  const alerting = new Map<Alert, Message>();
  const commenting = new Map<WorkItemComment, Message>();
  const all = () => [...alerting.values(), ...commenting.values()];
  let leaving = false;

  function tell<T>(open: Map<T, Message>, about: T, tries: Tries, failed: Failed): Promise<boolean> {
    const message: Message = { later: null, told: Promise.resolve(false) };
    open.set(about, message);
    message.told = untilTold(tries, message, failed).then(
      (told) => {
        open.delete(about);
        return told;
      },
      (error: unknown) => {
        if (leaving && isCancellation(error)) return false;
        throw error;
      },
    );
    return message.told;
  }

  return {
    alert: (alert, refused = () => {}) =>
      tell(alerting, alert, { soon: () => sendAlertSoon(alert), sometime: () => sendAlertSometime(alert) }, (how) => {
        const text = `the alert could not be sent${how}`;
        refused(text);
        note(text);
      }),
    comment: (comment) =>
      tell(commenting, comment, { soon: () => commentSoon(comment), sometime: () => commentSometime(comment) }, (how) =>
        note(`the comment could not be written${how}`),
      ),
    isDone: () => alerting.size + commenting.size === 0,
    async leave() {
      await condition(() => all().every(({ later }) => later !== null));
      leaving = true;
      for (const { later } of all()) later?.cancel();
      await Promise.all(all().map(({ told }) => told));
      const left = { alerts: [...alerting.keys()], comments: [...commenting.keys()] };
      alerting.clear();
      commenting.clear();
      leaving = false;
      return left;
    },
  };
}

/** Takes how the first tries have failed: the end of a sentence that says what they could not do. */
type Failed = (how: string) => void;

interface Tries {
  readonly soon: () => Promise<void>;
  readonly sometime: () => Promise<void>;
}

/**
 * What is refused is tried again slowly, so that it arrives once somebody has mended the sink or the key.
 * @returns whether it was told: not where there is nobody to tell any more, and in runs of earlier versions
 */
async function untilTold({ soon, sometime }: Tries, message: Message, failed: Failed): Promise<boolean> {
  try {
    await soon();
    return true;
  } catch (error) {
    if (isCancellation(error)) throw error;
    const retries = !isFailure(error, 'PlaneNotFound') && since('told-until-heard');
    failed(`${retries ? ' yet and is retried' : ''}: ${messageOf(error)}`);
    if (!retries) return false;
  }
  message.later = new CancellationScope();
  return message.later.run(async () => {
    for (let failures = 1; ; failures += 1) {
      try {
        await sometime();
        return true;
      } catch (error) {
        if (isFailure(error, 'PlaneNotFound')) return false;
        if (isCancellation(error)) throw error;
        await sleep(mendingMs(failures), { summary: 'then people are told again' });
      }
    }
  });
}
