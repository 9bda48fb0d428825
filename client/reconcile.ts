import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { sweepScheduleId } from '../adapters/temporal/sweep-schedule.ts';
import { RECONCILE_WORKFLOW, type ReconcileInput, type ReconcileResult } from '../workflows/messages.ts';
import { asking } from './executions.ts';
import { noticeUntouched } from './taken-up.ts';
import { temporalError } from './temporal-errors.ts';

/**
 * A sweep over every work item, and what came of it. It goes on where the caller gives up.
 * @throws D2dError; the signal's reason.
 */
export async function reconcile(
  temporal: Client,
  taskQueue: string,
  { dryRun = false }: Pick<ReconcileInput, 'dryRun'>,
  { signal, onWaiting = () => {} }: { readonly signal?: AbortSignal; readonly onWaiting?: (why: string) => void } = {},
): Promise<ReconcileResult> {
  const handle = await asking(temporal, () =>
    temporal.workflow.start(RECONCILE_WORKFLOW, {
      taskQueue,
      workflowId: `${sweepScheduleId(taskQueue)}/by-hand-${randomUUID()}`,
      args: [{ dryRun, full: true, taskQueue } satisfies ReconcileInput],
      staticSummary: `sweep by hand${dryRun ? ', dry run' : ''}`,
    }),
  );
  const waiting: Promise<ReconcileResult> = handle.result();
  const stopAsking = noticeUntouched(handle, taskQueue, onWaiting);
  const given = signal === undefined ? waiting : Promise.race([waiting, abortOf(signal)]);
  return given
    .catch((error) => {
      throw signal?.aborted ? signal.reason : temporalError(error);
    })
    .finally(stopAsking);
}

const abortOf = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
