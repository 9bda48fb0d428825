import { failuresTakeMs, longestStreak, plannedTicks } from '../decisions/index.ts';
import type { Described } from './repository-file.ts';
import type { Values } from './schema.ts';
import { windowFaults, windowTimes } from './window.ts';
import { givenTimes } from './window-policy.ts';

/** What the window of a repository looks at. */
interface LookedAt {
  readonly health: boolean;
  readonly trafficUrls: number;
}

/** A limit of a repository, and what its window can reach. */
interface Limit {
  readonly key: 'failThreshold' | 'minRequests';
  readonly variable: 'ORCH_POST_DEPLOY_FAIL_THRESHOLD' | 'ORCH_POST_DEPLOY_MIN_REQUESTS';
  readonly most: number;
  /** What that is made of, in the words of a message. */
  readonly reached: string;
  /** The window, ms, that is long enough for a limit. */
  readonly windowFor: (limit: number) => number;
}

const inSeconds = (ms: number): string => String(ms / 1_000);
const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/**
 * Limits that the window of a repository cannot reach, whatever production does: its rule would prove nothing. Extensions do not
 * count: nobody need ask for one. Silent where a value that this needs is faulty.
 */
export function unreachableLimits(described: Described, values: Partial<Values>, lookedAt: LookedAt): string[] {
  const { entry, place, file } = described;
  const given = givenTimes(values, described);
  const times = windowTimes(given);
  if (Object.values(times).some(Number.isNaN) || windowFaults(given).length > 0) return [];

  const nameOf = (key: string, variable: string): string => (file === null ? variable : `window.${key}`);
  return limits(times, lookedAt).flatMap(({ key, variable, most, reached, windowFor }) => {
    const own = entry.window?.[key];
    const limit = own ?? values[variable];
    if (limit === undefined || limit <= most) return [];
    const subject = file === null ? variable : place(own === undefined ? ['window'] : ['window', key]);
    const called = own === undefined ? variable : key;
    const neededMs = windowFor(limit);
    const longer =
      neededMs <= times.maxWindowMs
        ? `, or ${nameOf('seconds', 'ORCH_POST_DEPLOY_WINDOW_SECONDS')} to at least ${inSeconds(neededMs)}`
        : '';
    return [
      `${subject} can never prove a degradation: ${called} is ${limit}, but a window of ${inSeconds(times.windowMs)} s ${reached}; set ${nameOf(key, variable)} to at most ${most}${longer}`,
    ];
  });
}

function limits(times: ReturnType<typeof windowTimes>, { health, trafficUrls }: LookedAt): Limit[] {
  const { windowMs, intervalMs, confirmMs } = times;
  const every = `one every ${inSeconds(intervalMs)} s`;
  const streak = longestStreak(times);
  // Where health passes, or there is none, nothing but the ticks themselves asks for traffic.
  const ticks = plannedTicks({ openedAt: 0, endsAt: windowMs, intervalMs });
  const byHealth: Limit = {
    key: 'failThreshold',
    variable: 'ORCH_POST_DEPLOY_FAIL_THRESHOLD',
    most: streak,
    reached: `takes at most ${counted(streak, 'look')} (${every}, or ${inSeconds(confirmMs)} s while health fails)`,
    windowFor: (failures) => failuresTakeMs(times, failures),
  };
  const byErrors: Limit = {
    key: 'minRequests',
    variable: 'ORCH_POST_DEPLOY_MIN_REQUESTS',
    most: ticks * trafficUrls,
    reached: `makes ${counted(ticks * trafficUrls, 'request')} (${counted(ticks, 'look')}, ${every}, at ${counted(trafficUrls, 'URL')})`,
    windowFor: (requests) => Math.ceil(requests / trafficUrls) * intervalMs,
  };
  return [...(health ? [byHealth] : []), ...(trafficUrls > 0 ? [byErrors] : [])];
}
