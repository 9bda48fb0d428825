/**
 * The limit of a key until an answer says otherwise: Plane's default (`API_KEY_RATE_LIMIT`). Plane counts the requests of the last minute
 * for each key, whoever uses it (recordings 400 to 408).
 */
const DEFAULTS = { limit: 60, windowMs: 60_000 } as const;

/** What an answer says of the limit. */
export interface Said {
  /** `X-RateLimit-Remaining`. */
  readonly remaining: number;
  /** How long a request counts; `null`: the answer does not say it. */
  readonly windowMs: number | null;
}

/** One request on its way. */
export interface Sent {
  /** Plane has counted it. @param said `null`: this Plane has no rate limit */
  counted(said: Said | null): void;
  /** Plane has refused it by its rate limit, and has not counted it. */
  refused(retryAfterMs: number): void;
  /** Plane has not counted it, as far as anybody knows: no answer came, or a proxy's, or the key is wrong, or not allowed this. */
  uncounted(): void;
}

/** What this process knows of a key's rate limit: its own requests for as long as they count, and what Plane answers. */
export interface RateAccount {
  send(): Sent;
  /** Requests that are left now; `Infinity`: there is no limit. After a refusal 0 for as long as Plane has said, and then 1 until it answers. */
  left(): number;
  /** Whether Plane has refused a request, and has not answered one since. */
  isRefused(): boolean;
  /** Requests on their way. */
  unanswered(): number;
  /** The part of what was used lately that is this process's own, above 0 and at most 1. */
  share(): number;
  /** How long it takes until so many are left, if nobody sends any, ms. */
  waitMs(requests: number): number;
}

/** @param now a clock that only grows, ms */
export function createRateAccount(now: () => number): RateAccount {
  /** When the own requests were answered that Plane has counted, the oldest first. */
  const own: number[] = [];
  let unanswered = 0;
  let limit: number = DEFAULTS.limit;
  let windowMs: number = DEFAULTS.windowMs;
  /** What others had used by the last answer. It counts until the next one, or for that time: nobody knows when they sent it. */
  let others = { requests: 0, at: Number.NEGATIVE_INFINITY };
  /** Since the last refusal, until the next answer. */
  let pausedUntil: number | null = null;

  const ownAt = (at: number): number => own.filter((answeredAt) => answeredAt > at - windowMs).length;
  const othersAt = (at: number): number => (others.at > at - windowMs ? others.requests : 0);
  const leftAt = (at: number): number => {
    if (pausedUntil !== null) return at < pausedUntil ? 0 : 1;
    return Math.max(0, limit - ownAt(at) - unanswered - othersAt(at));
  };

  return {
    send() {
      unanswered += 1;
      const answered = (): number => {
        unanswered -= 1;
        const at = now();
        while (own[0] !== undefined && own[0] <= at - windowMs) own.shift();
        return at;
      };
      return {
        counted(said) {
          const at = answered();
          own.push(at);
          pausedUntil = null;
          if (said === null) {
            limit = Number.POSITIVE_INFINITY;
            return;
          }
          windowMs = said.windowMs ?? windowMs;
          const used = ownAt(at);
          limit = Math.max(Number.isFinite(limit) ? limit : DEFAULTS.limit, said.remaining + used);
          others = { requests: limit - said.remaining - used, at };
        },
        refused(retryAfterMs) {
          const at = answered();
          if (!Number.isFinite(limit)) limit = DEFAULTS.limit;
          others = { requests: Math.max(0, limit - ownAt(at)), at };
          pausedUntil = Math.max(pausedUntil ?? at, at + retryAfterMs);
        },
        uncounted: () => void answered(),
      };
    },

    left: () => leftAt(now()),
    unanswered: () => unanswered,
    share() {
      const at = now();
      const mine = ownAt(at) + 1;
      return mine / (mine + othersAt(at));
    },

    isRefused: () => pausedUntil !== null,

    waitMs(requests) {
      const at = now();
      if (pausedUntil !== null) return Math.max(0, pausedUntil - at);
      const changes = [at, others.at + windowMs, ...own.map((answeredAt) => answeredAt + windowMs)];
      const then = changes
        .filter((change) => change >= at)
        .toSorted((one, other) => one - other)
        .find((change) => leftAt(change) >= requests);
      return then === undefined ? windowMs : then - at;
    },
  };
}
