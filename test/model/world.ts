import type { Scheduler } from 'fast-check';
import { createReconcile } from '../../activities/reconcile.ts';
import { createStatusSetters, type StatusSetters } from '../../activities/status-setters.ts';
import { LOCK_LIMITS } from '../../adapters/postgres/work-item-lock.ts';
import { type DeployRecord, lastDeploy, sweptStatus, type WindowRecord } from '../../decisions/index.ts';
import { convergeAndSettle } from '../../workflows/converge.ts';
import type { SweptProject } from '../../workflows/messages.ts';
import { sweepProject } from '../../workflows/sweep-project.ts';
import type { Circumstances, Outcome, Protections, Run, StaleCaller } from './circumstances.ts';
import { later, stopwatch, type VirtualClock, virtualClock } from './virtual-clock.ts';
import { virtualLock } from './virtual-lock.ts';
import { CALL_MS, LAG_MS, virtualPlane } from './virtual-plane.ts';
import { type Freeze, type VirtualWorker, virtualWorker } from './virtual-worker.ts';

// One work item, with the real setters, the real last word and real sweeps; the world around them is in memory, and time passes when
// it says so.

const REPO = 'shop';
const WORK_ITEM = 'ORCH-61';
const PROJECT = 'ORCH';
const ITEM = { id: 'item', project: PROJECT };
const OURS: ReadonlySet<string> = new Set(['awaiting_deploy', 'deploying', 'monitoring']);
/** As the settings have it. */
export const SWEEP_MS = 5 * 60_000;
const SETTLE_MS = 60_000;
/** A sweep reads no further than to what was changed before the sweep before began, less its margin, ms: something more than that. */
const READ_TO_MS = 2.5 * SWEEP_MS;
/** As the workflows have it for their activities. */
const START_TO_CLOSE_MS = 45_000;
const RETRY_MS = 1_000;

/** The longest that one try takes which succeeds: it waits for the lock, then for its answer. Nothing else takes time but disturbances. */
export const TRY_MS = LOCK_LIMITS.waitMs + CALL_MS;
/**
 * What docs/status-protocol.md promises without foreign writers, ms: a last word that was being said may have looked at the row as it
 * was before the disturbance; then it settles, and one try corrects.
 */
const SETTLED_MS = LAG_MS + SETTLE_MS + TRY_MS;
/** The same with them: a sweep may have looked at the row as it was before; then comes the next one, and one try corrects. */
const SWEPT_MS = LAG_MS + SWEEP_MS + TRY_MS;

/** More than any scenario takes; a run that is still busy then will not end. */
const MOST_TURNS = 20_000;

type Call<T> = (setters: StatusSetters) => Promise<T>;

export function virtualWorld(scheduler: Scheduler, circumstances: Circumstances, protections: Protections) {
  const { foreign, degradedState = false } = circumstances;
  const clock = virtualClock();
  const fates = [...circumstances.fates];
  const lags = [...circumstances.lags];
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
  /** Temporal's records of the last run, and of the last window. */
  const record: { deploy: DeployRecord | null; window: WindowRecord | null } = { deploy: null, window: null };
  const lastDeployNow = (stage: string | null) => lastDeploy(stage, record.deploy, record.window);
  let runs = 0;
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

  const authorities = () => ({
    ...{ inForce: true, dbStage: task.stage, windowActive: window.active },
    ...(degradedState ? { lastDeploy: lastDeployNow(task.stage) } : {}),
  });
  const wrong = (): boolean => {
    const wanted = sweptStatus(authorities());
    const shown = plane.shown();
    return wanted !== null && shown !== wanted && (OURS.has(shown) || !foreign);
  };
  const wrongTime = stopwatch(clock, wrong);
  let disturbedAt = 0;
  const disturbed = (): void => {
    disturbedAt = clock.now();
    wrongTime.look();
  };
  plane.onChange(() => {
    happened.writes += 1;
    wrongTime.look();
    if (wrong()) disturbed(); // a late write, a foreign one, or one that was overtaken
  });

  /** The activities of one process; `believed` is what its caller takes for true where it does not look. */
  function settersOf(worker: VirtualWorker, believed: { stage: string; active: boolean } | null): StatusSetters {
    const { write, ...tracker } = plane.tracker(worker);
    let sent = false;
    const certain = (): boolean => sent && !protections.doubt;
    return createStatusSetters<null>({
      guard: { enabled: true, repos: [REPO], selfHostingRepo: 'orchestrator' },
      withWorkItemLock: (_workItem, run) =>
        protections.lock ? lock.hold(worker, (lost) => run(null, unless(certain, lost))) : run(null),
      async findTask(workItem) {
        await worker.turn('asks for the stage');
        const read = { repo: REPO, workItem, stage: believed?.stage ?? task.stage };
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
      latestRun: async () => null,
      lastDeploy: degradedState
        ? async (_repo, _workItem, stage) => {
            await worker.turn('asks for the last deploy');
            const read = lastDeployNow(stage);
            await worker.turn('gets the last deploy');
            return read;
          }
        : undefined,
      tracker: {
        ...tracker,
        write: (repo, workItem, status, beforeSending) =>
          write(repo, workItem, status, () => {
            beforeSending?.();
            sent = true;
          }),
      },
      log: { info: () => {} },
      stopwatch() {
        const since = clock.now();
        return () => (protections.ageCheck && !certain() ? clock.now() - since : 0);
      },
    });
  }

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
      const worker = virtualWorker(scheduler, clock, attempt === 1 ? (stale?.freeze ?? null) : null, {
        frozen() {
          happened.freezes += 1;
        },
        woken: disturbed,
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
      if (stale === null) disturbed(); // what failed, and the wait for the next try, is a fault like the others
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

  async function staleCaller({ target, atMs, freeze }: StaleCaller): Promise<void> {
    await clock.sleep(atMs);
    await turn(`somebody wants ${target}`);
    await activity((setters) => setters[SETTERS[target]](request('stale')), 3, { freeze });
  }

  /** A run of the work item, as `deployToDone` and `postDeployMonitor` have it. */
  async function run({ windowMs, ending, degraded = false }: Run): Promise<void> {
    await turn('the run begins');
    const before = plane.shown();
    task.stage = 'deploy';
    const runId = `run ${++runs}`;
    record.deploy = { runId, running: true, phase: 'deploying', outcome: null };
    underWay = true;
    disturbed();
    const deploying = await activity((setters) => setters.setDeploying(request('deployToDone')), 3);
    await turn('the task becomes done');
    task.stage = 'done';
    disturbed();
    await turn('the window opens');
    window.active = true;
    const verdict = degraded ? 'DEGRADED' : null;
    const opened = { parentRunId: runId, running: true, phase: 'open', outcome: null, verdict };
    record.window = opened;
    disturbed();
    await turn('the run says that it watches');
    underWay = false;
    record.deploy = { ...record.deploy, phase: 'monitoring' };
    const monitoring = await activity((setters) => setters.setMonitoring(request('deployToDone')), 3);
    const acknowledged = [deploying, monitoring].some((result) => result !== null && OURS.has(result.status ?? ''));
    await clock.sleep(windowMs);
    await turn('the window closes');
    if (ending === 'cancelled') task.stage = 'cancelled';
    window.active = false;
    const outcome = degraded ? 'degraded_alerted' : 'healthy';
    if (ending === 'terminated') {
      record.window = { ...opened, running: false };
      record.deploy = { ...record.deploy, running: false };
    } else record.window = { ...opened, phase: 'closed', outcome };
    disturbed();
    if (ending !== 'done') return;
    await convergeAndSettle(
      {
        ...request('postDeployMonitor'),
        reason: `window ${outcome}`,
        degraded: degraded && degradedState,
        guarded: protections.settle,
        settleMs: SETTLE_MS * (protections.promptSettle ? 1 : 2),
        alarmKey: 'run',
        own: { acknowledged, before },
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
        besideAlarms: () => true,
      },
    );
    if (record.deploy.runId === runId) record.deploy = { ...record.deploy, running: false, outcome };
  }

  const reconcile = createReconcile({
    guard: { enabled: true, repos: [REPO], selfHostingRepo: 'orchestrator' },
    projects: [PROJECT],
    tracker: {
      // Another one was changed so long ago that a sweep stops there: those that were changed last come first.
      async page(_project, cursor) {
        await turn('a sweep reads a page');
        const status = plane.shown();
        const ours = status === 'cancelled' || status === 'in progress' ? null : status;
        const row = { item: ITEM, names: [WORK_ITEM], shown: status, status: ours, updatedAt: plane.changedAt() };
        const other = { ...row, item: { ...ITEM, id: 'another' }, status: null, updatedAt: clock.now() - READ_TO_MS };
        const first = row.updatedAt > other.updatedAt ? [row, other] : [other];
        const items = cursor === null ? first : [row];
        return { items, next: cursor === null && first.length === 1 ? 'the older ones' : null };
      },
    },
    tasks: { findNamed: async () => [{ repo: REPO, workItem: WORK_ITEM, stage: task.stage, asked: WORK_ITEM }] },
    windowActive: async () => window.active,
    deployUnderWay: async () => underWay,
    runs: async () => false,
    failingRuns: async () => [],
    lastDeploy: degradedState ? async (_repo, _workItem, stage) => lastDeployNow(stage) : undefined,
    inTurn: (_priority, look) => look(),
  });

  let last: SweptProject | undefined;
  let sweeping = false;
  /** One at a time. */
  async function sweep(): Promise<void> {
    if (sweeping) return;
    sweeping = true;
    await turn('a sweep begins');
    const began = clock.now();
    const unchanged = last !== undefined && plane.changedAt() < began - READ_TO_MS;
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
    sweeping = false;
  }
  if (protections.sweep)
    clock.every(circumstances.firstSweepMs, SWEEP_MS * (protections.promptSweep ? 1 : 2), () => void sweep());

  return {
    staleCaller,
    run,
    sweep,
    turn,
    /** Time passes, and nobody does anything: as if all processes were frozen. */
    pass(ms: number): void {
      clock.pass(ms);
      disturbed();
    },
    move: plane.move,
    edit: plane.edit,
    /** kill -9 of one of the processes that live at this moment. */
    kill(which: number): void {
      const victims = [...living].filter((worker) => !worker.dead());
      if (victims.length === 0) return;
      happened.kills += 1;
      victims[which % victims.length]?.kill();
      disturbed();
    },
    /** The database ends the session of whoever holds the lock. */
    endSession(): void {
      if (lock.endSession()) disturbed();
    },
    /** No more faults: all that is under way comes to its end, and two sweeps come by, as the first may have read what was there before. */
    async heal(): Promise<void> {
      await untilQuiet(scheduler, clock);
      for (let sweeps = 0; sweeps < 2; sweeps += 1) {
        clock.pass((clock.nextAt() ?? clock.now()) - clock.now());
        await untilQuiet(scheduler, clock);
      }
      wrongTime.look();
    },
    outcome(): Outcome {
      happened.locksLost = lock.lost();
      return {
        shown: plane.shown(),
        wanted: sweptStatus(authorities()),
        right: !wrong(),
        wrongMs: wrongTime.total(),
        rightAfterMs: Math.max(0, wrongTime.endedAt() - disturbedAt),
        promisedMs: foreign ? SWEPT_MS : SETTLED_MS,
        happened,
      };
    },
  };
}

export type World = ReturnType<typeof virtualWorld>;

function must<T>(value: T | null): T {
  if (value === null) throw new Error('an activity without limit came to an end');
  return value;
}

/** Tells what a signal tells, unless something is so. */
function unless(so: () => boolean, signal: AbortSignal): AbortSignal {
  const told = new AbortController();
  signal.addEventListener('abort', () => {
    if (!so()) told.abort(signal.reason);
  });
  return told.signal;
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
    if (next === null || clock.idle()) return;
    clock.pass(next - clock.now());
  }
  throw new Error(`nothing comes to rest within ${MOST_TURNS} turns`);
}
