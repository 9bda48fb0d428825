import { field, items, numberIn } from './total.ts';

export type Health = 'pass' | 'fail' | 'unknown';

/** What one tick saw of production. */
export interface Observation {
  /** When the look was taken, epoch milliseconds: when it was due, or later by the clock of its worker. */
  readonly at: number;
  /** `unknown`: the probe itself broke; it neither counts as a failure nor ends a streak. */
  readonly health: Health;
  /** Traffic since the observation before (the first: since the window opened). May be a fraction. */
  readonly requests: number;
  /** Requests that failed: answered 5xx, or not answered by production at all. */
  readonly errors5xx: number;
}

const HEALTH_ORDER: Record<Health, number> = { pass: 0, unknown: 1, fail: 2 };

function sanitise(raw: unknown): Observation[] {
  const at = numberIn(raw, 'at');
  if (!Number.isFinite(at)) return [];
  const health = field(raw, 'health');
  const requests = numberIn(raw, 'requests');
  const errors5xx = numberIn(raw, 'errors5xx');
  const counted = Number.isFinite(requests) && errors5xx >= 0 && errors5xx <= requests;
  const counts = counted ? { requests, errors5xx } : { requests: 0, errors5xx: 0 };
  return [{ at, health: health === 'pass' || health === 'fail' ? health : 'unknown', ...counts }];
}

const compare = (a: Observation, b: Observation): number =>
  a.at - b.at ||
  HEALTH_ORDER[a.health] - HEALTH_ORDER[b.health] ||
  a.requests - b.requests ||
  a.errors5xx - b.errors5xx;

/** To look a global up by its name is slow in the sandbox of a workflow: four of them for each look took 17 ms for 2,750 looks. */
const { isFinite: isFiniteNumber } = Number;

/**
 * The observations where all are good and in order, as a window keeps them; else `null`. It saves the sorting: a window of 3,000
 * looks is judged at each of them, and once more in a replay.
 */
function copyInOrder(observations: unknown): Observation[] | null {
  try {
    if (!Array.isArray(observations)) return null;
    const ordered: Observation[] = [];
    let before: Observation | null = null;
    for (let index = 0; index < observations.length; index += 1) {
      const { at, health, requests, errors5xx } = observations[index];
      const good =
        isFiniteNumber(at) &&
        (health === 'pass' || health === 'fail' || health === 'unknown') &&
        isFiniteNumber(requests) &&
        isFiniteNumber(errors5xx) &&
        errors5xx >= 0 &&
        errors5xx <= requests;
      if (!good) return null;
      const observation: Observation = { at, health, requests, errors5xx };
      if (before !== null && compare(before, observation) >= 0) return null;
      ordered.push(observation);
      before = observation;
    }
    return ordered;
  } catch {
    return null;
  }
}

/**
 * Observations as the rules take them: what is none is dropped, bad counts are voided (their health still stands), a bad
 * health reads `unknown`, exact duplicates count once, and the order is by `at`, then pass, unknown, fail.
 *
 * Total: never throws, whatever it is given. The result does not depend on the order of the input.
 */
export function orderedObservations(observations: readonly Observation[]): Observation[] {
  return copyInOrder(observations) ?? sortedObservations(observations);
}

function sortedObservations(observations: readonly Observation[]): Observation[] {
  const sorted = items(observations).flatMap(sanitise).sort(compare);
  return sorted.filter((observation, index) => {
    const before = sorted[index - 1];
    return before === undefined || compare(before, observation) !== 0;
  });
}
