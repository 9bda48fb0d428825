import type { WindowPolicy } from '../../decisions/index.ts';
import type { SweptProject } from '../../workflows/messages.ts';
import { parseSignalCommand } from '../../workflows/parse-message.ts';
import * as messages from '../../workflows/window-messages.ts';
import type { MonitorInput, WindowState } from '../../workflows/window-state.ts';
import * as win from '../../workflows/window-state.ts';
import { policy } from './item.ts';

// The most that a window and a sweep can know, in texts that take as many bytes as texts can.

/** More of them than is kept of any text, each another one; most of its characters take six bytes as JSON. */
export const long = (n: number, characters = 5_000): string => `${n} ${'\u0001語'.repeat(characters / 2)}`;

const EVERY_MS = 1_000;
const HOUR_MS = 3_600_000;
export const MOST_TICKS = 3_000;

export const longest: WindowPolicy = policy({
  ...{ windowMs: MOST_TICKS * EVERY_MS, maxWindowMs: MOST_TICKS * EVERY_MS },
  ...{ rollbackWatchMs: MOST_TICKS * EVERY_MS + HOUR_MS, intervalMs: EVERY_MS, confirmMs: EVERY_MS },
  ...{ failThreshold: MOST_TICKS, action: 'rollback' },
});

/** The same, for a window whose looks have all been taken: none is due in it any more. */
export const looked: WindowPolicy = { ...longest, intervalMs: 24 * HOUR_MS, confirmMs: 24 * HOUR_MS };

/** A look as large as one can be: counts with all their digits, and so slow that its time is kept. */
const look = (n: number, at: number): win.Look => ({
  ...{ at, health: 'fail', requests: 1_234_567.12345678 + n, errors5xx: 1_234_567.12345678 + n, ms: 2_999 },
  detail: long(n),
});

/**
 * A window that has taken all its looks, and all that may follow a rollback, each with something new to say; with more messages and
 * notes than are kept. It ends an hour from now.
 */
export function fullWindow(input: MonitorInput, now: number): WindowState {
  const looking = (from: WindowState): WindowState => {
    let state = from;
    for (let n = 0; n < MOST_TICKS; n += 1) {
      const dueAt = win.lookAt(state, longest) ?? Number.NaN;
      state = win.recordLook(state, longest, dueAt, look(n, dueAt));
    }
    return state;
  };
  let state = looking(win.open(input, now - 2 * longest.windowMs, 3));
  const at = win.lastSeenAt(state);
  state = win.actionStarted(state, 'ROLLBACK', at);
  state = looking(win.rollbackFinished(state, longest, { ok: true, detail: long(0, 200_000), at }));
  for (let n = 0; n < 150; n += 1) {
    const command = parseSignalCommand({ by: long(n), reason: long(n) });
    if (typeof command === 'string') throw new Error(command);
    state = messages.extended(state, { ...command, minutes: 0.001 }, now);
    state = win.noted(state, long(n), now);
  }
  return state;
}

const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** A project with as much in the deploy phase, failing and orphaned as one may have. */
export function fullProject(project: string, shown = 'Monitoring after Deploy'): SweptProject {
  const ids = Array.from({ length: 2_000 }, (_, n) => uuid(n));
  return {
    readUpTo: 1_700_000_000_000,
    fullAt: 1_700_000_000_000,
    inDeployPhase: ids.slice(0, 500).map((id, n) => ({
      item: { id, project: uuid(0) },
      names: [`${project}-${n}`, id],
      shown,
      status: 'monitoring',
    })),
    failing: ids,
    orphans: ids.slice(0, 500),
  };
}
