import { ApplicationFailure, proxyActivities, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { AlertActivities } from '../activities/alerts.ts';
import type { TaskActivities } from '../activities/tasks.ts';
import { messageOf } from './failures.ts';
import { D2dRepo, D2dWorkItem, type Reopened, type ReopenInput } from './messages.ts';
import { parseReopen } from './parse-message.ts';
import { since } from './patches.ts';

/** Somebody waits for the answer. */
const bounded = { startToCloseTimeout: '30 seconds', scheduleToCloseTimeout: '1 minute' } as const;
const tasks = proxyActivities<TaskActivities>({ ...bounded, heartbeatTimeout: '10 seconds' });
const { commentOnWorkItem } = proxyActivities<AlertActivities>(bounded);

/**
 * Sets a task that is done back to stage `deploy`, so that its work item can be deployed again. Its status in the tracker stays
 * until that deploy begins.
 * @throws ApplicationFailure `Refused`: the task is not done, or a deploy or window of it is running.
 */
export async function reopenTask(payload: ReopenInput): Promise<Reopened> {
  const input = parseReopen(payload, () => since('name-pattern'));
  if (typeof input === 'string') throw ApplicationFailure.nonRetryable(input, 'Refused');
  const { repo, workItem, by, reason } = input;
  upsertSearchAttributes([
    { key: D2dRepo, value: repo },
    { key: D2dWorkItem, value: workItem },
  ]);
  const reopened = await tasks.reopenTask({ repo, workItem });
  try {
    await commentOnWorkItem({
      repo: reopened.repo,
      workItem,
      key: `${workflowInfo().runId}:reopened`,
      paragraphs: [`${workItem}: reopened by ${by}: ${reason}.`, 'It can be deployed again.'],
    });
    return { ...reopened, note: null };
  } catch (error) {
    return { ...reopened, note: `the comment could not be written: ${messageOf(error)}` };
  }
}
