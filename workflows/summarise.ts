import type { TickRecord } from '../activities/window-report.ts';
import type { Assessment, Doubt, WindowPolicy } from '../decisions/index.ts';

/** Why a window without a verdict is not called healthy, as part of a sentence. */
export const DOUBTS: Readonly<Record<Doubt, string>> = {
  ended_failing: 'its last look failed, though not enough of them to prove a degradation',
  too_little_seen: 'fewer than half of its looks saw anything',
  too_few_passed: 'fewer than half of its looks passed, though not enough failed to prove a degradation',
};

/** A verdict in one sentence with its numbers. */
export function summarise(
  { trigger, longestFailureStreak, errorRatio }: Assessment,
  policy: WindowPolicy,
  ticks: readonly TickRecord[],
): string {
  const requests = ticks.reduce((sum, tick) => sum + tick.requests, 0);
  const errors = ticks.reduce((sum, tick) => sum + tick.errors5xx, 0);
  const traffic =
    errorRatio === null
      ? `${requests} requests seen${errors === 0 ? '' : `, ${errors} failed`}, fewer than the ${policy.minRequests} that the error ratio needs`
      : `${errors} of ${requests} requests failed (${percent(errorRatio)}, threshold ${percent(policy.errorRatioThreshold)})`;
  switch (trigger) {
    case 'health': {
      const detail = ticks.findLast((tick) => tick.health === 'fail' && tick.detail !== undefined)?.detail;
      return `${longestFailureStreak} health checks in a row failed (threshold ${policy.failThreshold})${reason(detail)}; ${traffic}`;
    }
    case 'errors': {
      const detail = ticks.findLast((tick) => tick.errors5xx > 0 && tick.detail !== undefined)?.detail;
      return `${traffic}${reason(detail)}; longest streak of failed health checks ${longestFailureStreak} of ${policy.failThreshold}`;
    }
    case null:
      return `no degradation: longest streak of failed health checks ${longestFailureStreak} of ${policy.failThreshold}; ${traffic}`;
    default:
      return trigger satisfies never;
  }
}

const reason = (detail: string | undefined): string => (detail === undefined ? '' : `: ${detail}`);

const percent = (ratio: number): string => `${(ratio * 100).toFixed(ratio < 0.1 ? 1 : 0)} %`;
