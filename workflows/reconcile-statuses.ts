import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  executeChild,
  isCancellation,
  log,
  proxyActivities,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import type { Drift, PageRead, Reconcile } from '../activities/reconcile.ts';
import { messageOf } from './failures.ts';
import { healWorkItem } from './heal-work-item.ts';
import { type Healing, healWorkflowId, type ReconcileInput, type ReconcileResult } from './messages.ts';
import { parseReconcileInput } from './parse-message.ts';

/** Reads wait where Plane is away, or where writes need what is left of its rate limit; the next sweep reads what this one could not. */
const reads = proxyActivities<Reconcile>({
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '10 minutes',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '2 seconds', maximumInterval: '1 minute' },
});

/** Statuses that are corrected side by side: Plane's rate limit is everybody's. */
const AT_ONCE = 4;

/** The sweep before may have missed what was changed while it read: so much is read again, ms. */
const MARGIN_MS = 5 * 60_000;

/** A full pass is made again after a day, ms. */
const FULL_EVERY_MS = 24 * 60 * 60_000;

/** The most corrections that a result lists. */
const LISTED = 500;

/**
 * One sweep: finds the deploy-phase statuses that should not stand, and corrects them (docs/status-protocol.md). It reads what was
 * changed since the sweep before, and once a day everything. Started by a schedule, whose last result tells it where that one began.
 */
export async function reconcileStatuses(payload?: ReconcileInput): Promise<ReconcileResult> {
  const { dryRun, full: asked } = parseReconcileInput(payload);
  const { lastResult, startTime } = workflowInfo();
  const before = isResult(lastResult) ? lastResult : null;
  const began = startTime.getTime();
  const full = asked || before === null || began - before.fullAt >= FULL_EVERY_MS;
  const since = full ? null : before.readUpTo - MARGIN_MS;

  const seen = { looked: 0, inDeployPhase: 0 };
  const healings: Healing[] = [];
  const handled = new Set<string>();
  let unread = 0;

  const correct = async (drifts: readonly Drift[]): Promise<void> => {
    const waiting = drifts.filter(({ workItem }) => !handled.has(workItem) && handled.add(workItem));
    const lane = async (): Promise<void> => {
      for (let drift = waiting.shift(); drift !== undefined; drift = waiting.shift()) {
        healings.push({ ...drift, ...(dryRun ? { result: 'would be healed' } : await heal(drift)) });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  };
  const attempt = async (read: () => Promise<void>): Promise<void> => {
    try {
      await read();
    } catch (error) {
      if (isCancellation(error)) throw error;
      unread += 1;
      log.warn(`a part of the tracker could not be read: ${messageOf(error)}`);
    }
  };

  for (const project of await reads.projectsToSweep()) {
    await attempt(async () => {
      for (let cursor: string | null = null, more = true; more; ) {
        const page: PageRead = await reads.readPage({ project, cursor, since });
        seen.looked += page.looked;
        seen.inDeployPhase += page.inDeployPhase;
        await correct(page.drifts); // writes come before the reads of the next page
        cursor = page.next;
        more = cursor !== null;
      }
    });
  }
  await attempt(async () => {
    const finished = await reads.readFinished({ since: since ?? began - FULL_EVERY_MS });
    seen.looked += finished.looked;
    await correct(finished.drifts);
  });

  const of = (result: Healing['result']): number => healings.filter((healing) => healing.result === result).length;
  const result: ReconcileResult = {
    dryRun,
    full,
    ...seen,
    drifted: healings.length,
    healed: of('healed'),
    failed: of('failed'),
    unread,
    // What could not be read is read by the next one.
    readUpTo: unread === 0 || before === null ? began : before.readUpTo,
    fullAt: full && unread === 0 ? began : (before?.fullAt ?? 0),
    healings: healings.slice(0, LISTED),
  };
  const line =
    `${full ? 'full sweep' : 'sweep'}${dryRun ? ' (dry run)' : ''}: ${result.looked} looked at, ${result.inDeployPhase} in a deploy-phase status, ` +
    `${result.drifted} drifted, ${result.healed} healed, ${result.failed} failed${unread === 0 ? '' : `, ${unread} parts unread`}`;
  setCurrentDetails(line);
  log.info(line, { sweep: { ...result, healings: undefined } });
  return result;
}

/** By a healing of its own, as for an event: there is one at a time for each work item, and it is found by it afterwards. */
async function heal({ item }: Drift): Promise<Pick<Healing, 'result' | 'detail'>> {
  try {
    const { last } = await executeChild(healWorkItem, {
      workflowId: healWorkflowId(item.id),
      args: [{ ...item, reason: 'sweep', once: true }],
      staticSummary: 'a sweep found a status that should not stand',
    });
    return { result: last?.wrote === true ? 'healed' : 'right again' };
  } catch (error) {
    if (isCancellation(error)) throw error;
    if (error instanceof WorkflowExecutionAlreadyStartedError)
      return { result: 'right again', detail: 'it is being looked at already' };
    return { result: 'failed', detail: messageOf(error) };
  }
}

const isResult = (value: unknown): value is ReconcileResult =>
  typeof value === 'object' &&
  value !== null &&
  'readUpTo' in value &&
  typeof value.readUpTo === 'number' &&
  'fullAt' in value &&
  typeof value.fullAt === 'number';
