import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decide, restingStatus, statusToWrite, sweptStatus } from '../../decisions/index.ts';
import { BOOLEANS, call, TARGETS } from './builders.ts';
import { garbage } from './garbage.ts';

test.each<[boolean, string | null, boolean, 'done' | 'monitoring' | null]>([
  [true, 'done', true, 'monitoring'],
  [true, 'done', false, 'done'],
  [true, ' DONE ', false, 'done'],
  [true, 'cancelled', true, null],
  [true, 'cancelled', false, null],
  [true, 'deploying', true, null],
  [true, 'deploying', false, null],
  [true, null, true, null],
  [true, null, false, null],
  [false, 'done', true, null],
  [false, 'done', false, null],
  [false, 'cancelled', false, null],
  [false, 'deploying', false, null],
  [false, null, false, null],
])('in force %s, stage %j, window active %s: rests at %s', (inForce, dbStage, windowActive, status) => {
  expect(restingStatus({ inForce, dbStage, windowActive })).toBe(status);
});

test.each<[boolean, string | null, boolean, 'done' | 'monitoring' | 'cancelled' | null]>([
  [true, 'done', true, 'monitoring'],
  [true, 'done', false, 'done'],
  [true, 'cancelled', true, 'cancelled'],
  [true, ' Cancelled', false, 'cancelled'],
  [true, 'deploying', true, null],
  [true, null, false, null],
  [false, 'done', false, null],
  [false, 'cancelled', false, null],
])('in force %s, stage %j, window active %s: a sweep makes it %s', (inForce, dbStage, windowActive, status) => {
  expect(sweptStatus({ inForce, dbStage, windowActive })).toBe(status);
});

test.each(TARGETS)('where a status rests, the guard writes that status and no other: %s', (target) => {
  for (const windowActive of BOOLEANS) {
    const evidence = { inForce: true, dbStage: 'done', windowActive };
    expect(statusToWrite(decide(evidence), target, evidence)).toBe(restingStatus(evidence));
  }
});

test('never throws, is total and deterministic, over anything at all', () => {
  fc.assert(
    fc.property(garbage, (make) => {
      const value = make();
      const status = call(restingStatus, value);
      expect(['done', 'monitoring', null]).toContain(status);
      expect(call(restingStatus, value)).toBe(status);
      const swept = call(sweptStatus, value);
      expect(swept === 'cancelled' ? null : swept).toBe(status);
      expect(call(sweptStatus, value)).toBe(swept);
    }),
    { numRuns: 500 },
  );
});
