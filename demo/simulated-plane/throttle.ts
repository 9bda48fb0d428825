/**
 * The rate limit of each key: a sliding window over the requests that were let through; refused ones do not count, and neither do
 * 401 and 403, which are decided earlier (recordings 400 to 407). Counted exactly here: the real one lets bursts through (408).
 */
export interface Throttle {
  /** Counts a request: how many are left, or in how many seconds the next is let through. */
  admit(token: string, service: boolean): { remaining: number; resetAt: number } | { retryAfter: number } | 'off';
  /** null is no limit at all. Service keys get five times the limit. */
  setLimit(limit: number | null, windowMs: number): void;
}

const SERVICE_FACTOR = 5;

export function createThrottle(clock: () => number): Throttle {
  let limit: number | null = 60;
  let windowMs = 60_000;
  const admitted = new Map<string, number[]>();
  return {
    admit(token, service) {
      if (limit === null) return 'off';
      const now = clock();
      const recent = (admitted.get(token) ?? []).filter((at) => at > now - windowMs);
      const allowed = service ? limit * SERVICE_FACTOR : limit;
      const [oldest] = recent;
      if (recent.length >= allowed && oldest !== undefined) {
        return { retryAfter: Math.max(1, Math.ceil((oldest + windowMs - now) / 1000)) };
      }
      recent.push(now);
      admitted.set(token, recent);
      return { remaining: allowed - recent.length, resetAt: Math.floor((now + windowMs) / 1000) };
    },
    setLimit(next, nextWindowMs) {
      limit = next;
      windowMs = nextWindowMs;
      admitted.clear();
    },
  };
}
