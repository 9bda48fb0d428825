import type { Protections } from './circumstances.ts';
import type { Scenario } from './races.ts';

/** A run without a window, and nothing else. */
const QUIET: Scenario = {
  callers: [],
  run: { windowMs: 0, ending: 'done' },
  kills: [],
  sessionsEnded: 0,
  fates: [],
  lags: [],
  pauses: [],
  edits: 0,
  moves: [],
  foreign: false,
  firstSweepMs: 0,
};

/**
 * Where the doubt shortens the time: the lock of the run's first write is lost while that is on its way, the run goes on without
 * waiting for it, and after Done it is stored.
 */
export const IN_DOUBT: Pick<OnceWrong, 'seed' | 'scenario'> = {
  seed: 35,
  scenario: { ...QUIET, fates: [{ how: 'fine', takesMs: 14_000 }], pauses: [40_000], sessionsEnded: 1 },
};

interface OnceWrong {
  /** The protection without which it ends wrong, or late. */
  readonly without: keyof Protections;
  readonly how: string;
  /** Of the scheduler. */
  readonly seed: number;
  readonly scenario: Scenario;
}

/**
 * The shortest schedules that were found to go wrong without a protection: with all of them they have to go right for ever. One that
 * fails in races.test.ts goes here, as it is printed.
 */
export const ONCE_WRONG: readonly OnceWrong[] = [
  {
    without: 'freshEvidence',
    how: 'a caller comes long after the end',
    seed: 0,
    scenario: { ...QUIET, callers: [{ target: 'awaiting_deploy', atMs: 200_000, freeze: null }] },
  },
  {
    without: 'settle',
    how: 'the first write of the run is stored after its last',
    seed: 0,
    scenario: { ...QUIET, fates: [{ how: 'fine', takesMs: 30_000 }] },
  },
  {
    without: 'promptSettle',
    how: 'the same',
    seed: 0,
    scenario: { ...QUIET, fates: [{ how: 'fine', takesMs: 30_000 }] },
  },
  {
    without: 'ageCheck',
    how: 'a caller stands still before it sends, and its process dies only after that',
    seed: 1,
    scenario: {
      ...QUIET,
      callers: [{ target: 'awaiting_deploy', atMs: 0, freeze: { atTurn: 6, ms: 150_000, turnsLeft: 3 } }],
    },
  },
  {
    without: 'sweep',
    how: 'the task is cancelled',
    seed: 0,
    scenario: { ...QUIET, run: { windowMs: 0, ending: 'cancelled' }, foreign: true },
  },
  {
    without: 'sweep',
    how: 'run and window are terminated',
    seed: 0,
    scenario: { ...QUIET, run: { windowMs: 0, ending: 'terminated' }, foreign: true },
  },
  {
    without: 'promptSweep',
    how: 'the task is cancelled',
    seed: 0,
    scenario: { ...QUIET, run: { windowMs: 0, ending: 'cancelled' }, foreign: true },
  },
  {
    without: 'known',
    how: 'the task is cancelled long after the row was saved',
    seed: 0,
    scenario: { ...QUIET, run: { windowMs: 1_050_000, ending: 'cancelled' }, foreign: true },
  },
];
