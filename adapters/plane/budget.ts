import { AsyncLocalStorage } from 'node:async_hooks';
import type { RateAccount, Sent } from './rate-account.ts';

/** Whose requests go first: the statuses of runs, then corrections of one work item, then sweeps. */
export type Priority = 'run' | 'correction' | 'sweep';

/** A piece of work that sends some requests. */
export interface Work {
  readonly priority: Priority;
  /** The most requests that it sends, as a rule. It begins once so many are left, and may send more while any are. */
  readonly requests: number;
  /** How long it waits to begin, ms. */
  readonly withinMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** So many requests were not left in time. Nothing was sent. */
export class PlaneBudgetSpent extends Error {
  /** When it is worth another try, ms. */
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number) {
    super(message);
    this.name = new.target.name;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Paces the requests of this process with one key, so that Plane refuses hardly any of them. */
export interface Budget {
  /**
   * Begins a piece of work once its requests are left; a part of another one begins at once.
   * @throws PlaneBudgetSpent, the signal's reason, and what the work throws
   */
  within<T>(work: Work, run: () => Promise<T>): Promise<T>;
  /** Begins one request: one of the work around it, which does not wait any more, or one alone, which waits. @throws as `within` */
  begin(signal: AbortSignal | undefined): Promise<Sent>;
  /** Requests that are left for others; `Infinity`: there is no limit. */
  left(): number;
}

/** One request alone: about as long as a person waits. */
const ALONE_WITHIN_MS = 30_000;

/** Who has no place in the queue asks again after so long at the earliest, ms. */
const QUEUE_RETRY_MS = 5_000;

/** So many pieces of work may wait for their turn: each holds an activity slot of its worker, which runs need, too. */
const MOST_WAITING: Readonly<Record<Priority, number>> = { run: 50, correction: 4, sweep: 4 };

/** A look in between, though each end of a request and of a piece of work is one. */
const WHILE_HELD_MS = 1_000;

/** After a wait each process begins at a moment of its own: several of them share a key. */
const JITTER_MS = 500;

const ORDER: readonly Priority[] = ['run', 'correction', 'sweep'];

interface Waiting {
  readonly work: Work;
  /** Begins it: it waits no more. */
  readonly begin: () => void;
}

/** Requests that a piece of work may still send. */
interface Held {
  readonly priority: Priority;
  requests: number;
}

/** @param kept how many requests each priority leaves to those before it */
export function createBudget(account: RateAccount, kept: Readonly<Record<Priority, number>>): Budget {
  const around = new AsyncLocalStorage<Held>();
  const queues: Readonly<Record<Priority, Set<Waiting>>> = { run: new Set(), correction: new Set(), sweep: new Set() };
  let held = 0;
  /** Corrections and sweeps are made one at a time: each knows what those before it have used. */
  let looking = false;
  let timer: NodeJS.Timeout | undefined;

  const left = (): number => account.left() - held;
  /**
   * Whether work may begin beside what is on its way: each process that shares the key keeps to its part of what is left, as it hears of
   * the others only by the next answers.
   */
  const fitsBeside = (requests: number): boolean => {
    const onItsWay = held + account.unanswered();
    return onItsWay === 0 || onItsWay + requests <= (account.left() + account.unanswered()) * account.share();
  };
  const fits = ({ priority, requests }: Work): boolean => {
    if (priority !== 'run' && looking) return false;
    // What is first finds out how many are left.
    if (account.isRefused()) return account.left() > 0 && held + account.unanswered() === 0;
    return left() >= requests + kept[priority] && fitsBeside(requests);
  };
  const next = (): Waiting | undefined => ORDER.flatMap((priority) => [...queues[priority]].slice(0, 1))[0];

  function look(): void {
    clearTimeout(timer);
    for (let first = next(); first !== undefined; first = next()) {
      if (!fits(first.work)) {
        const { requests, priority } = first.work;
        // What others hold ends by itself, and is looked at then.
        const waitMs = account.waitMs(requests + kept[priority] + held) || WHILE_HELD_MS;
        timer = setTimeout(look, Math.max(20, waitMs) + Math.random() * JITTER_MS);
        return;
      }
      first.begin();
    }
  }

  const spent = ({ priority, requests }: Work, why: string, atLeastMs = 1_000): PlaneBudgetSpent => {
    const waitMs = Math.max(atLeastMs, account.waitMs(requests + kept[priority]));
    const retryAfterMs = Math.round(waitMs * (1 + Math.random() / 2));
    const leaves = kept[priority] === 0 ? '' : `, and a ${priority} leaves ${kept[priority]} to what matters more`;
    const stands = `of Plane's rate limit ${Math.max(0, left())} requests are left, this takes up to ${requests}${leaves}`;
    return new PlaneBudgetSpent(`${why}: ${stands}. Try again in ${Math.ceil(retryAfterMs / 1_000)} s.`, retryAfterMs);
  };

  /** @returns once the work has its requests */
  async function turn(work: Work): Promise<Held> {
    work.signal?.throwIfAborted();
    if (account.waitMs(work.requests + kept[work.priority] + held) > work.withinMs)
      throw spent(work, 'it would not get its turn soon');
    const mine: Held = { priority: work.priority, requests: work.requests };
    const queue = queues[work.priority];
    await new Promise<void>((resolve, reject) => {
      const end = (): void => {
        queue.delete(waiting);
        clearTimeout(late);
        work.signal?.removeEventListener('abort', abort);
      };
      const waiting: Waiting = {
        work,
        begin() {
          end();
          held += work.requests;
          if (work.priority !== 'run') looking = true;
          resolve();
        },
      };
      const abort = (): void => {
        end();
        reject(work.signal?.reason);
        look();
      };
      const late = setTimeout(() => {
        end();
        reject(spent(work, `it did not get its turn within ${work.withinMs / 1_000} s`));
        look();
      }, work.withinMs);
      work.signal?.addEventListener('abort', abort, { once: true });
      queue.add(waiting);
      look();
    });
    return mine;
  }

  const giveBack = (mine: Held): void => {
    held -= mine.requests;
    mine.requests = 0;
    if (mine.priority !== 'run') looking = false;
    look();
  };

  return {
    left,

    async within(work, run) {
      if (around.getStore() !== undefined) return run(); // a part of work that has begun
      const { size } = queues[work.priority];
      if (size >= MOST_WAITING[work.priority])
        throw spent(work, `${size} others wait for their turn already`, QUEUE_RETRY_MS);
      const mine = await turn(work);
      try {
        return await around.run(mine, run);
      } finally {
        giveBack(mine);
      }
    },

    async begin(signal) {
      const mine = around.getStore();
      if (mine === undefined) {
        await turn({ priority: 'run', requests: 1, withinMs: ALONE_WITHIN_MS, signal });
        held -= 1;
      } else if (mine.requests > 0 && account.left() >= 1) {
        mine.requests -= 1;
        held -= 1;
      } else if (left() < 1) {
        // Work may hold a lock: it does not wait, and is tried again from its beginning.
        throw spent({ ...mine, requests: 1, withinMs: 0 }, 'the key was used up meanwhile');
      }
      const sent = account.send();
      const answered =
        <Args extends unknown[]>(tell: (...args: Args) => void) =>
        (...args: Args): void => {
          tell(...args);
          look();
        };
      return { counted: answered(sent.counted), refused: answered(sent.refused), uncounted: answered(sent.uncounted) };
    },
  };
}
