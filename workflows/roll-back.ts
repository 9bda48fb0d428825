import { proxyActivities } from '@temporalio/workflow';
import type { Rollback, RollbackResult } from '../activities/rollback.ts';
import { type DriverLimits, driverTimeouts } from './driver-time-outs.ts';
import { isFailure, messageOf } from './failures.ts';
import { now } from './now.ts';
import { onAnyWorker } from './on-any-worker.ts';

export interface RollbackRequest {
  readonly repo: string;
  readonly workItem: string;
  readonly version: string | null;
  /** The same in every attempt. */
  readonly operationId: string;
}

/**
 * Rolls a repository back once. Only a driver that is declared idempotent is tried again; else a worker that is lost in the
 * middle leaves it unknown (`unknown`). What goes wrong is a result.
 * @param driver `null`: the repository has none
 */
export async function rollBack(
  driver: (DriverLimits & { readonly idempotent: boolean }) | null,
  request: RollbackRequest,
): Promise<RollbackResult> {
  const { repo } = request;
  if (driver === null) return { ok: false, detail: `repository ${repo} has no rollback driver`, at: Date.now() };
  try {
    const activities = proxyActivities<Rollback>({
      ...driverTimeouts(driver),
      retry: { maximumAttempts: driver.idempotent ? 10 : 1 },
      summary: `roll back ${repo}`,
    });
    return await onAnyWorker(() => activities.rollback(request));
  } catch (error) {
    if (isFailure(error, 'NotDescribedHere')) return { ok: false, detail: messageOf(error), at: Date.now() };
    return { ok: false, unknown: true, detail: messageOf(error), at: await now() };
  }
}
