import {
  condition,
  continueAsNew,
  log,
  proxyActivities,
  setDefaultSignalHandler,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { AlertActivities } from '../activities/alerts.ts';
import type { Healed, HealWorkItem } from '../activities/heal-work-item.ts';
import { messageOf } from './failures.ts';
import { D2dRepo, D2dWorkItem, type HealInput, type HealResult, lookSignal } from './messages.ts';
import { since } from './patches.ts';

const activities = proxyActivities<HealWorkItem>({
  startToCloseTimeout: '45 seconds',
  scheduleToCloseTimeout: '10 minutes', // the next sweep looks, too
  heartbeatTimeout: '10 seconds',
});

/** Given up after 10 minutes; a heal does not end before. */
const { sendAlert } = proxyActivities<AlertActivities>({
  summary: 'call somebody',
  startToCloseTimeout: '45 seconds',
  scheduleToCloseTimeout: '10 minutes',
});

/** Events that come while it looks, or so soon after, are one more look: a storm of them costs no more than that. */
const REST = '1 second';

/** After a correction it stays for so long: whoever writes again is answered at once, and somebody who fights is noticed. */
const STAY = '1 minute';

/** So many corrections: somebody writes against us. */
const FOUGHT = 5;

/** The most looks of one execution: it goes on as a new one where more are asked for. */
const MOST_LOOKS = 50;

/**
 * Looks at one work item because something has happened to it, and corrects what should not stand. It has the work item in its id,
 * so that there is one at a time, and each signal asks for one more look.
 */
export async function healWorkItem({ id, project, reason = 'event', once = false }: HealInput): Promise<HealResult> {
  let asked = 0;
  setHandler(lookSignal, () => {
    asked += 1;
  });
  setDefaultSignalHandler(() => {});
  let looks = 0;
  let corrections = 0;
  let last: Healed | null = null;
  let alarming: Promise<void> | null = null;
  for (let more = true; more; ) {
    const answered = asked;
    const asks = () => asked > answered;
    /** Waits for the alert. @returns whether nobody has asked for another look by then */
    const isOver = async (): Promise<boolean> => {
      if (alarming !== null && since('look-before-end')) {
        await Promise.race([alarming, condition(asks)]);
        return !asks();
      }
      await alarming;
      return true;
    };
    looks += 1;
    const seen = await activities.healWorkItem({ id, project, reason });
    if (seen !== null) {
      if (last === null && workflowInfo().typedSearchAttributes.get(D2dWorkItem) === undefined)
        upsertSearchAttributes([
          { key: D2dRepo, value: seen.repo },
          { key: D2dWorkItem, value: seen.workItem },
        ]);
      last = seen;
      if (hasWritten(seen)) corrections += 1;
      if (hasWritten(seen) && corrections === FOUGHT) {
        alarming = callSomebody(seen);
        // A sink that is down must not keep the status from being corrected.
        if (!since('alarm-beside')) await alarming;
      }
    }
    if (once && !asks() && (await isOver())) break;
    await sleep(REST, { summary: 'events that come now are one more look' });
    if (looks === MOST_LOOKS) {
      if (!asks() && (await isOver())) break;
      await alarming;
      await continueAsNew<typeof healWorkItem>({ id, project, reason, once });
    }
    more =
      asks() ||
      (!once &&
        corrections > 0 &&
        (await condition(asks, STAY, { summary: 'whoever writes again is answered at once' }))) ||
      !(await isOver());
  }
  return { looks, corrections, last };
}

/** Also by a try whose answer was lost. */
export const hasWritten = ({ wrote, earlier = [] }: Healed): boolean => wrote || earlier.length > 0;

async function callSomebody({ repo, workItem, shown, status }: Healed): Promise<void> {
  const alert = {
    key: `${workflowInfo().firstExecutionRunId}:fought`,
    severity: 'critical' as const,
    repo,
    workItem,
    title: `${workItem}: somebody keeps changing its status in the tracker`,
    text: `it was corrected ${FOUGHT} times within minutes, the last time from ${shown} to ${status}`,
    at: Date.now(),
  };
  await sendAlert(alert).catch((error) => log.warn(`the alert could not be sent: ${messageOf(error)}`));
}
