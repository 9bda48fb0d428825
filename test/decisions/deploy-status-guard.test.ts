import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide, type GuardVerdict, statusToWrite, terminalStage } from '../../decisions/index.ts';
import { BOOLEANS, call, evidence, TARGETS, VERDICTS } from './builders.ts';
import { garbage } from './garbage.ts';

const DONE = ['done', 'Done', 'DONE', ' done', 'done ', '\tDoNe\r\n', '\u00A0done\u00A0', '\uFEFFdone'];
const CANCELLED = ['cancelled', 'Cancelled', 'CANCELLED', ' cancelled ', '\n\tcAnCeLlEd', '　cancelled'];
const OTHER = [
  ...['created', 'analysis', 'development', 'review', 'deploy-staging', 'deploy', 'awaiting_deploy', 'deploying'],
  ...['monitoring', 'canceled', 'cancel', 'undone', 'done.', 'done!', 'do ne', 'done cancelled', 'done,', '"done"'],
  ...['', ' ', 'null', 'undefined', 'true', '0', 'd\u043ene', '\u200Bdone', 'ｄｏｎｅ', 'constructor', '__proto__'],
];

describe('FR-2: the verdict table, all of it', () => {
  test.each<[boolean, string | null, boolean, GuardVerdict]>([
    [true, 'done', true, 'ALLOW'],
    [true, 'done', false, 'CONVERGE_DONE'],
    [true, 'cancelled', true, 'SUPPRESS'],
    [true, 'cancelled', false, 'SUPPRESS'],
    [true, 'deploying', true, 'ALLOW'],
    [true, 'deploying', false, 'ALLOW'],
    [true, null, true, 'ALLOW'],
    [true, null, false, 'ALLOW'],
    [false, 'done', true, 'ALLOW'],
    [false, 'done', false, 'ALLOW'],
    [false, 'cancelled', true, 'ALLOW'],
    [false, 'cancelled', false, 'ALLOW'],
    [false, 'deploying', true, 'ALLOW'],
    [false, 'deploying', false, 'ALLOW'],
    [false, null, true, 'ALLOW'],
    [false, null, false, 'ALLOW'],
  ])('in force %s, stage %j, window active %s: %s', (inForce, dbStage, windowActive, verdict) => {
    expect(decide({ inForce, dbStage, windowActive })).toBe(verdict);
  });

  test.each(DONE)('a stage is compared trimmed and lower-cased: %j is done', (dbStage) => {
    expect(terminalStage(dbStage)).toBe('done');
    expect(decide(evidence({ dbStage, windowActive: true }))).toBe('ALLOW');
    expect(decide(evidence({ dbStage, windowActive: false }))).toBe('CONVERGE_DONE');
    for (const windowActive of BOOLEANS) expect(decide({ inForce: false, dbStage, windowActive })).toBe('ALLOW');
  });

  test.each(CANCELLED)('a stage is compared trimmed and lower-cased: %j is cancelled', (dbStage) => {
    expect(terminalStage(dbStage)).toBe('cancelled');
    for (const windowActive of BOOLEANS) {
      expect(decide({ inForce: true, dbStage, windowActive })).toBe('SUPPRESS');
      expect(decide({ inForce: false, dbStage, windowActive })).toBe('ALLOW');
    }
  });

  test.each([...OTHER, null])(
    'a stage that is unknown, or a task that is not found, is not terminal: %j',
    (dbStage) => {
      expect(terminalStage(dbStage)).toBe(null);
      for (const inForce of BOOLEANS)
        for (const windowActive of BOOLEANS) expect(decide({ inForce, dbStage, windowActive })).toBe('ALLOW');
    },
  );

  test.each([
    undefined,
    0,
    1,
    Number.NaN,
    true,
    ['done'],
    { toString: () => 'done' },
    new String('done'),
    1n,
    Symbol('done'),
  ])('what is no text is no terminal stage (%#)', (dbStage) => {
    expect(terminalStage(dbStage)).toBe(null);
    expect(call(decide, { inForce: true, dbStage, windowActive: false })).toBe('ALLOW');
  });

  test.each([undefined, null, 0, 1, '', 'true', 'yes', {}, []])(
    'only true is in force, and only true is active (%#)',
    (odd) => {
      expect(call(decide, { inForce: odd, dbStage: 'done', windowActive: false })).toBe('ALLOW');
      expect(call(decide, { inForce: true, dbStage: 'done', windowActive: odd })).toBe('CONVERGE_DONE');
    },
  );

  test('D3: armed before the terminal sync, the first Monitoring of a done task is allowed; a re-drive after the window closed converges', () => {
    expect(decide(evidence({ dbStage: 'done', windowActive: true }))).toBe('ALLOW');
    expect(decide(evidence({ dbStage: 'done', windowActive: false }))).toBe('CONVERGE_DONE');
  });
});

describe('what a verdict writes: verdict x target x evidence', () => {
  const rows = VERDICTS.flatMap((verdict) =>
    TARGETS.flatMap((target) =>
      [...DONE, ...CANCELLED, 'deploying', 'canceled', null].flatMap((dbStage) =>
        BOOLEANS.flatMap((inForce) =>
          BOOLEANS.map((windowActive) => ({ verdict, target, dbStage, inForce, windowActive })),
        ),
      ),
    ),
  );

  test.each(rows)('$verdict, $target, stage $dbStage, in force $inForce, active $windowActive', (row) => {
    const { verdict, target, ...seen } = row;
    const watched = seen.inForce && seen.dbStage !== null && DONE.includes(seen.dbStage);
    const expected = { ALLOW: watched ? 'monitoring' : target, CONVERGE_DONE: 'done', SUPPRESS: null }[verdict];
    expect(statusToWrite(verdict, target, seen)).toBe(expected);
  });

  test.each(TARGETS)('ALLOW on a task that is not terminal writes the target: %s', (target) => {
    expect(statusToWrite('ALLOW', target, evidence({ dbStage: 'deploying' }))).toBe(target);
    expect(statusToWrite('ALLOW', target, evidence({ dbStage: null }))).toBe(target);
  });

  test.each(TARGETS)('ALLOW on a done task under watch always writes monitoring, not %s', (target) => {
    expect(statusToWrite('ALLOW', target, evidence({ dbStage: 'done', windowActive: true }))).toBe('monitoring');
  });

  test.each(TARGETS)('with the guard off the target is written, whatever the stage: %s', (target) => {
    for (const dbStage of ['done', 'cancelled', 'deploying', null])
      expect(statusToWrite('ALLOW', target, { inForce: false, dbStage, windowActive: true })).toBe(target);
  });

  test.each(['BOGUS', '', null, undefined, 'allow', 1])('what is no verdict writes nothing: %j', (verdict) => {
    expect(call(statusToWrite, verdict, 'deploying', evidence())).toBe(null);
  });
});

describe('properties over anything at all', () => {
  test('decide never throws, is total and deterministic', () => {
    fc.assert(
      fc.property(garbage, (make) => {
        const value = make();
        const verdict = call(decide, value);
        expect(VERDICTS).toContain(verdict);
        expect(call(decide, value)).toBe(verdict);
      }),
      { numRuns: 1_000 },
    );
  });

  test('statusToWrite never throws, is total and deterministic', () => {
    fc.assert(
      fc.property(garbage, fc.constantFrom(...TARGETS), garbage, (verdict, target, make) => {
        const args = [verdict(), target, make()];
        const written = call(statusToWrite, ...args);
        expect([...TARGETS, 'done', null]).toContain(written);
        expect(call(statusToWrite, ...args)).toBe(written);
      }),
      { numRuns: 1_000 },
    );
  });

  test('terminalStage never throws and is total', () => {
    fc.assert(
      fc.property(garbage, (make) => {
        expect(['done', 'cancelled', null]).toContain(terminalStage(make()));
      }),
    );
  });

  const parts = { inForce: garbage, dbStage: garbage, windowActive: garbage };

  test('not in force is always ALLOW', () => {
    fc.assert(
      fc.property(fc.record(parts), ({ inForce, dbStage, windowActive }) => {
        const value = inForce();
        fc.pre(value !== true);
        expect(call(decide, { inForce: value, dbStage: dbStage(), windowActive: windowActive() })).toBe('ALLOW');
      }),
    );
  });

  test('in force: CONVERGE_DONE iff done without an active window, SUPPRESS iff cancelled, ALLOW otherwise', () => {
    fc.assert(
      fc.property(garbage, garbage, (stage, active) => {
        const dbStage = stage();
        const windowActive = active();
        const word = typeof dbStage === 'string' ? dbStage.trim().toLowerCase() : '';
        const expected =
          word === 'cancelled' ? 'SUPPRESS' : word === 'done' && windowActive !== true ? 'CONVERGE_DONE' : 'ALLOW';
        expect(call(decide, { inForce: true, dbStage, windowActive })).toBe(expected);
      }),
      { numRuns: 1_000 },
    );
  });
});
