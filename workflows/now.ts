import { patched, proxyLocalActivities } from '@temporalio/workflow';
import type { WorkerClock } from '../activities/worker-clock.ts';

/** Without a limit on its tries: it cannot fail for good. */
const { tellTime } = proxyLocalActivities<WorkerClock>({ startToCloseTimeout: '5 seconds' });

/**
 * The time, epoch ms, for whatever a workflow decides by it. A worker tells it: the workflow's own `Date.now()` may be another in a replay
 * after a worker was lost. Runs of earlier versions took that.
 */
export const now = async (): Promise<number> =>
  patched('time-from-a-worker') ? (await tellTime(Date.now())).at : Date.now();
