import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { race, type Scenario, type Story, scenarios, stories, tell } from './races.ts';
import { ALL, type Outcome, type Protections } from './world.ts';

// The real setters, the last word and the sweep under every disturbance that a scheduler can think of (docs/status-protocol.md):
// first the faults, then time to heal, then the status is right. `D2D_SCHEDULES` says how many, `D2D_SEED` which.

const SCHEDULES = Number(process.env['D2D_SCHEDULES'] ?? 500);
const SEED = Number(process.env['D2D_SEED'] ?? randomInt(2 ** 31));

const racing = (scenario: fc.Arbitrary<Scenario>, protections: Protections, seen: Outcome[] = []) =>
  fc.asyncProperty(fc.scheduler(), scenario, async (scheduler, given) => {
    const outcome = await race(scheduler, given, protections);
    seen.push(outcome);
    mustBeRight(outcome);
  });

const telling = (story: fc.Arbitrary<Story>, protections: Protections, seen: Outcome[] = []) =>
  fc.asyncProperty(fc.scheduler(), story, async (scheduler, given) => {
    const outcome = await tell(scheduler, given, protections);
    seen.push(outcome);
    mustBeRight(outcome);
  });

function mustBeRight({ right, shown, wanted, rightAfterMs, promisedMs }: Outcome): void {
  if (!right) throw new Error(`the tracker shows ${shown} in the end, not ${wanted}`);
  if (rightAfterMs > promisedMs)
    throw new Error(`it was right ${rightAfterMs} ms after the last disturbance, not within ${promisedMs} ms`);
}

/** How often each thing happened in all of the schedules. */
const sums = (seen: readonly Outcome[]): Outcome['happened'] =>
  seen
    .map(({ happened }) => happened)
    .reduce(
      (a, b) => Object.fromEntries(Object.entries(a).map(([k, n]) => [k, n + b[k as keyof typeof b]])) as typeof a,
    );

const seconds = (seen: readonly Outcome[]): number =>
  seen.reduce((sum, { wrongMs }) => sum + wrongMs, 0) / seen.length / 1_000;

const longest = (seen: readonly Outcome[]): number =>
  seen.reduce((most, { rightAfterMs }) => Math.max(most, rightAfterMs), 0) / 1_000;

/** Runs as many schedules as were asked for. @returns what happened in them. */
async function holds(
  name: string,
  property: (seen: Outcome[]) => fc.IAsyncPropertyWithHooks<unknown>,
): Promise<Outcome['happened']> {
  const seen: Outcome[] = [];
  await fc.assert(property(seen), { numRuns: SCHEDULES, seed: SEED });
  process.stdout.write(
    `${name}, ${seen.length} schedules of seed ${SEED}: ${JSON.stringify(sums(seen))}, wrong for ${seconds(seen).toFixed(1)} s each, right at most ${longest(seen)} s after the last disturbance\n`,
  );
  return sums(seen);
}

describe('after the last disturbance the status is right, and as soon as the protocol says', () => {
  test('without foreign writers by the settle alone, whatever setters, crashes, frozen workers and bad answers do', {
    timeout: 600_000,
  }, async () => {
    const {
      healed: _,
      known: __,
      ...happened
    } = await holds('setters', (seen) => racing(scenarios(false), { ...ALL, sweep: false }, seen));
    expect(Object.values(happened).every((times) => times > 0)).toBe(true);
  });

  test('with foreign writers by the next sweep', { timeout: 600_000 }, async () => {
    const happened = await holds('foreign writers', (seen) => racing(scenarios(true), ALL, seen));
    expect(Object.values(happened).every((times) => times > 0)).toBe(true);
  });

  test('however often it is deployed, cancelled and terminated, with sweeps amid it', {
    timeout: 600_000,
  }, async () => {
    const happened = await holds('commands', (seen) => telling(stories(true), ALL, seen));
    const { oldEvidence: _, ...often } = happened; // a rare one, and held by the tests above
    expect(Object.values(often).every((times) => times > 0)).toBe(true);
  });
});

/** A schedule that ends wrong without one of the protections: with all of them it has to end right for ever. */
const ONCE_WRONG = [
  { without: 'freshEvidence', foreign: false },
  { without: 'settle', foreign: false },
  { without: 'promptSettle', foreign: false },
  { without: 'ageCheck', foreign: false },
  { without: 'sweep', foreign: true },
  { without: 'promptSweep', foreign: true },
  { without: 'known', foreign: true },
] as const;

describe('without one of its protections it is wrong, or late, within 500 schedules', () => {
  test.each(ONCE_WRONG)('$without', async ({ without, foreign }) => {
    const weaker = { ...ALL, ...(foreign ? {} : { sweep: false }), [without]: false };
    const found = await fc.check(racing(scenarios(foreign), weaker), { numRuns: 500, seed: 94, endOnFailure: true });
    expect(found.failed, 'nothing went wrong').toBe(true);
    const again = { seed: found.seed, path: found.counterexamplePath ?? '', numRuns: 1 };
    await fc.assert(racing(scenarios(foreign), ALL), again);
  });

  test('but for the lock, which only shortens the time for which it is wrong', async () => {
    const wrongFor = async (lock: boolean): Promise<number> => {
      const seen: Outcome[] = [];
      await fc.assert(racing(calm, { ...ALL, lock, sweep: false }, seen), { numRuns: 500, seed: 94 });
      return seconds(seen);
    };
    const [locked, unlocked] = [await wrongFor(true), await wrongFor(false)];
    process.stdout.write(
      `stale callers alone: wrong for ${locked.toFixed(2)} s a schedule with the lock, ${unlocked.toFixed(2)} s without\n`,
    );
    expect(unlocked).toBeGreaterThan(2 * locked);
  });
});

/** Nothing goes wrong but that callers are stale. */
const calm = scenarios(false).map(
  (scenario): Scenario => ({
    ...scenario,
    callers: scenario.callers.map((caller) => ({ ...caller, freeze: null })),
    kills: [],
    fates: scenario.fates.map(({ takesMs }) => ({ how: 'fine', takesMs: Math.min(takesMs, 500) })),
    lags: [],
    pauses: [],
  }),
);
