import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decide,
  isChosen,
  isLeftAtRest,
  type LastDeploy,
  type RestingEvidence,
  restingStatus,
  statusToWrite,
  sweptStatus,
} from '../../decisions/index.ts';
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

const LAST_DEPLOYS: readonly (LastDeploy | undefined)[] = ['degraded', 'under_way', 'over', undefined];

const degraded = (dbStage: string | null, windowActive = false, inForce = true): RestingEvidence => ({
  ...{ inForce, dbStage, windowActive, lastDeploy: 'degraded' },
});

test.each<[RestingEvidence, string | null]>([
  [degraded('done'), 'degraded'],
  [degraded(' Done'), 'degraded'],
  [degraded('done', true), 'monitoring'],
  [degraded('deploy'), 'degraded'],
  [degraded(null), 'degraded'],
  [degraded('cancelled'), null],
  [degraded('done', false, false), null],
  [degraded('deploy', false, false), null],
])('after a degraded deploy, %j: rests at %s', (evidence, status) => {
  expect(restingStatus(evidence)).toBe(status);
  const cancelled = evidence.dbStage === 'cancelled';
  expect(sweptStatus(evidence)).toBe(cancelled ? 'cancelled' : status);
  if (status !== null)
    for (const target of TARGETS) expect(statusToWrite(decide(evidence), target, evidence)).toBe(status);
});

test('the verdict of the guard does not depend on the last deploy, nor what it writes unless that was degraded', () => {
  for (const dbStage of ['done', 'cancelled', 'deploy', null]) {
    for (const windowActive of BOOLEANS) {
      const evidence = { inForce: true, dbStage, windowActive };
      for (const last of LAST_DEPLOYS) {
        const told = { ...evidence, ...(last === undefined ? {} : { lastDeploy: last }) };
        expect(decide(told)).toBe(decide(evidence));
        if (last === 'degraded') continue;
        expect(restingStatus(told)).toBe(restingStatus(evidence));
        expect(statusToWrite(decide(told), 'deploying', told)).toBe(statusToWrite(decide(told), 'deploying', evidence));
      }
    }
  }
});

test.each<[string | null, LastDeploy | undefined, boolean]>([
  ['degraded', 'degraded', true],
  ['degraded', 'over', true],
  ['degraded', 'under_way', false],
  ['degraded', undefined, false],
  ['done', 'degraded', true],
  ['done', 'over', false],
  ['done', undefined, false],
  [null, 'degraded', true],
  [null, 'over', false],
  ['deploying', 'degraded', false],
  ['awaiting_deploy', 'degraded', false],
  ['monitoring', 'degraded', false],
])('a setter that finds %s, the last deploy being %s, leaves it: %s', (stands, last, left) => {
  for (const dbStage of ['done', 'deploy', null]) {
    const evidence = {
      inForce: true,
      dbStage,
      windowActive: false,
      ...(last === undefined ? {} : { lastDeploy: last }),
    };
    expect(isLeftAtRest(stands, evidence)).toBe(left);
    expect(isLeftAtRest(stands, { ...evidence, windowActive: true })).toBe(false);
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
      expect(call(isLeftAtRest, value, value)).toBe(false);
    }),
    { numRuns: 500 },
  );
});

const BACKLOG = { id: 'backlog', status: null };

test.each<[string, { id: string; status: string | null }, boolean, string | null, boolean]>([
  ['somebody has moved it elsewhere', BACKLOG, true, 'in-progress', true],
  ['somebody has moved it back', BACKLOG, true, 'backlog', true],
  ['the same, and what stood there before is not known', BACKLOG, true, null, true],
  ['no status has arrived, and nobody has moved it', BACKLOG, false, 'backlog', false],
  ['no status has arrived, and somebody has moved it', BACKLOG, false, 'in-progress', true],
  ['no status has arrived, and what stood there before is not known', BACKLOG, false, null, false],
  ['a deploy-phase status stands', { id: 'deploying', status: 'deploying' }, true, 'backlog', false],
  ['the last status stands', { id: 'done', status: 'done' }, true, 'backlog', false],
  ['it has no state at all', { id: '', status: null }, true, 'backlog', false],
])('whether it is a choice: %s', (_, stands, acknowledged, before, chosen) => {
  expect(isChosen(stands, { acknowledged, before })).toBe(chosen);
});

test('whether it is a choice never throws, whatever is given', () => {
  fc.assert(
    fc.property(garbage, garbage, (stands, own) => {
      expect(typeof call(isChosen, stands(), own())).toBe('boolean');
    }),
    { numRuns: 500 },
  );
});
