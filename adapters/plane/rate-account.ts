/**
 * The limit of a key until an answer says otherwise: Plane's default (`API_KEY_RATE_LIMIT`). Plane counts the requests of the last minute
 * for each key, whoever uses it (recordings 400 to 408).
 */
const DEFAULTS = { limit: 60, windowMs: 60_000 } as const;

/** Into so many parts a window is divided where a wait is looked for. */
const STEPS = 120;

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
  let sends = 0;
  /** Those on their way, by their number. */
  const onTheirWay = new Set<number>();
  /** The own requests that Plane has counted: their number, and when they were answered. */
  let own: { readonly number: number; readonly at: number }[] = [];
  let windowMs: number = DEFAULTS.windowMs;
  /** The highest that an answer of the last two windows has come to, and when one came last; `null`: none has. */
  let limit: { readonly requests: number; readonly at: number; readonly answeredAt: number } | null = null;
  /** What others had used by the answer to the latest request: nobody knows when they sent it, so it ages evenly. */
  let others = { requests: 0, at: Number.NEGATIVE_INFINITY, number: 0 };
  /** Since the last refusal, until the next answer. */
  let pausedUntil: number | null = null;

  const ownAt = (at: number): number => own.filter((request) => request.at > at - windowMs).length;
  const othersAt = (at: number): number =>
    Math.ceil(others.requests * Math.max(0, 1 - (at - others.at) / windowMs)) || 0;
  const limitAt = (at: number): number => {
    if (limit === null) return DEFAULTS.limit;
    return at - limit.answeredAt > windowMs ? Math.max(limit.requests, DEFAULTS.limit) : limit.requests;
  };
  const leftAt = (at: number): number => {
    if (pausedUntil !== null) return at < pausedUntil ? 0 : 1;
    return Math.max(0, limitAt(at) - ownAt(at) - onTheirWay.size - othersAt(at));
  };

  function learn(number: number, { remaining, windowMs: said }: Said, at: number): void {
    windowMs = said ?? windowMs;
    // `remaining` is less by what was sent before it, and by nothing that was sent later.
    const counted = own.filter((request) => request.at > at - windowMs).map((request) => request.number);
    const mine = [...counted, ...onTheirWay].filter((sent) => sent <= number).length;
    const known = remaining + mine;
    if (limit !== null && Number.isFinite(limit.requests) && limit.requests > known && at - limit.at <= 2 * windowMs)
      limit = { ...limit, answeredAt: at };
    else limit = { requests: known, at, answeredAt: at };
    if (number > others.number) others = { requests: Math.max(0, limit.requests - known), at, number };
  }

  return {
    send() {
      sends += 1;
      const number = sends;
      onTheirWay.add(number);
      const answered = (): number => {
        onTheirWay.delete(number);
        const at = now();
        own = own.filter((request) => request.at > at - windowMs);
        return at;
      };
      return {
        counted(said) {
          const at = answered();
          own.push({ number, at });
          pausedUntil = null;
          if (said === null) limit = { requests: Number.POSITIVE_INFINITY, at, answeredAt: at };
          else learn(number, said, at);
        },
        refused(retryAfterMs) {
          const at = answered();
          if (limit?.requests === Number.POSITIVE_INFINITY) limit = null;
          others = { requests: Math.max(0, limitAt(at) - ownAt(at)), at, number };
          // A proxy may ask for an hour; another try costs nothing.
          pausedUntil = Math.max(pausedUntil ?? at, at + Math.min(retryAfterMs, windowMs));
        },
        uncounted: () => void answered(),
      };
    },

    left: () => leftAt(now()),
    unanswered: () => onTheirWay.size,
    isRefused: () => pausedUntil !== null,

    share() {
      const at = now();
      const mine = ownAt(at) + 1;
      return mine / (mine + othersAt(at));
    },

    waitMs(requests) {
      const at = now();
      if (pausedUntil !== null) return Math.max(0, pausedUntil - at);
      for (let step = 0; step < STEPS; step += 1) {
        const waitMs = (step * windowMs) / STEPS;
        if (leftAt(at + waitMs) >= requests) return waitMs;
      }
      return windowMs;
    },
  };
}
