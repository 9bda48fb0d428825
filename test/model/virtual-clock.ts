/** Time that stands still until it is told to go on; ms. */
export interface VirtualClock {
  now(): number;
  /** Runs once at a moment. Returns what calls it off. */
  at(moment: number, run: () => void): () => void;
  sleep(ms: number): Promise<void>;
  /** Runs at a moment, and from then on again and again. */
  every(first: number, intervalMs: number, run: () => void): void;
  /** Lets time pass; what is due meanwhile runs at its moment, in order. */
  pass(ms: number): void;
  /** When the next thing is due; `null`: nothing is. */
  nextAt(): number | null;
  /** Whether nothing is due but what comes again and again. */
  idle(): boolean;
}

export function virtualClock(): VirtualClock {
  let now = 0;
  const due: { readonly moment: number; readonly run: () => void; readonly again?: true }[] = [];
  const next = () =>
    due.reduce<(typeof due)[number] | null>((a, b) => (a === null || b.moment < a.moment ? b : a), null);
  const remove = (entry: (typeof due)[number]): void => {
    const index = due.indexOf(entry);
    if (index >= 0) due.splice(index, 1);
  };
  const clock: VirtualClock = {
    now: () => now,
    at(moment, run) {
      const entry = { moment: Math.max(moment, now), run };
      due.push(entry);
      return () => remove(entry);
    },
    sleep: (ms) => new Promise((resolve) => clock.at(now + ms, resolve)),
    every(first, intervalMs, run) {
      const add = (moment: number): void =>
        void due.push({
          moment,
          again: true,
          run() {
            add(moment + intervalMs);
            run();
          },
        });
      add(first);
    },
    pass(ms) {
      const until = now + ms;
      for (let entry = next(); entry !== null && entry.moment <= until; entry = next()) {
        remove(entry);
        now = entry.moment;
        entry.run();
      }
      now = until;
    },
    nextAt: () => next()?.moment ?? null,
    idle: () => due.every(({ again }) => again === true),
  };
  return clock;
}

/** A moment that can be called off. */
export function later(
  clock: VirtualClock,
  ms: number,
): { readonly promise: Promise<'late'>; readonly callOff: () => void } {
  let callOff = (): void => {};
  const promise = new Promise<'late'>((resolve) => {
    callOff = clock.at(clock.now() + ms, () => resolve('late'));
  });
  return { promise, callOff };
}

/** Counts the time for which something is so, looked at whenever it may have changed. */
export function stopwatch(clock: VirtualClock, so: () => boolean) {
  let total = 0;
  let since: number | null = null;
  let endedAt = 0;
  return {
    look(): void {
      if (since !== null) {
        total += clock.now() - since;
        endedAt = clock.now();
      }
      since = so() ? clock.now() : null;
    },
    total: () => total,
    /** Until when it was so last. */
    endedAt: () => endedAt,
  };
}
