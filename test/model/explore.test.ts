import { describe, expect, test } from 'vitest';
import { explore } from './explore.ts';
import { ALL, CALM, type Faults, initial, type Protections, right, type Setup, stepsOf } from './status-protocol.ts';

// Every state that the status protocol can get into (docs/status-protocol.md), with the real decisions in it: as it is nothing
// wrong can stay, and without any one of its protections something can.

const SETTERS = [{ target: 'deploying' }, { target: 'awaiting_deploy' }, { target: 'monitoring' }] as const;

function look(
  setters: 1 | 2 | 3,
  faults: Partial<Faults>,
  protections: Partial<Protections> = {},
  calls = 1,
  degraded = false,
) {
  const setup: Setup = {
    degraded,
    protections: { ...ALL, ...protections },
    faults: { ...CALM, ...faults },
    setters: SETTERS.slice(0, setters).map((setter) => ({ ...setter, calls })),
  };
  return explore(initial(setup), stepsOf(setup), right);
}

const NO_SWEEP = { sweep: false } as const;

const WITH_AND_WITHOUT_DEGRADED = [
  [1, { crashes: 1, locksLost: 1, givenUp: 1, lost: 1 }, NO_SWEEP],
  [1, { crashes: 1, foreign: 2 }, {}],
  [1, { givenUp: 1, foreign: 1, twice: 1, lost: 1 }, {}],
  [2, { crashes: 1, givenUp: 1 }, NO_SWEEP],
  [2, { twice: 1, lost: 1 }, NO_SWEEP],
  [2, { foreign: 1 }, {}],
  [1, { cancelled: 1, crashes: 1, givenUp: 1, foreign: 1 }, {}],
  [1, { sweeps: 1, crashes: 1, givenUp: 1, foreign: 1 }, {}],
] as const;

describe('as it is, every state of rest is right, and one can be reached from everywhere', () => {
  test.each([
    ...WITH_AND_WITHOUT_DEGRADED,
    [2, { locksLost: 1, crashes: 1 }, NO_SWEEP],
    [3, {}, NO_SWEEP],
    [3, { crashes: 1 }, NO_SWEEP],
    [3, { foreign: 1 }, {}],
    [3, { givenUp: 1 }, NO_SWEEP],
    [3, { lost: 1 }, NO_SWEEP],
    [3, { twice: 1 }, NO_SWEEP],
    [3, { locksLost: 1 }, NO_SWEEP],
    [2, { sweeps: 1, givenUp: 1 }, {}],
    [2, { cancelled: 1, twice: 1, sweeps: 1 }, {}],
    [1, { cancelled: 1, locksLost: 1, sweeps: 1, foreign: 1 }, {}],
  ] as const)('%i setters, %j, %j', (setters, faults, protections) => {
    mustHold(setters, faults, protections);
  });

  test('2 setters that call twice', () => {
    expect(mustHold(2, {}, NO_SWEEP, 2)).toBeGreaterThan(look(2, {}, NO_SWEEP).states);
  });

  test.each(WITH_AND_WITHOUT_DEGRADED)(
    'with a state for degraded work, where the window ends so: %i setters, %j, %j',
    (setters, faults, protections) => {
      mustHold(setters, faults, protections, 1, true);
    },
  );

  function mustHold(
    setters: 1 | 2 | 3,
    faults: Partial<Faults>,
    protections: Partial<Protections>,
    calls = 1,
    degraded = false,
  ): number {
    const { states, counterexample, trapped } = look(setters, faults, protections, calls, degraded);
    expect(counterexample?.join('\n') ?? null).toBeNull();
    expect(trapped).toBe(0);
    expect(states).toBeGreaterThan(setters * 100); // that it has looked at something
    process.stdout.write(`${setters} setters, ${calls} calls each, ${JSON.stringify(faults)}: ${states} states\n`);
    return states;
  }
});

describe('without one of its protections a wrong status stays', () => {
  test.each([
    ['the guard', { guard: false, ...NO_SWEEP }, {}, 'the deploying of setter A is stored'],
    ['fresh evidence', { freshEvidence: false, ...NO_SWEEP }, {}, 'the deploying of setter A is stored'],
    ['the settle', { settle: 'off', ...NO_SWEEP }, { crashes: 1 }, 'the late monitoring of setter A is stored'],
    [
      'a settle that is longer than a write may be on its way',
      { settle: 'shorter', ...NO_SWEEP },
      { crashes: 1 },
      'the late monitoring of setter A is stored',
    ],
    [
      'the look at how old the evidence is',
      { ageCheck: false, ...NO_SWEEP },
      { locksLost: 1 },
      'the monitoring of setter A is stored',
    ],
    ['the sweep', NO_SWEEP, { foreign: 1 }, 'somebody saves the row with monitoring in it'],
    ['the sweep, once it is cancelled', NO_SWEEP, { cancelled: 1 }, 'the task is cancelled'],
  ] as const)('%s', (_name, protections, faults, how) => {
    const { counterexample, trapped } = look(1, faults, protections);
    expect(counterexample).toContain(how);
    expect(trapped).toBeGreaterThan(0);
  });

  test('the same where the window ends degraded', () => {
    const late = look(1, { crashes: 1 }, { settle: 'off', ...NO_SWEEP }, 1, true);
    expect(late.counterexample).toContain('the late monitoring of setter A is stored');
    const foreign = look(1, { foreign: 1 }, NO_SWEEP, 1, true);
    expect(foreign.counterexample).toContain('somebody saves the row with monitoring in it');
    expect(Math.min(late.trapped, foreign.trapped)).toBeGreaterThan(0);
  });

  test('but for the lock: at rest it changes nothing', () => {
    expect(look(1, { crashes: 1, givenUp: 1, lost: 1 }, { lock: false, ...NO_SWEEP })).toMatchObject({
      counterexample: null,
      trapped: 0,
    });
    expect(look(2, {}, { lock: false, ...NO_SWEEP })).toMatchObject({ counterexample: null, trapped: 0 });
  });
});

test('the explorer finds what is there: the shortest way to a wrong state of rest, and what it cannot leave', () => {
  const steps = (at: number) =>
    ({ 0: [1, 2], 1: [3], 2: [2], 3: [], 4: [] })[at]?.map((next) => ({ label: `to ${next}`, next })) ?? [];
  expect(explore(0, steps, (at) => at === 4)).toEqual({
    states: 4,
    counterexample: ['to 1', 'to 3'],
    trapped: 4,
  });
  expect(explore(0, steps, (at) => at === 3)).toEqual({ states: 4, counterexample: null, trapped: 1 });
});
