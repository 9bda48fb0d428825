import { proxyLocalActivities } from '@temporalio/workflow';
import type { WorkerClock } from '../activities/worker-clock.ts';
import { since } from './patches.ts';

/** Without a limit on its tries: it cannot fail for good. */
const { tellTime } = proxyLocalActivities<WorkerClock>({ startToCloseTimeout: '5 seconds' });

/**
 * The current time, epoch ms, for decisions. It comes from a local activity: `Date.now()` can differ when a task is replayed after its worker
 * was lost. Runs of earlier versions use `Date.now()`.
 */
export const now = async (): Promise<number> =>
  since('time-from-a-worker') ? (await tellTime(Date.now())).at : Date.now();
