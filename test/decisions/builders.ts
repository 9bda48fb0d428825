import type { ClassifyPolicy, GuardEvidence, Health, Observation } from '../../decisions/index.ts';

/** Every value of each word of the contracts. */
export const VERDICTS = ['ALLOW', 'CONVERGE_DONE', 'SUPPRESS'] as const;
export const TARGETS = ['awaiting_deploy', 'deploying', 'monitoring'] as const;
export const HEALTHS = ['pass', 'fail', 'unknown'] as const;
export const BOOLEANS = [true, false] as const;

export const evidence = (named: Partial<GuardEvidence> = {}): GuardEvidence => ({
  inForce: true,
  dbStage: 'deploying',
  windowActive: false,
  ...named,
});

export const policy = (named: Partial<ClassifyPolicy> = {}): ClassifyPolicy => ({
  failThreshold: 3,
  errorRatioThreshold: 0.05,
  minRequests: 20,
  ...named,
});

export const observation = (named: Partial<Observation> = {}): Observation => ({
  at: 0,
  health: 'pass',
  requests: 0,
  errors5xx: 0,
  ...named,
});

const LETTERS: Record<string, Health> = { p: 'pass', f: 'fail', u: 'unknown' };

/** `looks('pfu')`: a pass, a failure and a broken probe, a tick apart and without traffic. */
export const looks = (letters: string): Observation[] =>
  [...letters].map((letter, index) => observation({ at: index * 30_000, health: LETTERS[letter] ?? 'unknown' }));

/** A look that saw nothing but traffic. */
export const traffic = (errors5xx: number, requests: number, at = 0): Observation =>
  observation({ at, requests, errors5xx });

/** Calls a function with what its types forbid. */
export const call = (decision: (...args: never[]) => unknown, ...args: readonly unknown[]): unknown =>
  Reflect.apply(decision, undefined, args);
