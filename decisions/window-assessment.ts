import { type Observation, orderedObservations } from './observation.ts';
import type { WindowVerdict } from './post-deploy-action.ts';
import { numberIn } from './total.ts';

export interface ClassifyPolicy {
  /** Consecutive health failures that prove degradation; an integer of at least 1. */
  readonly failThreshold: number;
  /** Share of failed requests, 0..1, that must be exceeded (not reached) to prove degradation. */
  readonly errorRatioThreshold: number;
  /** Requests in sum below which the ratio does not count; at least 1. */
  readonly minRequests: number;
}

export interface Assessment {
  readonly verdict: WindowVerdict;
  /** The rule that proved it; `health` where both hold. */
  readonly trigger: 'health' | 'errors' | null;
  readonly longestFailureStreak: number;
  /** `null` below `minRequests` in sum. */
  readonly errorRatio: number | null;
}

function longestFailureStreak(observations: readonly Observation[]): number {
  let streak = 0;
  let longest = 0;
  for (const { health } of observations) {
    if (health === 'fail') streak += 1;
    else if (health === 'pass') streak = 0;
    if (streak > longest) longest = streak;
  }
  return longest;
}

function ratio(observations: readonly Observation[], minRequests: number): number | null {
  if (!(minRequests >= 1)) return null;
  let requests = 0;
  let errors = 0;
  for (const observation of observations) {
    requests += observation.requests;
    errors += observation.errors5xx;
  }
  // A sum beyond all numbers says nothing about the share of the errors in it.
  return requests >= minRequests && Number.isFinite(requests) ? errors / requests : null;
}

/**
 * The verdict on a window (ORCH-021 `classify`): `DEGRADED` iff it holds at least `failThreshold` consecutive health
 * failures, or its ratio of failed requests is greater than `errorRatioThreshold`. Looks at all observations; a streak counts wherever
 * in the window it stood, and `unknown` neither adds to it nor ends it.
 *
 * In any doubt the answer is `HEALTHY` (fail-safe): a bad `failThreshold`, `errorRatioThreshold` or `minRequests` voids
 * its rule. Pure and total: never throws.
 */
export function classify(observations: readonly Observation[], policy: ClassifyPolicy): Assessment {
  const ordered = orderedObservations(observations);
  const streak = longestFailureStreak(ordered);
  const errorRatio = ratio(ordered, numberIn(policy, 'minRequests'));

  const failThreshold = numberIn(policy, 'failThreshold');
  const byHealth = Number.isInteger(failThreshold) && failThreshold >= 1 && streak >= failThreshold;

  const threshold = numberIn(policy, 'errorRatioThreshold');
  const byErrors = threshold >= 0 && errorRatio !== null && errorRatio > threshold; // no ratio exceeds one above 1

  const trigger = byHealth ? 'health' : byErrors ? 'errors' : null;
  return { verdict: trigger === null ? 'HEALTHY' : 'DEGRADED', trigger, longestFailureStreak: streak, errorRatio };
}

/** Length of the run of failures, or of passes, that the observations end with; `unknown` neither adds nor ends. */
export function currentStreak(observations: readonly Observation[]): {
  readonly health: 'pass' | 'fail' | null;
  readonly length: number;
} {
  let health: 'pass' | 'fail' | null = null;
  let length = 0;
  for (const observation of orderedObservations(observations)) {
    if (observation.health === 'unknown') continue;
    length = observation.health === health ? length + 1 : 1;
    health = observation.health;
  }
  return { health, length };
}

/** What a verdict rests on. */
export interface Coverage {
  /** Looks taken. */
  readonly made: number;
  /** Looks that were due while no worker ran. */
  readonly missed: number;
  /**
   * Looks that prove nothing: the probe broke and saw no traffic either (or, where health is looked at, whatever traffic it saw), or
   * every request failed while health did not (too few of them prove no degradation, but certainly no health).
   */
  readonly unknown: number;
  readonly requests: number;
  readonly errors5xx: number;
}

function provesNothing({ health, requests, errors5xx }: Observation, looksAtHealth: boolean): boolean {
  if (health === 'unknown' && (requests === 0 || looksAtHealth)) return true;
  return requests > 0 && health !== 'fail' && errors5xx === requests;
}

/**
 * Counts what a window's observations are worth as evidence. Never throws.
 *
 * @param looksAtHealth whether there is a health check: traffic alone is no evidence then
 */
export function coverage(observations: readonly Observation[], missed: number, looksAtHealth = false): Coverage {
  const ordered = orderedObservations(observations);
  return {
    made: ordered.length,
    missed: Number.isFinite(missed) ? Math.max(0, missed) : 0,
    unknown: ordered.filter((look) => provesNothing(look, looksAtHealth)).length,
    requests: ordered.reduce((sum, { requests }) => sum + requests, 0),
    errors5xx: ordered.reduce((sum, { errors5xx }) => sum + errors5xx, 0),
  };
}

/**
 * No evidence is not health: a window is proved only where at least half of the looks that were due saw something, and
 * not just requests that all failed. Never throws.
 */
export function hasEvidence(seen: Coverage): boolean {
  const made = numberIn(seen, 'made');
  const due = made + numberIn(seen, 'missed');
  return due > 0 && made - numberIn(seen, 'unknown') >= due / 2;
}

/** Why a window that proved no degradation proves no health either. */
export type Doubt = 'ended_failing' | 'too_little_seen' | 'too_few_passed';

const allFailed = ({ requests, errors5xx }: Observation): boolean => requests > 0 && errors5xx === requests;

/** A look that shows production well: health passed, or was not asked, and not every request failed. */
const passed = (look: Observation, looksAtHealth: boolean): boolean =>
  look.health !== 'fail' && !provesNothing(look, looksAtHealth);

/**
 * Whether a window in which nothing proved degradation may be called healthy: `null` if so, otherwise why not. What fails is no
 * evidence of health, though it may be too little to prove a degradation (ORCH-021: only `classify` proves one):
 *
 * | | |
 * |---|---|
 * | `ended_failing` | the last look that says anything failed: health failed, or every request did |
 * | `too_little_seen` | fewer than half of the looks that were due saw anything (`hasEvidence`) |
 * | `too_few_passed` | fewer than half of the looks that were due passed |
 *
 * Pure and total: never throws. The order of the observations does not matter.
 *
 * @param observations all looks of the window
 * @param onGrid those at its ticks: looks that confirm a failure are no evidence of the ticks that were missed
 * @param missed ticks at which no look was taken
 * @param looksAtHealth as for `coverage`
 */
export function doubtOfHealth(
  observations: readonly Observation[],
  onGrid: readonly Observation[],
  missed: number,
  looksAtHealth = false,
): Doubt | null {
  const lastTraffic = orderedObservations(observations).findLast(({ requests }) => requests > 0);
  if (currentStreak(observations).health === 'fail') return 'ended_failing';
  if (lastTraffic !== undefined && allFailed(lastTraffic)) return 'ended_failing';
  const seen = coverage(onGrid, missed, looksAtHealth);
  if (!hasEvidence(seen)) return 'too_little_seen';
  const passes = orderedObservations(onGrid).filter((look) => passed(look, looksAtHealth)).length;
  return passes < (seen.made + seen.missed) / 2 ? 'too_few_passed' : null;
}
