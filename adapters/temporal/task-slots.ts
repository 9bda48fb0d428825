import type { CustomSlotSupplier, SlotPermit, WorkerTuner, WorkflowSlotInfo } from '@temporalio/worker';

/**
 * Workflows that are not in the cache, and are worked on at once: most of their time is a replay, a tenth of a second of CPU, and then their
 * probe. Each has 5 s for its workflow task.
 */
const REPLAYS = 10;

/** The SDK's defaults. */
const WORKFLOW_TASKS = 40;
const ACTIVITIES = 100;

/**
 * The slots of a worker. A restarted worker gets a task of every window at once. With the default pool it replays 40 at a time; none finishes
 * within the 5 s workflow task timeout, and all are retried. Cached workflows find no free slot meanwhile. Replays therefore have a small pool
 * of their own.
 */
export const taskSlots = (): WorkerTuner => ({
  workflowTaskSlotSupplier: createWorkflowTaskSlots(REPLAYS, WORKFLOW_TASKS),
  activityTaskSlotSupplier: { type: 'fixed-size', numSlots: ACTIVITIES },
  localActivityTaskSlotSupplier: { type: 'fixed-size', numSlots: ACTIVITIES },
  nexusTaskSlotSupplier: { type: 'fixed-size', numSlots: 1 },
});

/** What the SDK says of the slot that it asks for, and what a permit keeps of it. */
interface Permit extends SlotPermit {
  readonly isSticky: boolean;
}

interface Pool {
  free: number;
  /** Those that wait for a slot, the longest first. */
  readonly waiting: Set<(permit: Permit) => void>;
}

/**
 * @param replays slots of tasks that come with a history
 * @param cached slots of tasks of workflows that are in the cache
 */
export function createWorkflowTaskSlots(replays: number, cached: number): CustomSlotSupplier<WorkflowSlotInfo> {
  const pool = (free: number): Pool => ({ free, waiting: new Set() });
  const pools = { replays: pool(replays), cached: pool(cached) };
  const poolOf = ({ isSticky }: Permit): Pool => (isSticky ? pools.cached : pools.replays);
  const take = ({ isSticky }: Permit): Permit | null => {
    const pool = poolOf({ isSticky });
    if (pool.free === 0) return null;
    pool.free -= 1;
    return { isSticky };
  };
  return {
    type: 'custom',
    tryReserveSlot: take,
    async reserveSlot(context, abortSignal) {
      abortSignal.throwIfAborted(); // nobody would give the slot back
      const permit = take(context);
      if (permit !== null) return permit;
      const pool = poolOf(context);
      return new Promise<Permit>((resolve, reject) => {
        pool.waiting.add(resolve);
        const giveUp = (): void => {
          if (pool.waiting.delete(resolve)) reject(abortSignal.reason);
        };
        abortSignal.addEventListener('abort', giveUp, { once: true });
      });
    },
    markSlotUsed() {},
    releaseSlot({ permit }) {
      const { isSticky } = permit as Permit;
      const pool = poolOf({ isSticky });
      const [next] = pool.waiting;
      if (next === undefined) pool.free += 1;
      else {
        pool.waiting.delete(next);
        next({ isSticky });
      }
    },
  };
}
