import type { WindowPolicy } from '../decisions/index.ts';
import type { Described } from './repository-file.ts';
import type { WindowEntry } from './repository-schema.ts';
import type { Values } from './schema.ts';
import { type GivenTime, type GivenTimes, windowTimes } from './window.ts';

/** Where each time of a window is written: the key in the file, the variable that holds for all repositories. */
const TIMES = {
  window: ['seconds', 'ORCH_POST_DEPLOY_WINDOW_SECONDS'],
  interval: ['intervalSeconds', 'ORCH_POST_DEPLOY_INTERVAL_SECONDS'],
  confirm: ['confirmSeconds', 'ORCH_POST_DEPLOY_CONFIRM_SECONDS'],
  maxWindow: ['maxSeconds', 'ORCH_POST_DEPLOY_MAX_WINDOW_SECONDS'],
  rollbackWatch: ['rollbackWatchSeconds', 'ORCH_POST_DEPLOY_ROLLBACK_WATCH_SECONDS'],
} as const;

type Time = keyof typeof TIMES;

/** The times of a window as one repository has them: its own, or else those of the variables. */
export function givenTimes(values: Partial<Values>, described: Described | null): GivenTimes {
  const own: WindowEntry = described?.entry.window ?? {};
  const given = (time: Time): GivenTime => {
    const [key, variable] = TIMES[time];
    const ms = own[key];
    if (ms !== undefined && described !== null) {
      return { ms, subject: described.place(['window', key]), called: `window.${key}`, inFile: true };
    }
    const shared = values[variable];
    return { ms: shared === undefined ? Number.NaN : shared, subject: variable, called: variable, inFile: false };
  };
  return {
    window: given('window'),
    interval: given('interval'),
    confirm: given('confirm'),
    maxWindow: given('maxWindow'),
    rollbackWatch: given('rollbackWatch'),
  };
}

/** The policy by which one repository is watched. */
export function windowPolicy(values: Values, described: Described, selfHosting: boolean): WindowPolicy {
  const own: WindowEntry = described.entry.window ?? {};
  return {
    ...windowTimes(givenTimes(values, described)),
    failThreshold: own.failThreshold ?? values.ORCH_POST_DEPLOY_FAIL_THRESHOLD,
    errorRatioThreshold: own.errorRatioThreshold ?? values.ORCH_POST_DEPLOY_5XX_THRESHOLD,
    minRequests: own.minRequests ?? values.ORCH_POST_DEPLOY_MIN_REQUESTS,
    action: selfHosting ? 'alert' : (own.action ?? values.ORCH_POST_DEPLOY_ACTION), // BR-5: never rolled back
  };
}
