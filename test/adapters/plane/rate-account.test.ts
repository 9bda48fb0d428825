import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRateAccount } from '../../../adapters/plane/rate-account.ts';
import { createThrottle } from '../../../demo/simulated-plane/throttle.ts';

// Held against the rate limit of the simulated Plane, which is held against recordings.

/** What happens next: somebody sends a request, and how long it is until then, ms. */
const step = fc.record({
  by: fc.constantFrom('us' as const, 'others' as const),
  afterMs: fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 70_000 })),
});

function world(limit = 60) {
  let now = 0;
  const throttle = createThrottle(() => now);
  throttle.setLimit(limit, 60_000);
  const account = createRateAccount(() => now);
  return {
    account,
    pass: (ms: number) => {
      now += ms;
    },
    /** @returns whether Plane has let it through */
    send(): boolean {
      const sent = account.send();
      const admitted = throttle.admit('key', false);
      if (admitted === 'off') throw new Error('there is a limit');
      if ('retryAfter' in admitted) sent.refused(admitted.retryAfter * 1_000);
      else sent.counted({ remaining: admitted.remaining, windowMs: null });
      return !('retryAfter' in admitted);
    },
    others: () => throttle.admit('key', false),
  };
}

test.each([20, 60, 300])('while nobody else sends, a request that is left is let through; limit %i', (limit) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 400 }), (steps, burst) => {
      const { account, pass, send, others } = world(limit);
      send(); // tells what Plane's limit is
      for (const { by, afterMs } of steps) {
        pass(afterMs);
        if (by === 'others') {
          others();
          send(); // the answer tells of them
        } else if (account.left() > 0) expect(send()).toBe(true);
      }
      for (let n = 0; n < burst && account.left() > 0; n += 1) expect(send()).toBe(true);
    }),
  );
});

test('each request is left again a minute after it, not all of them at once', () => {
  const { account, pass, send } = world();
  for (let n = 0; n < 40; n += 1) {
    send();
    pass(1_000);
  }
  expect(account.left()).toBe(20);
  pass(20_000);
  expect(account.left()).toBe(21);
  expect(account.waitMs(25)).toBe(4_000);
  pass(10_000);
  expect(account.left()).toBe(31);
  pass(60_000);
  expect(account.left()).toBe(60);
  expect(account.waitMs(61)).toBe(60_000);
});

test('what others have used ages evenly until the next answer, within a minute', () => {
  const { account, pass, send, others } = world();
  send(); // tells the limit
  for (let n = 0; n < 50; n += 1) others();
  send();
  expect(account.left()).toBe(8);
  pass(30_000);
  expect(account.left()).toBe(33);
  expect(account.waitMs(48)).toBe(18_000);
  pass(30_000);
  expect(account.left()).toBe(60);
});

test('a limit below the usual one is learnt from the first answer, and asked for again after a quiet minute', () => {
  const { account, pass, send } = world(20);
  send();
  expect(account.left()).toBe(19);
  for (let n = 0; n < 19; n += 1) send();
  expect(account.left()).toBe(0);
  expect(account.waitMs(1)).toBe(60_000);
  pass(60_001);
  expect(account.left()).toBe(60);
  send();
  expect(account.left()).toBe(19);
});

test('a late answer says nothing of requests that were sent after it, and raises no limit', () => {
  const { account, pass, send } = world();
  const slow = account.send(); // Plane has counted it as the first one
  for (let n = 0; n < 40; n += 1) send();
  pass(9_000);
  slow.counted({ remaining: 59, windowMs: null });
  expect(account.left()).toBeLessThanOrEqual(20);
  pass(120_000);
  send();
  expect(account.left()).toBe(59);
});

test('after a refusal nothing is left until Plane lets through, and one request then', () => {
  const { account, pass, send, others } = world();
  for (let n = 0; n < 60; n += 1) others();
  pass(50_000);
  expect(send()).toBe(false);
  expect(account.left()).toBe(0);
  expect(account.waitMs(30)).toBe(10_000);
  pass(10_000);
  expect(account.left()).toBe(1);
  expect(account.isRefused()).toBe(true);
  expect(send()).toBe(true);
  expect(account.left()).toBe(59);
});

test('a Plane without a limit leaves any number', () => {
  const account = createRateAccount(() => 0);
  for (let n = 0; n < 100; n += 1) account.send().counted(null);
  expect(account.left()).toBe(Number.POSITIVE_INFINITY);
  expect(account.waitMs(1_000)).toBe(0);
});

test('a request on its way is not left, and one that Plane has not counted is left again', () => {
  const { account } = world();
  const sent = account.send();
  expect(account.left()).toBe(59);
  sent.uncounted();
  expect(account.left()).toBe(60);
});
