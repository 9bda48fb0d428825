/**
 * Plane's background worker: activity rows and the second bump of `updated_at` are written by it, some time after the answer.
 * It can be stopped (jobs wait) as in recordings 610 to 615.
 */
export interface Jobs {
  enqueue(job: () => void): void;
  /** Stops the worker: jobs wait. */
  hold(): void;
  /** Starts it again; what waited runs at once. */
  resume(): void;
  /** Runs now what waits, unless the worker is stopped. */
  settle(): void;
  /** Drops everything. */
  close(): void;
}

export function createJobs(delayMs: number): Jobs {
  let waiting: (() => void)[] = [];
  let held = false;
  let timer: NodeJS.Timeout | undefined;

  function run(): void {
    clearTimeout(timer);
    timer = undefined;
    if (held) return;
    const due = waiting;
    waiting = [];
    for (const job of due) job();
  }

  return {
    enqueue(job) {
      waiting.push(job);
      timer ??= setTimeout(run, delayMs);
    },
    hold() {
      held = true;
    },
    resume() {
      held = false;
      run();
    },
    settle: run,
    close() {
      clearTimeout(timer);
      waiting = [];
    },
  };
}
