import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Budget, createBudget, PlaneBudgetSpent, type Priority } from '../../../adapters/plane/budget.ts';
import { createRateAccount } from '../../../adapters/plane/rate-account.ts';
import { createThrottle } from '../../../demo/simulated-plane/throttle.ts';

// Several processes and one key of the simulated Plane, in virtual time.

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

class Refused extends Error {
  readonly retryAfterMs: number;
  constructor(retryAfterMs: number) {
    super('429');
    this.retryAfterMs = retryAfterMs;
  }
}

const KEPT = { run: 0, correction: 5, sweep: 20 };

function plane(limit = 60) {
  const throttle = createThrottle(Date.now);
  throttle.setLimit(limit, 60_000);
  const seen = { through: 0, refused: 0, order: [] as string[] };
  const process = (): { budget: Budget; request: (name?: string) => Promise<void> } => {
    const budget = createBudget(createRateAccount(Date.now), KEPT);
    /** Takes 50 ms. @throws Refused */
    const request = async (name = ''): Promise<void> => {
      const sent = await budget.begin(undefined);
      const admitted = throttle.admit('key', false);
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (admitted === 'off') throw new Error('there is a limit');
      if ('retryAfter' in admitted) {
        seen.refused += 1;
        sent.refused(admitted.retryAfter * 1_000);
        throw new Refused(admitted.retryAfter * 1_000);
      }
      seen.through += 1;
      seen.order.push(name);
      sent.counted({ remaining: admitted.remaining, windowMs: null });
    };
    return { budget, request };
  };
  return { seen, process, throttle };
}

const work = (priority: Priority, requests: number, withinMs = 600_000) => ({ priority, requests, withinMs });

async function untilDone<T>(all: Promise<T>[], everyMs = 100): Promise<T[]> {
  let done = false;
  const result = Promise.all(all).finally(() => {
    done = true;
  });
  result.catch(() => {});
  while (!done) await vi.advanceTimersByTimeAsync(everyMs);
  return result;
}

describe('30 runs of 8 requests each, at once, by a key that takes 60 a minute', () => {
  const runs = (processes: readonly ReturnType<ReturnType<typeof plane>['process']>[]) =>
    Array.from({ length: 30 }, async (_, n) => {
      const { budget, request } = processes[n % processes.length] ?? processes[0] ?? raise();
      for (let status = 0; status < 4; ) {
        const twoRequests = async (): Promise<void> => {
          await request();
          await request();
          status += 1;
        };
        await budget.within(work('run', 2), twoRequests).catch(async (error: unknown) => {
          if (!(error instanceof Refused || error instanceof PlaneBudgetSpent)) throw error;
          await new Promise((resolve) => setTimeout(resolve, error.retryAfterMs));
        });
      }
    });

  test('of one process: none is refused, and they take no longer than the limit makes them', async () => {
    const { seen, process } = plane();
    const began = Date.now();
    await untilDone(runs([process()]));
    expect(seen).toMatchObject({ through: 240, refused: 0 });
    expect(Date.now() - began).toBeLessThan(200_000);
  });

  test('of three processes: hardly any is refused', async () => {
    const { seen, process } = plane();
    const began = Date.now();
    await untilDone(runs([process(), process(), process()]));
    expect(seen.through).toBeGreaterThanOrEqual(240);
    expect(seen.refused / seen.through).toBeLessThan(0.2);
    expect(Date.now() - began).toBeLessThan(330_000);
  });
});

test('what runs need goes before corrections, and those before sweeps, whoever asked first', async () => {
  const { seen, process } = plane();
  const { budget, request } = process();
  for (let n = 0; n < 60; n += 1) void request('first');
  await vi.advanceTimersByTimeAsync(1_000);
  const asked = (['sweep', 'correction', 'run'] as const).map((priority) =>
    budget.within(work(priority, 1), () => request(priority)),
  );
  await untilDone(asked);
  expect(seen.order.slice(60)).toEqual(['run', 'correction', 'sweep']);
  expect(seen.refused).toBe(0);
});

test('a correction begins as soon as the requests of a minute ago are left again, not a minute after the last answer', async () => {
  const { process } = plane();
  const { budget, request } = process();
  for (let n = 0; n < 52; n += 1) {
    await untilDone([request()], 10);
    await vi.advanceTimersByTimeAsync(1_000);
  }
  const began = Date.now();
  await untilDone([budget.within(work('correction', 5), async () => request())]);
  expect(Date.now() - began).toBeLessThan(11_000);
});

test('what would not get its turn in time does not wait, and says when it is worth another try', async () => {
  const { seen, process } = plane();
  const { budget, request } = process();
  for (let n = 0; n < 60; n += 1) void request();
  await vi.advanceTimersByTimeAsync(1_000);
  const late = budget.within(work('sweep', 5, 10_000), () => request('late')).catch((error: unknown) => error);
  const [error] = await untilDone([late]);
  expect(error).toBeInstanceOf(PlaneBudgetSpent);
  expect(error).toMatchObject({
    message: expect.stringMatching(
      /^it would not get its turn soon: of Plane's rate limit 0 requests are left, this takes up to 5, and a sweep leaves 20 to what matters more\. Try again in \d+ s\.$/,
    ),
  });
  const { retryAfterMs } = error as PlaneBudgetSpent;
  expect(retryAfterMs).toBeGreaterThan(40_000);
  expect(seen.order).not.toContain('late');
  await vi.advanceTimersByTimeAsync(120_000);
  expect(budget.left()).toBe(60);
});

test('who is cancelled while it waits frees its place', async () => {
  const { process } = plane();
  const { budget, request } = process();
  for (let n = 0; n < 60; n += 1) void request();
  await vi.advanceTimersByTimeAsync(1_000);
  const cancelled = new AbortController();
  const waiting = budget
    .within({ ...work('run', 30), signal: cancelled.signal }, async () => {})
    .catch((error: unknown) => error);
  cancelled.abort(new Error('the run was cancelled'));
  expect(await waiting).toMatchObject({ message: 'the run was cancelled' });
  await vi.advanceTimersByTimeAsync(120_000);
  expect(budget.left()).toBe(60);
});

test('work that needs more requests than it said goes on while any are left, and what it does not need is left to others', async () => {
  const { seen, process } = plane(60);
  const { budget, request } = process();
  await untilDone([
    budget.within(work('run', 1), async () => {
      for (let n = 0; n < 3; n += 1) await request();
    }),
    budget.within(work('run', 50), () => request()),
  ]);
  expect(seen.through).toBe(4);
  expect(budget.left()).toBe(56);
});

function raise(): never {
  throw new Error('there is a process');
}
