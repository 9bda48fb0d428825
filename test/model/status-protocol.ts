import {
  type DeployPhaseStatus,
  decide,
  isLeftAtRest,
  type LastDeploy,
  lastDeploy,
  type RestingEvidence,
  restingStatus,
  statusToWrite,
  sweptStatus,
} from '../../decisions/index.ts';
import type { Step } from './explore.ts';

// The status protocol (docs/status-protocol.md) as a machine of states, small enough to look at all of them. The decisions are
// the real ones. Time is not counted: what a time limit guarantees is a condition on when a step is possible.

/** What protects the status. Each can be taken away, to see what it is there for. */
export interface Protections {
  readonly guard: boolean;
  readonly lock: boolean;
  /** Evidence is read where the write is made; else it is what was true before everything. */
  readonly freshEvidence: boolean;
  /** The last word is read back after the settle time; `shorter`: than a write may be on its way. */
  readonly settle: 'longer' | 'shorter' | 'off';
  /** A write is not sent on evidence that is older than the settle time allows for. */
  readonly ageCheck: boolean;
  readonly sweep: boolean;
}

export const ALL: Protections = {
  guard: true,
  lock: true,
  freshEvidence: true,
  settle: 'longer',
  ageCheck: true,
  sweep: true,
};

/** How much goes wrong. */
export interface Faults {
  /** A setter's worker dies; its call is made again. */
  readonly crashes: number;
  /** A setter is held up for so long that the database ends its session: its lock is free, and it does not know. */
  readonly locksLost: number;
  /** A setter gives up waiting for an answer, and its call is made again; its write is still on its way. */
  readonly givenUp: number;
  /** A write never arrives. */
  readonly lost: number;
  /** A write is stored, and once more later. */
  readonly twice: number;
  /** Somebody else saves the whole row as it was when they read it. */
  readonly foreign: number;
  /** The task is cancelled. */
  readonly cancelled: number;
  /** A sweep comes by in the middle of everything. */
  readonly sweeps: number;
}

export const CALM: Faults = {
  ...{ crashes: 0, locksLost: 0, givenUp: 0, lost: 0, twice: 0, foreign: 0 },
  ...{ cancelled: 0, sweeps: 0 },
};

export interface Setup {
  readonly protections: Protections;
  readonly faults: Faults;
  /** The stale callers: what each wants to show, and how often it calls. */
  readonly setters: readonly { readonly target: DeployPhaseStatus; readonly calls: number }[];
  /** The window ends degraded, and the tracker has a state for that. */
  readonly degraded?: boolean;
}

type Shown = DeployPhaseStatus | 'done' | 'degraded' | 'cancelled' | 'its own';

type At = 'idle' | 'locked' | 'stage read' | 'window read' | 'evidence read' | 'looked' | 'sent';

interface Caller {
  /** `null`: whatever the authorities ask for (the last word, the sweep). */
  readonly target: DeployPhaseStatus | null;
  readonly calls: number;
  readonly at: At;
  readonly stage: string | null;
  readonly windowActive: boolean;
  /** `null`: it has not asked. */
  readonly last: LastDeploy | null;
  /** Its evidence is older than a write may be based on. */
  readonly old: boolean;
  /** What it found when it looked. */
  readonly saw: Shown | null;
}

interface Write {
  readonly by: number;
  readonly status: Shown;
  /** Nobody waits for its answer any more. */
  readonly orphan: boolean;
}

export interface State {
  readonly stage: 'deploy' | 'done' | 'cancelled';
  readonly window: 'none' | 'active' | 'closed';
  readonly shown: Shown;
  readonly lock: number | null;
  readonly callers: readonly Caller[];
  readonly onTheirWay: readonly Write[];
  readonly lastWord: 'not yet' | 'writing' | 'settling' | 'said';
  /** What somebody else has read and is about to save. */
  readonly foreign: Shown | null;
  /** Somebody else has saved a status that is none of ours: from then on it counts as a person's choice. So does `done`, where the window ends degraded. */
  readonly chosen: boolean;
  readonly degraded: boolean;
  readonly left: Faults;
}

const caller = (target: DeployPhaseStatus | null, calls: number): Caller => ({
  target,
  calls,
  at: 'idle',
  stage: null,
  windowActive: false,
  last: null,
  old: false,
  saw: null,
});

export function initial({ setters, faults, degraded = false }: Setup): State {
  return {
    stage: 'deploy',
    window: 'none',
    shown: 'its own',
    lock: null,
    callers: [caller(null, 0), caller(null, 0), ...setters.map(({ target, calls }) => caller(target, calls))],
    onTheirWay: [],
    lastWord: 'not yet',
    foreign: null,
    chosen: false,
    degraded,
    left: faults,
  };
}

const LAST_WORD = 0;
const SWEEP = 1;
const NAMES = ['the last word', 'the sweep', 'setter A', 'setter B', 'setter C'];

/** What Temporal has on record by now, of a task that was read at a stage. */
function lastDeployIn({ stage, window }: State, dbStage: string | null): LastDeploy {
  const phase = stage === 'deploy' ? 'deploying' : window === 'none' ? 'checking' : 'monitoring';
  const closed = window === 'closed';
  return lastDeploy(
    dbStage,
    { runId: 'run', running: true, phase, outcome: null },
    window === 'none'
      ? null
      : {
          ...{ parentRunId: 'run', running: true, verdict: 'DEGRADED' },
          ...{ phase: closed ? 'closed' : 'open', outcome: closed ? 'degraded_alerted' : null },
        },
  );
}

const evidenceIn = (state: State): RestingEvidence => ({
  ...{ inForce: true, dbStage: state.stage, windowActive: state.window === 'active' },
  ...(state.degraded ? { lastDeploy: lastDeployIn(state, state.stage) } : {}),
});

const inDeployPhase = ({ shown }: State): boolean => !['its own', 'done', 'degraded', 'cancelled'].includes(shown);

/**
 * A state in which nothing can happen any more is right where the tracker shows what the authorities ask for, or what a person chose.
 * Of a cancelled task they ask only that it leaves the deploy phase.
 */
export const right = (state: State): boolean =>
  state.stage === 'cancelled'
    ? !inDeployPhase(state)
    : state.shown === restingStatus(evidenceIn(state)) ||
      (state.chosen && (state.shown === 'its own' || (state.degraded && state.shown === 'done')));

/** A deploy-phase status stands that the authorities do not ask for: what the settle, and then the sweep, corrects. */
const drifted = (state: State, wanted: typeof restingStatus | typeof sweptStatus): boolean =>
  inDeployPhase(state) && (wanted(evidenceIn(state)) ?? state.shown) !== state.shown;

/** Everything that can happen in a state. */
export const stepsOf =
  ({ protections }: Setup) =>
  (state: State): Step<State>[] => {
    const steps: Step<State>[] = [];
    const can = (label: string, change: Partial<State>): void =>
      void steps.push({ label, next: { ...state, ...change } });
    run(state, can);
    for (const [who, what] of state.callers.entries()) call(state, who, what, protections, can);
    writes(state, can);
    foreigners(state, can);
    settle(state, protections, can);
    sweep(state, protections, steps.length === 0, can);
    return steps;
  };

type Can = (label: string, change: Partial<State>) => void;

const withCaller = (state: State, who: number, change: Partial<Caller>): readonly Caller[] =>
  state.callers.map((known, index) => (index === who ? { ...known, ...change } : known));

const BETWEEN_CALLS: Partial<Caller> = {
  ...{ at: 'idle', stage: null, windowActive: false, last: null, old: false, saw: null },
};

/** The run: the task becomes done, its window opens and closes, and then it has the last word. Where it is cancelled there is none. */
function run({ stage, window, lastWord, ...state }: State, can: Can): void {
  const { left } = state;
  if (stage !== 'cancelled' && lastWord === 'not yet' && left.cancelled > 0)
    can('the task is cancelled', { stage: 'cancelled', left: { ...left, cancelled: left.cancelled - 1 } });
  if (stage === 'cancelled') {
    if (window === 'active') can('the window closes', { window: 'closed' });
  } else if (stage === 'deploy') can('the task becomes done', { stage: 'done' });
  else if (window === 'none') can('the window opens', { window: 'active' });
  else if (window === 'active') windowCloses({ stage, window, lastWord, ...state }, can);
  else if (lastWord === 'not yet')
    can('the last word begins', {
      lastWord: 'writing',
      callers: withCaller({ stage, window, lastWord, ...state }, LAST_WORD, { calls: 1 }),
    });
}

/** One that ends degraded outlasts a Done that was decided on before it opened (docs/status-protocol.md, "Degraded"). */
function windowCloses(state: State, can: Can): void {
  if (!state.degraded) can('the window closes', { window: 'closed' });
  else if (state.onTheirWay.every(({ status }) => status !== 'done'))
    can('the window closes', { window: 'closed', callers: aged(state) });
}

function call(state: State, who: number, me: Caller, protections: Protections, can: Can): void {
  const name = NAMES[who] ?? `${who}`;
  const move = (what: string, change: Partial<Caller>, more: Partial<State> = {}): void =>
    can(`${name} ${what}`, { callers: withCaller(state, who, change), ...more });
  const done = (what: string, more: Partial<State> = {}): void =>
    move(
      what,
      { ...BETWEEN_CALLS, calls: me.calls - 1 },
      {
        lock: state.lock === who ? null : state.lock,
        ...(who === LAST_WORD ? { lastWord: protections.settle === 'off' ? 'said' : 'settling' } : {}),
        ...more,
      },
    );
  const evidence: RestingEvidence = {
    ...{ inForce: protections.guard, dbStage: me.stage, windowActive: me.windowActive },
    ...(me.last === null ? {} : { lastDeploy: me.last }),
  };
  const verdict = decide(evidence);
  const asked = who === SWEEP ? sweptStatus : restingStatus;
  const wanted =
    me.target === null ? asked({ ...evidence, inForce: true }) : statusToWrite(verdict, me.target, evidence);

  const fresh = protections.freshEvidence || me.target === null;

  switch (me.at) {
    case 'idle':
      if (me.calls === 0) break;
      if (!protections.lock) move('begins', { at: 'locked' });
      else if (state.lock === null) move('takes the lock', { at: 'locked' }, { lock: who });
      break;
    case 'locked':
      move('reads the stage', { at: 'stage read', stage: fresh ? state.stage : 'deploy' });
      break;
    case 'stage read':
      move('asks for the window', {
        at: state.degraded && state.window !== 'active' && me.stage !== 'cancelled' ? 'window read' : 'evidence read',
        windowActive: fresh && state.window === 'active',
      });
      break;
    case 'window read':
      move('asks for the last deploy', { at: 'evidence read', last: lastDeployIn(state, me.stage) });
      break;
    case 'evidence read':
      if (wanted === null) done('has nothing to write');
      else move('looks at the tracker', { at: 'looked', saw: state.shown });
      break;
    case 'looked':
      if (wanted === null || wanted === me.saw || isLeft(who, me, evidence)) done(`finds ${me.saw} there`);
      else if (me.old && protections.ageCheck)
        move('finds its evidence old, and begins anew', BETWEEN_CALLS, freed(state, who));
      else
        move(
          `sends ${wanted}`,
          { at: 'sent' },
          { onTheirWay: [...state.onTheirWay, { by: who, status: wanted, orphan: false }] },
        );
      break;
    case 'sent':
      if (!state.onTheirWay.some(({ by, orphan }) => by === who && !orphan)) done('has its answer');
      else if (state.left.givenUp > 0)
        move('gives up waiting for its answer', BETWEEN_CALLS, {
          ...freed(state, who),
          onTheirWay: orphaned(state, who),
          left: { ...state.left, givenUp: state.left.givenUp - 1 },
        });
      break;
    default:
      me.at satisfies never;
  }
  if (state.lock === who && state.left.locksLost > 0)
    can(`${name} is held up until its lock is free`, {
      lock: null,
      left: { ...state.left, locksLost: state.left.locksLost - 1 },
    });
  if (me.at !== 'idle' && state.left.crashes > 0)
    move('crashes, and begins anew', BETWEEN_CALLS, {
      ...freed(state, who),
      onTheirWay: orphaned(state, who),
      left: { ...state.left, crashes: state.left.crashes - 1 },
    });
}

/** What each leaves as it is; the last word leaves nothing. */
function isLeft(who: number, { saw }: Caller, evidence: RestingEvidence): boolean {
  if (who === LAST_WORD) return false;
  if (who === SWEEP) return saw === 'done' || saw === 'degraded' || saw === 'its own';
  return isLeftAtRest(saw === 'its own' || saw === 'cancelled' ? null : saw, evidence);
}

const freed = ({ lock }: State, who: number): Partial<State> => ({ lock: lock === who ? null : lock });

const orphaned = ({ onTheirWay }: State, who: number): readonly Write[] =>
  onTheirWay.map((write) => (write.by === who ? { ...write, orphan: true } : write));

function writes(state: State, can: Can): void {
  for (const [index, write] of state.onTheirWay.entries()) {
    const { by, status, orphan } = write;
    const others = state.onTheirWay.filter((_, other) => other !== index);
    const whose = `the ${orphan ? 'late ' : ''}${status} of ${NAMES[by]}`;
    can(`${whose} is stored`, { onTheirWay: others, shown: status });
    if (state.left.twice > 0)
      can(`${whose} is stored, and once more later`, {
        onTheirWay: [...others, { ...write, orphan: true }],
        shown: status,
        left: { ...state.left, twice: state.left.twice - 1 },
      });
    if (state.left.lost > 0)
      can(`${whose} is lost${orphan ? '' : ', and its call is made again'}`, {
        onTheirWay: others,
        left: { ...state.left, lost: state.left.lost - 1 },
        ...(orphan ? {} : { ...freed(state, by), callers: withCaller(state, by, BETWEEN_CALLS) }),
      });
  }
}

function foreigners(state: State, can: Can): void {
  const { foreign, left } = state;
  if (foreign !== null)
    can(`somebody saves the row with ${foreign} in it`, {
      shown: foreign,
      foreign: null,
      chosen: state.chosen || foreign === 'its own' || (state.degraded && foreign === 'done'),
    });
  else if (left.foreign > 0)
    can('somebody reads the row, to change another field', {
      foreign: state.shown,
      left: { ...left, foreign: left.foreign - 1 },
    });
}

/** The settle time is over once nothing can be on its way that was decided before it began; what still thinks about it is old. */
function settle(state: State, { settle: kind }: Protections, can: Can): void {
  if (state.lastWord !== 'settling' || (kind === 'longer' && state.onTheirWay.length > 0)) return;
  if (!drifted(state, restingStatus))
    can('the status is read back, and holds', { lastWord: 'said', callers: aged(state) });
  else
    can('the status is read back, and is wrong', {
      lastWord: 'writing',
      callers: aged(state).map((known, index) => (index === LAST_WORD ? { ...known, calls: 1 } : known)),
    });
}

const aged = ({ callers }: State): readonly Caller[] =>
  callers.map((known) => (known.at === 'idle' || known.at === 'locked' ? known : { ...known, old: true }));

/** A sweep comes by when everything else is over, and again as long as it finds something; some come before that. */
function sweep(state: State, protections: Protections, quiet: boolean, can: Can): void {
  if (!protections.sweep || state.callers[SWEEP]?.calls !== 0 || !drifted(state, sweptStatus)) return;
  const callers = withCaller(state, SWEEP, { calls: 1 });
  if (quiet) can('the sweep comes by', { callers });
  else if (state.left.sweeps > 0)
    can('a sweep comes by', { callers, left: { ...state.left, sweeps: state.left.sweeps - 1 } });
}
