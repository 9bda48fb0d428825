import type { Scheduler } from 'fast-check';
import type { VirtualClock } from './virtual-clock.ts';

/** A worker's process: whatever it does waits for its turn, and once it is dead it does nothing any more. */
export interface VirtualWorker {
  /** Waits for its turn, and until it is not frozen. Never comes back to a dead process. */
  turn(label: string): Promise<void>;
  readonly dead: () => boolean;
  /** kill -9: what belongs to its sessions is freed, what is on its way goes on. */
  kill(): void;
  /** Runs when it is killed. Returns what calls it off. */
  onDeath(run: () => void): () => void;
  /** Resolves once nobody has heard of it for as long as Temporal waits for a heartbeat. */
  readonly silent: Promise<'silent'>;
}

/** SIGSTOP, a frozen machine: it does nothing and hears nothing for a while; then it goes on, or dies some turns later after all. */
export interface Freeze {
  /** The turn that it does not take in time. */
  readonly atTurn: number;
  readonly ms: number;
  /** `null`: it lives on. */
  readonly turnsLeft: number | null;
}

/** As the workflows have it for their activities. */
const HEARTBEAT_MS = 10_000;

const NEVER = new Promise<never>(() => {});

export function virtualWorker(
  scheduler: Scheduler,
  clock: VirtualClock,
  freeze: Freeze | null,
  told: { frozen(): void; woken(): void },
): VirtualWorker {
  let dead = false;
  let frozenUntil = 0;
  let turns = 0;
  let turnsLeft = Number.POSITIVE_INFINITY;
  const lastWishes = new Set<() => void>();
  let fallSilent = (_: 'silent'): void => {};
  const silent = new Promise<'silent'>((resolve) => {
    fallSilent = resolve;
  });
  const unheard = (): void => void clock.at(clock.now() + HEARTBEAT_MS, () => fallSilent('silent'));
  const kill = (): void => {
    dead = true;
    unheard();
    for (const wish of lastWishes) wish();
  };
  return {
    silent,
    dead: () => dead,
    async turn(label) {
      if (dead) return NEVER;
      await scheduler.schedule(Promise.resolve(), label);
      if (turns === freeze?.atTurn) {
        told.frozen();
        frozenUntil = clock.now() + freeze.ms;
        turnsLeft = freeze.turnsLeft ?? turnsLeft;
        if (freeze.ms > HEARTBEAT_MS) unheard();
      }
      turns += 1;
      if (frozenUntil > clock.now()) {
        await clock.sleep(frozenUntil - clock.now());
        told.woken();
      }
      if (turnsLeft === 0 && !dead) kill();
      if (frozenUntil > 0) turnsLeft -= 1;
      if (dead) return NEVER;
    },
    kill,
    onDeath(run) {
      lastWishes.add(run);
      return () => void lastWishes.delete(run);
    },
  };
}
