import { LOCK_LIMITS, LockTimeout } from '../../adapters/postgres/work-item-lock.ts';
import type { VirtualClock } from './virtual-clock.ts';
import type { VirtualWorker } from './virtual-worker.ts';

/** One advisory lock with the limits of the real one, in memory: a scheduler cannot see waits inside Postgres. */
export interface VirtualLock {
  /** As `createWorkItemLock`, for one work item. */
  hold<T>(worker: VirtualWorker, run: (lost: AbortSignal) => Promise<T>): Promise<T>;
  /** How often somebody lost it. */
  lost(): number;
}

/** A process that was frozen does some more before it reads what came meanwhile. */
async function hears(worker: VirtualWorker): Promise<void> {
  await worker.turn('is told that its lock is gone');
  await worker.turn('hears that its lock is gone');
}

export function virtualLock(clock: VirtualClock): VirtualLock {
  let holder: object | null = null;
  let losses = 0;
  const waiting: (() => void)[] = [];
  const free = (who: object): void => {
    if (holder !== who) return;
    holder = null;
    waiting.shift()?.();
  };
  /** Waits for the lock, as long as it may be waited for. */
  const taken = (who: object): Promise<void> =>
    new Promise((resolve, reject) => {
      const take = (): void => {
        callOff();
        holder = who;
        resolve();
      };
      const callOff = clock.at(clock.now() + LOCK_LIMITS.waitMs, () => {
        waiting.splice(waiting.indexOf(take), 1);
        reject(new LockTimeout('the lock was not free in time'));
      });
      if (holder === null) take();
      else waiting.push(take);
    });

  return {
    lost: () => losses,
    async hold(worker, run) {
      const who = {};
      const lost = new AbortController();
      await worker.turn('asks for the lock');
      const callOffDeath = worker.onDeath(() => free(who));
      await taken(who);
      const callOffLimit = clock.at(clock.now() + LOCK_LIMITS.holdMs, () => {
        losses += 1;
        free(who);
        void hears(worker).then(() => lost.abort(new Error('the lock was lost')));
      });
      try {
        const result = await run(lost.signal);
        lost.signal.throwIfAborted();
        await worker.turn('commits');
        return result;
      } finally {
        callOffLimit();
        callOffDeath();
        free(who);
      }
    },
  };
}
