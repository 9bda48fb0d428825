import fc, { type Scheduler } from 'fast-check';
import { createReconcile } from '../../activities/reconcile.ts';
import { createStatusSetters, type StatusSetters } from '../../activities/status-setters.ts';
import { type DeployPhaseStatus, restingStatus, sweptStatus } from '../../decisions/index.ts';
import { convergeAndSettle } from '../../workflows/converge.ts';
import type { SweptProject } from '../../workflows/messages.ts';
import { sweepProject } from '../../workflows/sweep-project.ts';
import { type VirtualClock, virtualClock } from './virtual-clock.ts';
import { virtualLock } from './virtual-lock.ts';
import { CALL_MS, FLIGHT_MS, LAG_MS, type Shown, virtualPlane, type WriteFate } from './virtual-plane.ts';
import { type Freeze, type VirtualWorker, virtualWorker } from './virtual-worker.ts';

// The real setters, the real last word and real sweeps, on one work item, in every order that a scheduler can think of: the world
// around them is in memory, and time passes when it says so.

/** What protects the status. Each can be taken away, to see what it is there for. */
export interface Protections {
  readonly lock: boolean;
  readonly freshEvidence: boolean;
  readonly settle: boolean;
  readonly ageCheck: boolean;
  readonly sweep: boolean;
  /** A sweep compares again what the one before saw in the deploy phase. */
  readonly known: boolean;
}

export const ALL: Protections = {
  lock: true,
  freshEvidence: true,
  settle: true,
  ageCheck: true,
  sweep: true,
  known: true,
};

/** What happens to one work item, beside its own run. */
export interface Scenario {
  /** Stale callers: what each wants to show, and when, ms. */
  readonly callers: readonly {
    readonly target: DeployPhaseStatus;
    readonly atMs: number;
    /** What befalls its first process. */
    readonly freeze: Freeze | null;
  }[];
  /** How long the window is open, ms. */
  readonly windowMs: number;
  /** Whether the task is cancelled in the end, in place of done. */
  readonly cancelled: boolean;
  /** Which of the processes that live at that moment is killed. */
  readonly kills: readonly number[];
  readonly fates: readonly WriteFate[];
  /** How old reads of the row are, ms. */
  readonly lags: readonly number[];
  /** How long time passes between two things, ms. */
  readonly pauses: readonly number[];
  /** How often somebody saves a row as it was when they read it. */
  readonly edits: number;
  readonly moves: readonly Shown[];
  /** Sweeps that come by meanwhile; one more comes when all is over. */
  readonly sweeps: number;
  /** How long after everything it comes, ms. */
  readonly lastSweepMs: number;
  /** Whether run and window are ended from outside, so that nobody has the last word. */
  readonly terminated: boolean;
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

/** Scenarios without foreign writers end right by themselves; those with them, after one sweep. */
export const scenarios = (foreign: boolean): fc.Arbitrary<Scenario> =>
  fc.record({
    callers: fc.array(fc.record({ target: TARGET, atMs: MOMENT, freeze: fc.option(FREEZE, { freq: 2 }) }), {
      minLength: 1,
      maxLength: 4,
    }),
    windowMs: fc.constantFrom(0, 1_000, 20_000, ...(foreign ? [3.5 * SWEEP_MS] : [])),
    cancelled: foreign ? fc.boolean() : fc.constant(false),
    kills: fc.array(fc.nat(7), { maxLength: 3 }),
    fates: fc.array(FATE, { maxLength: 8 }),
    lags: fc.array(fc.constantFrom(0, 1_000, LAG_MS), { maxLength: 8 }),
    pauses: fc.array(fc.constantFrom(100, 1_000, 5_000, 12_000, 21_000, 40_000), { minLength: 1, maxLength: 12 }),
    edits: foreign ? fc.integer({ min: 1, max: 3 }) : fc.constant(0),
    moves: foreign
      ? fc.array(fc.constantFrom<Shown>('in progress', 'done', 'deploying', 'awaiting_deploy'), { maxLength: 1 })
      : fc.constant([]),
    sweeps: fc.integer({ min: 0, max: 3 }),
    lastSweepMs: fc.constantFrom(0, 60_000, 4 * SWEEP_MS),
    terminated: foreign ? fc.boolean() : fc.constant(false),
  });

/** What came of a scenario. */
export interface Outcome {
  readonly shown: Shown;
  /** What the authorities ask for in the end; `null`: whatever stands there is a person's choice, or nothing has to change. */
  readonly wanted: Shown | null;
  readonly right: boolean;
  /** How long a deploy-phase status stood that they did not ask for, ms of virtual time, until the sweep. */
  readonly wrongMs: number;
  /** What happened, to tell that something did. */
  readonly happened: {
    readonly kills: number;
    readonly freezes: number;
    readonly locksLost: number;
    readonly oldEvidence: number;
    readonly writes: number;
    readonly staleReads: number;
    readonly failures: number;
    readonly rewrites: number;
    readonly healed: number;
    /** Of these, by what an earlier sweep knew: the row had not been changed since. */
    readonly known: number;
  };
}

const REPO = 'shop';
const WORK_ITEM = 'ORCH-61';
const PROJECT = 'ORCH';
const ITEM = { id: 'item', project: PROJECT };
/** As the settings have it. */
const SWEEP_MS = 5 * 60_000;
const SETTLE_MS = 60_000;
/** As the workflows have it for their activities. */
const START_TO_CLOSE_MS = 45_000;
const RETRY_MS = 1_000;
/** More than any scenario takes; a run that is still busy then will not end. */
const MOST_TURNS = 20_000;

type Call<T> = (setters: StatusSetters) => Promise<T>;

export async function race(scheduler: Scheduler, scenario: Scenario, protections: Protections = ALL): Promise<Outcome> {
  const clock = virtualClock();
  const fates = [...scenario.fates];
  const lags = [...scenario.lags];
  const nextLag = (): number => {
    const ms = lags.shift() ?? 0;
    if (ms > 0) happened.staleReads += 1;
    return ms;
  };
  const plane = virtualPlane(scheduler, clock, () => fates.shift() ?? { how: 'fine', takesMs: 0 }, nextLag);
  const lock = virtualLock(clock);
  const task = { repo: REPO, stage: 'deploy' };
  const window = { active: false };
  let underWay = false;
  const living = new Set<VirtualWorker>();
  const happened = {
    kills: 0,
    freezes: 0,
    locksLost: 0,
    oldEvidence: 0,
    writes: 0,
    staleReads: 0,
    failures: 0,
    rewrites: 0,
    healed: 0,
    known: 0,
  };

  const authorities = () => ({ inForce: true, dbStage: task.stage, windowActive: window.active });
  const wrong = (): boolean => {
    const wanted = sweptStatus(authorities());
    const shown = plane.shown();
    return wanted !== null && shown !== wanted && ['awaiting_deploy', 'deploying', 'monitoring'].includes(shown);
  };
  const wrongTime = stopwatch(clock, wrong);
  plane.onChange(() => {
    happened.writes += 1;
    wrongTime.look();
  });

  /** The activities of one process; `believed` is what its caller takes for true where it does not look. */
  const settersOf = (worker: VirtualWorker, believed: { stage: string; active: boolean } | null): StatusSetters =>
    createStatusSetters<null>({
      guard: { enabled: true, repos: [REPO], selfHostingRepo: 'orchestrator' },
      withWorkItemLock: (_workItem, run) =>
        protections.lock ? lock.hold(worker, (lost) => run(null, lost)) : run(null),
      async findTask() {
        await worker.turn('asks for the stage');
        const read = { repo: REPO, stage: believed?.stage ?? task.stage };
        await worker.turn('gets the stage');
        return read;
      },
      findSpelled: async () => null,
      findByOtherName: async () => null,
      async windowActive() {
        await worker.turn('asks for the window');
        const read = believed?.active ?? window.active;
        await worker.turn('gets the window');
        return read;
      },
      async deployUnderWay() {
        await worker.turn('asks for the deploy');
        return underWay;
      },
      tracker: plane.tracker(worker),
      log: { info: () => {} },
      stopwatch: () => {
        const since = protections.ageCheck ? clock.now() : 0;
        return () => (protections.ageCheck ? clock.now() - since : 0);
      },
    });

  /**
   * As Temporal runs an activity: again after a failure, after its time, and where its process is silent. An attempt that only
   * takes long, or was frozen, goes on beside the next one.
   */
  async function activity<T>(
    call: Call<T>,
    attempts: number,
    stale: { readonly freeze: Freeze | null } | null = null,
  ): Promise<T | null> {
    const believed = stale !== null && !protections.freshEvidence ? { stage: 'deploy', active: false } : null;
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      const worker = virtualWorker(scheduler, clock, attempt === 1 ? (stale?.freeze ?? null) : null, () => {
        happened.freezes += 1;
      });
      living.add(worker);
      const late = later(clock, START_TO_CLOSE_MS);
      try {
        const result = await Promise.race([
          call(settersOf(worker, believed))
            .finally(() => living.delete(worker))
            .then((value) => ({ value })),
          late.promise,
          worker.silent,
        ]);
        if (typeof result === 'object') return result.value;
      } catch (error) {
        happened.failures += 1;
        if (error instanceof Error && error.message.startsWith('The evidence about')) happened.oldEvidence += 1;
      } finally {
        late.callOff();
      }
      await clock.sleep(RETRY_MS);
    }
    return null;
  }

  const request = (caller: string) => ({ repo: REPO, workItem: WORK_ITEM, caller });
  const SETTERS = {
    awaiting_deploy: 'setAwaitingDeploy',
    deploying: 'setDeploying',
    monitoring: 'setMonitoring',
  } as const;
  const turn = (label: string): Promise<void> => scheduler.schedule(Promise.resolve(), label);

  async function staleCaller({ target, atMs, freeze }: Scenario['callers'][number]): Promise<void> {
    await clock.sleep(atMs);
    await turn(`somebody wants ${target}`);
    await activity((setters) => setters[SETTERS[target]](request('stale')), 3, { freeze });
  }

  /** The work item's own run, as `deployToDone` and `postDeployMonitor` have it. */
  async function run(): Promise<void> {
    await turn('the run begins');
    underWay = true;
    await activity((setters) => setters.setDeploying(request('deployToDone')), 3);
    await turn('the task becomes done');
    task.stage = 'done';
    wrongTime.look();
    await turn('the window opens');
    window.active = true;
    wrongTime.look();
    await turn('the run says that it watches');
    underWay = false;
    await activity((setters) => setters.setMonitoring(request('deployToDone')), 3);
    await clock.sleep(scenario.windowMs);
    await turn('the window closes');
    if (scenario.cancelled) task.stage = 'cancelled';
    window.active = false;
    wrongTime.look();
    if (scenario.cancelled || scenario.terminated) return;
    await convergeAndSettle(
      {
        ...request('postDeployMonitor'),
        reason: 'window healthy',
        guarded: protections.settle,
        settleMs: SETTLE_MS,
        alarmKey: 'run',
      },
      () => {},
      {
        setters: () => ({
          convergeDone: async (asked) =>
            must(await activity((setters) => setters.convergeDone(asked), Number.POSITIVE_INFINITY)),
          async settleStatus(asked) {
            const result = must(await activity((setters) => setters.settleStatus(asked), Number.POSITIVE_INFINITY));
            if (result.wrote) happened.rewrites += 1;
            return result;
          },
        }),
        sleep: clock.sleep,
        sendAlert: async () => {},
      },
    );
  }

  const reconcile = createReconcile({
    guard: { enabled: true, repos: [REPO], selfHostingRepo: 'orchestrator' },
    projects: [PROJECT],
    tracker: {
      // Others have been changed meanwhile, one of them so long ago: those that were changed last come first.
      async page(_project, cursor) {
        await turn('a sweep reads a page');
        const status = plane.shown();
        const ours = status === 'cancelled' || status === 'in progress' ? null : status;
        const row = { item: ITEM, names: [WORK_ITEM], shown: status, status: ours, updatedAt: plane.changedAt() };
        const other = { ...row, item: { ...ITEM, id: 'another' }, status: null, updatedAt: clock.now() - 2 * SWEEP_MS };
        const first = row.updatedAt > other.updatedAt ? [row, other] : [other];
        const items = cursor === null ? first : [row];
        return { items, next: cursor === null && first.length === 1 ? 'the older ones' : null };
      },
    },
    tasks: { findNamed: async () => [{ repo: REPO, workItem: WORK_ITEM, stage: task.stage, asked: WORK_ITEM }] },
    windowActive: async () => window.active,
    deployUnderWay: async () => underWay,
    spareRequests: () => {},
  });

  let last: SweptProject | undefined;
  async function sweep(): Promise<void> {
    await turn('a sweep begins');
    const began = clock.now();
    const unchanged = last !== undefined && plane.changedAt() < began - 2 * SWEEP_MS;
    const swept = await sweepProject(
      PROJECT,
      { began, full: false, last },
      {
        ...reconcile,
        async correct() {
          const corrected = await activity((setters) => setters.healStatus(request('sweep')), 10);
          if (corrected?.wrote !== true) return { settled: [], failed: [ITEM.id] };
          happened.healed += 1;
          if (unchanged) happened.known += 1;
          return { settled: [ITEM.id], failed: [] };
        },
      },
    );
    last = protections.known ? swept.project : { ...swept.project, inDeployPhase: [] };
  }

  async function each<T>(label: string, what: readonly T[], act: (one: T) => Promise<void> | void): Promise<void> {
    for (const one of what) {
      await turn(label);
      await act(one);
    }
  }

  void run();
  for (const caller of scenario.callers) void staleCaller(caller);
  void each('time passes', scenario.pauses, (ms) => clock.pass(ms));
  void each('a process is killed', scenario.kills, (which) => {
    const victims = [...living].filter((worker) => !worker.dead());
    if (victims.length > 0) happened.kills += 1;
    victims[which % victims.length]?.kill();
  });
  void each('a person moves the item', scenario.moves, (to) => plane.move(to));
  void each('somebody reads the row', Array.from({ length: scenario.edits }), () => plane.edit());
  if (protections.sweep)
    void each('a sweep is due', Array.from({ length: scenario.sweeps }), async () => {
      await clock.sleep(SWEEP_MS);
      await sweep();
    });
  await untilQuiet(scheduler, clock);
  wrongTime.look();

  lags.length = 0; // all is well again
  if (protections.sweep) {
    clock.pass(scenario.lastSweepMs);
    await withTurns(scheduler, clock, sweep());
  }
  happened.locksLost = lock.lost();
  const wanted = sweptStatus(authorities()) ?? null;
  // Without anybody else at work nothing but the status that rests is right; a person's choice stays.
  const foreign = scenario.edits > 0 || scenario.moves.length > 0;
  const right = foreign ? !wrong() : plane.shown() === restingStatus(authorities());
  return { shown: plane.shown(), wanted, right, wrongMs: wrongTime.total(), happened };
}

function must<T>(value: T | null): T {
  if (value === null) throw new Error('an activity without limit came to an end');
  return value;
}

function later(clock: VirtualClock, ms: number): { readonly promise: Promise<'late'>; readonly callOff: () => void } {
  let callOff = (): void => {};
  const promise = new Promise<'late'>((resolve) => {
    callOff = clock.at(clock.now() + ms, () => resolve('late'));
  });
  return { promise, callOff };
}

/** Counts the time for which something is so, looked at whenever it may have changed. */
function stopwatch(clock: VirtualClock, so: () => boolean) {
  let total = 0;
  let since: number | null = null;
  return {
    look(): void {
      if (since !== null) total += clock.now() - since;
      since = so() ? clock.now() : null;
    },
    total: () => total,
  };
}

/** Lets everything that has been woken come to its next turn. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Turn after turn, and where nobody is waiting for one, on to the next moment at which something is due. */
async function untilQuiet(scheduler: Scheduler, clock: VirtualClock): Promise<void> {
  for (let turns = 0; turns < MOST_TURNS; turns += 1) {
    await settled();
    if (scheduler.count() > 0) {
      await scheduler.waitNext(1);
      continue;
    }
    const next = clock.nextAt();
    if (next === null) return;
    clock.pass(next - clock.now());
  }
  throw new Error(`nothing comes to rest within ${MOST_TURNS} turns`);
}

async function withTurns<T>(scheduler: Scheduler, clock: VirtualClock, going: Promise<T>): Promise<T> {
  await untilQuiet(scheduler, clock);
  return going;
}
