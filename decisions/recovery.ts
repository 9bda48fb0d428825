import { type Observation, orderedObservations } from './observation.ts';
import { numberIn } from './total.ts';
import type { ClassifyPolicy } from './window-assessment.ts';

/**
 * Whether production has recovered from what proved a degradation (design-2, section 2): `failThreshold` observations in a row
 * that are good for that rule. For `health` that is a pass; for `errors`, traffic whose own ratio does not exceed the threshold,
 * with `minRequests` in sum. What is bad by either rule begins the row anew; what says nothing changes nothing.
 *
 * @param observations those after the verdict, or after the rollback. Their order does not matter.
 * Never throws; a bad policy never recovers.
 */
export function hasRecovered(
  observations: readonly Observation[],
  policy: ClassifyPolicy,
  trigger: 'health' | 'errors',
): boolean {
  const failThreshold = numberIn(policy, 'failThreshold');
  const threshold = numberIn(policy, 'errorRatioThreshold');
  if (!(failThreshold >= 1)) return false;
  let row = 0;
  let sum = 0;
  for (const observation of orderedObservations(observations)) {
    const { health, requests } = observation;
    if (isBad(observation, threshold)) {
      row = 0;
      sum = 0;
    } else if (trigger === 'health' ? health === 'pass' : requests > 0) {
      row += 1;
      sum += requests;
    }
    if (row >= failThreshold && (trigger === 'health' || sum >= numberIn(policy, 'minRequests'))) return true;
  }
  return false;
}

/**
 * Whether nobody can know if production has recovered: nothing was bad by either rule, and what was good is too little for
 * `hasRecovered`, such as few requests. Never throws.
 *
 * @param observations as for `hasRecovered`
 */
export const recoveryIsUnknown = (
  observations: readonly Observation[],
  policy: ClassifyPolicy,
  trigger: 'health' | 'errors',
): boolean =>
  !hasRecovered(observations, policy, trigger) &&
  !orderedObservations(observations).some((each) => isBad(each, numberIn(policy, 'errorRatioThreshold')));

const isBad = ({ health, requests, errors5xx }: Observation, threshold: number): boolean =>
  health === 'fail' || (requests > 0 && errors5xx / requests > threshold);
