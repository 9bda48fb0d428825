import { LOCK_LIMITS, LockTimeout } from '../../adapters/postgres/work-item-lock.ts';
import type { VirtualClock } from './virtual-clock.ts';
import type { VirtualWorker } from './virtual-worker.ts';

/** One advisory lock with the limits of the real one, in memory: a scheduler cannot see waits inside Postgres. */
export interface VirtualLock {
  /** As `createWorkItemLock`, for one work item. */
  hold<T>(worker: VirtualWorker, run: (lost: AbortSignal) => Promise<T>): Promise<T>;
  /** How often somebody lost it. */
  lost(): number;
  /** The database ends the session that holds it: its holder hears of it after some turns. @returns whether anybody held it. */
  endSession(): boolean;
}

/** A process that was frozen does some more before it reads what came meanwhile. */
async function hears(worker: VirtualWorker): Promise<void> {
  await worker.turn('is told that its lock is gone');
  await worker.turn('hears that its lock is gone');
}

interface Holder {
  loses(): void;
}

export function virtualLock(clock: VirtualClock): VirtualLock {
  let holder: Holder | null = null;
  let losses = 0;
  const waiting: (() => void)[] = [];
  const free = (who: Holder): void => {
    if (holder !== who) return;
    holder = null;
    waiting.shift()?.();
  };
  /** Waits for the lock, as long as it may be waited for. */
  const taken = (who: Holder): Promise<void> =>
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
    endSession() {
      const held = holder !== null;
      holder?.loses();
      return held;
    },
    async hold(worker, run) {
      const lost = new AbortController();
      const who: Holder = {
        loses() {
          losses += 1;
          free(who);
          void hears(worker).then(() => lost.abort(new Error('the lock was lost')));
        },
      };
      await worker.turn('asks for the lock');
      const callOffDeath = worker.onDeath(() => free(who));
      await taken(who);
      const callOffLimit = clock.at(clock.now() + LOCK_LIMITS.holdMs, () => {
        if (holder === who) who.loses();
      });
      try {
        const result = await run(lost.signal);
        lost.signal.throwIfAborted();
        await worker.turn('commits');
        if (holder !== who) throw new Error('the session of the lock is gone');
        return result;
      } finally {
        callOffLimit();
        callOffDeath();
        free(who);
      }
    },
  };
}
