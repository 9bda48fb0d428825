import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

beforeAll(() => delay(300));

test('passes', () => {});
test.skip('is skipped', () => {});
test('fails', () => {
  expect([1]).toEqual([2]);
});
test('gets more text after its failure', () => {
  const error = new Error('it failed', { cause: new Error('the reason') });
  error.message += '\nthe last lines of a log';
  throw error;
});
test('never ends', { timeout: 50 }, () => new Promise(() => {}));
test('rejects unhandled', () => {
  void Promise.reject(new Error('nobody awaits this'));
});
describe('a group', () => {
  afterAll(() => {
    throw new Error('the hook failed');
  });
  test('passes', () => {});
});
