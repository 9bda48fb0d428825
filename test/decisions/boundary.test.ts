import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, expectTypeOf, test } from 'vitest';
import * as decisions from '../../decisions/index.ts';

const FOLDER = new URL('../../decisions/', import.meta.url);
const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' });
const source = (file: string): string => readFileSync(new URL(file, FOLDER), 'utf8');

/** Every module that a source names: imports, exports from, import types, dynamic imports, requires. */
const modulesNamed = (text: string): string[] =>
  [...text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(['"`])(.*?)\1/g)].map((match) => match[2] ?? '');

describe('decisions are pure', () => {
  test.each(files)('%s imports nothing from outside its folder', (file) => {
    for (const name of modulesNamed(source(file))) {
      expect(name).toMatch(/^\.\/[a-z-]+\.ts$/);
      expect(files).toContain(name.slice(2));
    }
  });

  // Stryker's instrumentation reads the environment to know which mutant is active.
  const pristine = files.filter((file) => !source(file).includes('stryMutAct'));

  test.each(pristine)('%s reads no clock, no chance, no environment and waits for nothing', (file) => {
    const code = source(file).replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    expect(code).not.toMatch(
      /\b(Date|performance|crypto|process|globalThis|fetch|console|async|await|setTimeout|Promise)\b/,
    );
    expect(code).not.toMatch(/Math\.random/);
  });

  test('the files and their imports were found', () => {
    expect(files.length).toBeGreaterThan(8);
    expect(files.flatMap((file) => modulesNamed(source(file))).length).toBeGreaterThan(15);
    const forms = `import a from "x1"; import 'x2'; export * from './x3.ts'; import('x4'); require("x5"); type T = import('x6').T`;
    expect(modulesNamed(forms)).toEqual(['x1', 'x2', './x3.ts', 'x4', 'x5', 'x6']);
  });
});

describe('the public names', () => {
  test('index.ts exports exactly these values', () => {
    expect(Object.keys(decisions).sort()).toEqual([
      'MAX_TICKS',
      'applies',
      'classify',
      'coverage',
      'currentStreak',
      'decide',
      'decideAction',
      'doubtOfHealth',
      'failuresTakeMs',
      'hasEvidence',
      'hasRecovered',
      'isChosen',
      'isDegradedOnRecord',
      'isLeftAtRest',
      'isUnhealthy',
      'lastDeploy',
      'lastSay',
      'longestStreak',
      'lookNow',
      'missedAtEnd',
      'mostTicks',
      'nextLookAt',
      'normaliseRepo',
      'orderedObservations',
      'plannedTicks',
      'recoveryIsUnknown',
      'restingStatus',
      'sameRepo',
      'skippedDuring',
      'statusToWrite',
      'sweptStatus',
      'terminalStage',
      'tickAt',
      'windowOutcomeOnRecord',
    ]);
  });

  test('the contracts of the design, as types', () => {
    expectTypeOf<decisions.DeployPhaseStatus>().toEqualTypeOf<'awaiting_deploy' | 'deploying' | 'monitoring'>();
    expectTypeOf<decisions.GuardVerdict>().toEqualTypeOf<'ALLOW' | 'CONVERGE_DONE' | 'SUPPRESS'>();
    expectTypeOf(decisions.decide).toEqualTypeOf<
      (evidence: {
        readonly inForce: boolean;
        readonly dbStage: string | null;
        readonly windowActive: boolean;
      }) => decisions.GuardVerdict
    >();
    expectTypeOf<decisions.Observation>().toEqualTypeOf<{
      readonly at: number;
      readonly health: 'pass' | 'fail' | 'unknown';
      readonly requests: number;
      readonly errors5xx: number;
    }>();
    expectTypeOf(decisions.classify).toEqualTypeOf<
      (
        observations: readonly decisions.Observation[],
        policy: { readonly failThreshold: number; readonly errorRatioThreshold: number; readonly minRequests: number },
      ) => {
        readonly verdict: 'HEALTHY' | 'DEGRADED';
        readonly trigger: 'health' | 'errors' | null;
        readonly longestFailureStreak: number;
        readonly errorRatio: number | null;
      }
    >();
    expectTypeOf(decisions.decideAction).toEqualTypeOf<
      (input: {
        readonly verdict: 'HEALTHY' | 'DEGRADED';
        readonly configured: 'alert' | 'rollback';
        readonly selfHosting: boolean;
      }) => 'NONE' | 'ALERT_ONLY' | 'ROLLBACK'
    >();
  });
});
