import { MAX_TICKS } from '../decisions/index.ts';
import { count, oneOf, ratio, seconds } from './kinds.ts';

const DAY = 86_400;

/** What a window's policy is written in, in the environment and in the repositories file alike; times in seconds. */
export const windowKinds = {
  /** A week is the longest; most windows end where `MAX_TICKS` does, much earlier. */
  window: seconds(0.2, 7 * DAY),
  /** 0.2 s is as fast as the looks of one window can follow each other, with the load of a tick as measured. */
  interval: seconds(0.2, DAY),
  confirm: seconds(0.2, DAY),
  failThreshold: count(1, MAX_TICKS),
  errorRatioThreshold: ratio,
  minRequests: count(1, 1_000_000_000),
  action: oneOf('alert', 'rollback'),
  maxWindow: seconds(0.2, 7 * DAY),
  rollbackWatch: seconds(0.2, DAY),
};

/** Thirty days: an approval that takes longer is a new decision. */
export const approvalTimeout = seconds(0.1, 30 * DAY);
export const approvalRule = oneOf('required', 'none');
