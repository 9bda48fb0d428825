import type { CustomSlotSupplier, SlotPermit, WorkerTuner, WorkflowSlotInfo } from '@temporalio/worker';

/** Workflows that are replayed at once. A replay takes a tenth of a second of CPU, and each has 5 s for its workflow task. */
const REPLAYS = 10;

/** The SDK's defaults. */
const WORKFLOW_TASKS = 40;
const ACTIVITIES = 100;

/**
 * The slots of a worker. A worker that was restarted is given the tasks of all its windows at once. By default it replays 40 of them side by
 * side: none of these ends within the 5 s of a workflow task, so that all are given out and replayed again. Meanwhile the tasks of workflows
 * that it has in its cache wait for a slot. So replays have slots of their own, and few of them.
 */
export const taskSlots = (): WorkerTuner => ({
  workflowTaskSlotSupplier: createWorkflowTaskSlots(REPLAYS, WORKFLOW_TASKS),
  activityTaskSlotSupplier: { type: 'fixed-size', numSlots: ACTIVITIES },
  localActivityTaskSlotSupplier: { type: 'fixed-size', numSlots: ACTIVITIES },
  nexusTaskSlotSupplier: { type: 'fixed-size', numSlots: 1 },
});

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
  const pools = {
    replays: { free: replays, waiting: new Set() } as Pool,
    cached: { free: cached, waiting: new Set() } as Pool,
  };
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
      const permit = take(context);
      if (permit !== null) return permit;
      const pool = poolOf(context);
      return new Promise<Permit>((resolve, reject) => {
        pool.waiting.add(resolve);
        abortSignal.addEventListener('abort', () => {
          if (pool.waiting.delete(resolve)) reject(new DOMException('the slot is not needed any more', 'AbortError'));
        });
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
