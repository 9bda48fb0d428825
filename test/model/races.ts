import fc, { type Scheduler } from 'fast-check';
import type { DeployPhaseStatus } from '../../decisions/index.ts';
import type { Circumstances, Outcome, Protections, Run, StaleCaller } from './circumstances.ts';
import { CALL_MS, FLIGHT_MS, LAG_MS, type Shown, type WriteFate } from './virtual-plane.ts';
import type { Freeze } from './virtual-worker.ts';
import { SWEEP_MS, virtualWorld, type World } from './world.ts';

// What happens to a work item, in every order that a scheduler can think of: all at once, or one command after the other.

/** What happens to one work item, beside its own run. */
export interface Scenario extends Circumstances {
  readonly callers: readonly StaleCaller[];
  readonly run: Run;
  /** Which of the processes that live at that moment is killed. */
  readonly kills: readonly number[];
  /** How long time passes between two things, ms. */
  readonly pauses: readonly number[];
  /** How often the database ends the session of whoever holds the lock. */
  readonly sessionsEnded: number;
  /** How often somebody saves a row as it was when they read it. */
  readonly edits: number;
  readonly moves: readonly Shown[];
}

const TARGET = fc.constantFrom<DeployPhaseStatus>('awaiting_deploy', 'deploying', 'monitoring');

/** Early, about when the task becomes done, and long after everything. */
const MOMENT = fc.constantFrom(0, 0, 500, 1_000, 10_000, 20_000, 200_000);

/** A setter takes some ten turns; from its evidence to its write it is in the middle of them. */
const FREEZE: fc.Arbitrary<Freeze> = fc.record({
  atTurn: fc.integer({ min: 3, max: 9 }),
  ms: fc.constantFrom(5_000, 25_000, 150_000, 150_000),
  turnsLeft: fc.constantFrom(null, 1, 2, 3),
});

const FATE: fc.Arbitrary<WriteFate> = fc.record({
  how: fc.constantFrom('fine', 'fine', 'lost', 'answer lost', 'twice'),
  takesMs: fc.constantFrom(0, 0, 500, CALL_MS - 1_000, CALL_MS + 5_000, FLIGHT_MS),
});

const CALLER: fc.Arbitrary<StaleCaller> = fc.record({
  target: TARGET,
  atMs: MOMENT,
  freeze: fc.option(FREEZE, { freq: 2 }),
});

const runs = (foreign: boolean): fc.Arbitrary<Run> =>
  fc.record({
    windowMs: fc.constantFrom(0, 1_000, 20_000, ...(foreign ? [3.5 * SWEEP_MS] : [])),
    ending: fc.constantFrom(...(foreign ? (['done', 'cancelled', 'terminated'] as const) : (['done'] as const))),
  });

/** With a state for degraded work: its windows outlast a write that was decided on before they opened, as the protocol asks for. */
const degradable = (foreign: boolean): fc.Arbitrary<Run> =>
  fc
    .tuple(runs(foreign), fc.boolean())
    .map(([run, degraded]) => ({ ...run, degraded, windowMs: Math.max(run.windowMs, 60_000) }));

/** The same scenarios with a state for degraded work, in which the run ends so. */
export const degradedScenarios = (foreign: boolean): fc.Arbitrary<Scenario> =>
  fc
    .tuple(scenarios(foreign), degradable(foreign))
    .map(([scenario, run]) => ({ ...scenario, degradedState: true, run: { ...run, degraded: true } }));

const PAUSE = fc.constantFrom(100, 1_000, 5_000, 12_000, 21_000, 40_000);
const LAG = fc.constantFrom(0, 1_000, LAG_MS);
const MOVE = fc.constantFrom<Shown>('in progress', 'done', 'deploying', 'awaiting_deploy');
/** Amid everything, or soon afterwards. */
const FIRST_SWEEP = fc.constantFrom(0, 1_000, 10_000, 30_000, 60_000, 120_000, SWEEP_MS);

/** Scenarios without foreign writers end right by themselves; those with them, after one sweep. */
export const scenarios = (foreign: boolean): fc.Arbitrary<Scenario> =>
  fc.record({
    callers: fc.array(CALLER, { minLength: 1, maxLength: 4 }),
    run: runs(foreign),
    kills: fc.array(fc.nat(7), { maxLength: 3 }),
    fates: fc.array(FATE, { maxLength: 8 }),
    lags: fc.array(LAG, { maxLength: 8 }),
    pauses: fc.array(PAUSE, { minLength: 1, maxLength: 12 }),
    sessionsEnded: fc.nat(2),
    edits: foreign ? fc.integer({ min: 1, max: 3 }) : fc.constant(0),
    moves: foreign ? fc.array(MOVE, { maxLength: 1 }) : fc.constant([]),
    foreign: fc.constant(foreign),
    firstSweepMs: FIRST_SWEEP,
  });

/** Chooses among those that wait for their turn; by the same seed always the same. */
export function schedulerOf(seed: number): Scheduler {
  const [scheduler] = fc.sample(fc.scheduler(), { seed, numRuns: 1 });
  if (scheduler === undefined) throw new Error('a sample of one has none');
  return scheduler;
}

/** All of it at once: the scheduler says what comes first. */
export async function race(scheduler: Scheduler, scenario: Scenario, protections: Protections): Promise<Outcome> {
  const world = virtualWorld(scheduler, scenario, protections);
  async function each<T>(label: string, what: readonly T[], act: (one: T) => Promise<void> | void): Promise<void> {
    for (const one of what) {
      await world.turn(label);
      await act(one);
    }
  }
  void world.run(scenario.run);
  for (const caller of scenario.callers) void world.staleCaller(caller);
  void each('time passes', scenario.pauses, world.pass);
  void each('a process is killed', scenario.kills, world.kill);
  void each('the database ends a session', Array.from({ length: scenario.sessionsEnded }), world.endSession);
  void each('a person moves the item', scenario.moves, world.move);
  void each('somebody reads the row', Array.from({ length: scenario.edits }), world.edit);
  await world.heal();
  return world.outcome();
}

/** What the one who gives the commands knows: Temporal lets one run of a work item run at a time. */
interface Known {
  running: boolean;
}

type Command = fc.AsyncCommand<Known, World>;

const command = (
  label: string,
  run: (world: World, known: Known) => unknown,
  check: (known: Readonly<Known>) => boolean = () => true,
): Command => ({
  check,
  async run(known, world) {
    run(world, known); // and it goes on beside the commands that follow
  },
  toString: () => label,
});

const named = (label: string, of: unknown): string => `${label}(${JSON.stringify(of)})`;

/** Any number of deploys, callers and crashes, one after the other; of sweeps and people, too, where there are foreign writers. */
const commands = (foreign: boolean, deploys: fc.Arbitrary<Run>): fc.Arbitrary<Iterable<Command>> =>
  fc.commands(
    [
      deploys.map((how) =>
        command(
          named('deploy', how),
          async (world, known) => {
            known.running = true;
            await world.run(how);
            known.running = false;
          },
          ({ running }) => !running,
        ),
      ),
      CALLER.map((caller) => command(named('stale caller', caller), (world) => world.staleCaller(caller))),
      CALLER.map((caller) => command(named('stale caller', caller), (world) => world.staleCaller(caller))),
      fc
        .constantFrom(1_000, 12_000, 40_000, 80_000, SWEEP_MS)
        .map((ms) => command(named('pass', ms), (world) => world.pass(ms))),
      fc.nat(7).map((which) => command(named('kill', which), (world) => world.kill(which))),
      fc.constant(command('the database ends a session', (world) => world.endSession())),
      ...(foreign
        ? [
            MOVE.map((to) => command(named('move', to), (world) => world.move(to))),
            fc.constant(command('edit', (world) => world.edit())),
            fc.constant(command('sweep', (world) => world.sweep())),
          ]
        : []),
    ],
    { maxCommands: 30 },
  );

export interface Story extends Circumstances {
  readonly commands: Iterable<Command>;
}

/** @param degradedState whether the tracker has a state for degraded work, and some deploys end so. */
export const stories = (foreign: boolean, degradedState = false): fc.Arbitrary<Story> =>
  fc.record({
    commands: commands(foreign, degradedState ? degradable(foreign) : runs(foreign)),
    ...(degradedState ? { degradedState: fc.constant(true) } : {}),
    fates: fc.array(FATE, { maxLength: 12 }),
    lags: fc.array(LAG, { maxLength: 12 }),
    foreign: fc.constant(foreign),
    firstSweepMs: FIRST_SWEEP,
  });

/** Command after command, with whatever the scheduler lets happen between them. */
export async function tell(scheduler: Scheduler, story: Story, protections: Protections): Promise<Outcome> {
  const world = virtualWorld(scheduler, story, protections);
  const known = { running: false };
  await fc.scheduledModelRun(scheduler, () => ({ model: known, real: world }), story.commands);
  await world.heal();
  return world.outcome();
}
