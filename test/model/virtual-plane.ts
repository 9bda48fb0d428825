import type { Scheduler } from 'fast-check';
import type { ShownStatus, Tracker, TrackerStatus, Written } from '../../activities/status-evidence.ts';
import type { VirtualClock } from './virtual-clock.ts';
import type { VirtualWorker } from './virtual-worker.ts';

/** How a write goes. Recorded facts: a 500 may follow the commit, an answer may never come, a proxy may send again. */
export interface WriteFate {
  readonly how: 'fine' | 'lost' | 'answer lost' | 'twice';
  /** The earliest that it arrives, ms; above `CALL_MS` its sender has given up by then. At most `FLIGHT_MS`. */
  readonly takesMs: number;
}

export type Shown = TrackerStatus | 'cancelled' | 'in progress';

export interface VirtualPlane {
  tracker(worker: VirtualWorker): Tracker;
  /** A person's move in the tracker itself. */
  move(to: Shown): void;
  /** Somebody changes another field: the whole row is saved as it was when they read it. */
  edit(): Promise<void>;
  shown(): Shown;
  /** When the row was saved last. */
  changedAt(): number;
  /** Told of every change. */
  onChange(told: () => void): void;
}

/** The client gives up after this, ms (the client's own whole-call limit). */
export const CALL_MS = 15_000;
/** The longest that a read may lag behind, ms. */
export const LAG_MS = 5_000;
/** The longest that a write was on its way to Plane and still stored, ms, with some room (Plane was seen to commit after 12 s). */
export const FLIGHT_MS = 30_000;

/**
 * One row of Plane with its recorded habits: whole rows are saved, writes come late, twice or never, answers get lost.
 * @param lag how old a read is, ms: it may come from a replica. At most `LAG_MS`.
 */
export function virtualPlane(
  scheduler: Scheduler,
  clock: VirtualClock,
  fate: () => WriteFate,
  lag: () => number,
): VirtualPlane {
  let row: Shown = 'in progress';
  let changedAt = clock.now();
  const saved: { readonly status: Shown; readonly at: number }[] = [{ status: row, at: 0 }];
  /** The row as it was so long ago, ms. */
  const rowBefore = (ms: number): Shown => saved.findLast(({ at }) => at <= clock.now() - ms)?.status ?? 'in progress';
  const listeners: (() => void)[] = [];
  const store = (status: Shown): void => {
    row = status;
    changedAt = clock.now();
    saved.push({ status, at: changedAt });
    for (const told of listeners) told();
  };

  /** Stores a write once it can be there, at a moment of the scheduler's choosing, but no later than it can be on its way. */
  function arrival(label: string, earliest: number, latest: number, status: Shown): Promise<void> {
    return new Promise((resolve) => {
      let arrived = false;
      const arrive = (): void => {
        if (arrived) return;
        arrived = true;
        callOff();
        store(status);
        resolve();
      };
      const callOff = clock.at(latest, arrive);
      clock.at(earliest, () => void scheduler.schedule(Promise.resolve(), label).then(arrive));
    });
  }

  async function patch(worker: VirtualWorker, status: Shown): Promise<void> {
    const { how, takesMs } = fate();
    const label = `${status} is stored`;
    const sent = clock.now();
    const latest = sent + FLIGHT_MS;
    const stored = how === 'lost' ? new Promise<void>(() => {}) : arrival(label, sent + takesMs, latest, status);
    if (how === 'twice') void stored.then(() => arrival(`${label} again`, clock.now() + takesMs, latest, status));
    const gaveUp = clock.sleep(CALL_MS).then(() => {
      throw new Error('no answer in time; the write may have been applied');
    });
    gaveUp.catch(() => {});
    await Promise.race([stored, gaveUp]);
    await worker.turn('gets its answer');
    if (how === 'answer lost') throw new Error('the answer was lost; the write may have been applied');
  }

  const shownAs = (state: Shown): ShownStatus => ({
    id: state,
    name: state,
    status: state === 'cancelled' || state === 'in progress' ? null : state,
  });

  return {
    tracker: (worker) => ({
      async shown() {
        await worker.turn('reads the row');
        const read = shownAs(rowBefore(lag()));
        await worker.turn('gets the row');
        return read;
      },
      async write(_repo, _workItem, status: Written, beforeSending) {
        beforeSending?.();
        return patch(worker, typeof status === 'string' ? status : (status.id as Shown));
      },
      async stateId(_repo, _workItem, status) {
        await worker.turn('looks the state up');
        return status;
      },
      hasState: async () => true,
    }),
    move: store,
    async edit() {
      const read = row;
      await scheduler.schedule(Promise.resolve(), `somebody saves the row with ${read} in it`);
      store(read);
    },
    shown: () => row,
    changedAt: () => changedAt,
    onChange: (told) => void listeners.push(told),
  };
}
