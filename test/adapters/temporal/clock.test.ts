import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { aheadOfTemporal } from '../../../adapters/temporal/clock.ts';
import { clockCheck } from '../../../world.ts';
import { connectTemporal, type TemporalAccess } from '../../setup/temporal.ts';

let temporal: TemporalAccess;
beforeAll(async () => {
  temporal = await connectTemporal();
});
afterAll(() => temporal.close());
afterEach(() => void vi.useRealTimers());

const ahead = () => aheadOfTemporal(temporal.connection, temporal.namespace, temporal.taskQueue);

test('the clock that is the server’s own, too, is not called ahead or behind', async () => {
  expect(await ahead()).toBe(0);
});

test.each([90_000, -90_000])('a clock that differs by %i ms, but for the time that the requests take', async (ms) => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });
  const before = performance.now();
  const seen = await ahead();
  const tookMs = performance.now() - before + 2;
  expect(Math.abs((seen ?? 0) - ms)).toBeLessThan(tookMs);
  expect(Math.sign(seen ?? 0)).toBe(Math.sign(ms));
});

test.each([
  [0, 'ok', "within a second of Temporal's"],
  [-1_000, 'ok', "within a second of Temporal's"],
  [90_000, 'warning', "the clock of this machine is 1 min 30 s ahead of Temporal's: set it by a time server"],
  [-2_000, 'warning', "the clock of this machine is 2 s behind Temporal's: set it by a time server"],
])('%i ms: %s', (aheadMs, level, message) => {
  expect(clockCheck(aheadMs)).toEqual({ name: 'clock', level, message });
});
