import { setTimeout as delay } from 'node:timers/promises';
import type { SeenTick, WindowStatus } from '../../workflows/messages.ts';
import type { Say } from '../display/display.ts';
import type { DemoTracker, DemoWorkItem, StatusChange } from '../stack/tracker.ts';

/** How long a look waits for Plane, ms: one that is slow, or counts requests, must not hold up what the demo does next. */
const PLANE_MS = 200;

/** Says each tick, each verdict and each change of the status once. */
export function createTelling(tracker: DemoTracker, item: DemoWorkItem) {
  const history = createHistory(tracker, item);
  let lastTickAt = 0;
  let lastOutcome: string | null = null;
  let degraded = false;
  let changes = 0;
  return async (window: WindowStatus | null, say: Say): Promise<void> => {
    const known = await history();
    for (const { from, to } of known.slice(changes)) say(`Plane: ${from} → ${to}`);
    changes = Math.max(changes, known.length);
    if (window === null) return;
    for (const tick of window.lastTicks.filter(({ at }) => at > lastTickAt)) {
      lastTickAt = tick.at;
      say(`${named(tick, window)}: health ${tick.health}, ${tick.requests} requests, ${tick.errors5xx} failed`);
    }
    if (window.degradedAt !== null && !degraded) say(`DEGRADED: ${window.summary}`);
    degraded = window.degradedAt !== null;
    if (window.outcome !== null && window.outcome !== lastOutcome) say(`window ${window.outcome.replaceAll('_', ' ')}`);
    lastOutcome = window.outcome;
  };
}

/** The history as it is known now; it is asked for as often as the tracker bears, and what fails is asked for again. */
function createHistory(tracker: DemoTracker, item: DemoWorkItem) {
  let known: readonly StatusChange[] = [];
  let asking: Promise<void> | null = null;
  let askAt = 0;
  const ask = async (): Promise<void> => {
    try {
      known = await item.statusHistory();
    } catch {
      // Only what is shown on the way is late: the summary asks until it knows.
    } finally {
      askAt = Date.now() + tracker.lookEveryMs;
      asking = null;
    }
  };
  return async (): Promise<readonly StatusChange[]> => {
    if (asking === null && Date.now() >= askAt) asking = ask();
    if (asking !== null) await Promise.race([asking, delay(PLANE_MS)]);
    return known;
  };
}

function named({ tick, afterRollback, confirming }: SeenTick, { plannedTicks }: WindowStatus): string {
  if (afterRollback === true) return `tick ${tick} after the rollback`;
  return `${confirming === true ? 'confirm ' : ''}tick ${tick} of ${plannedTicks}`;
}
