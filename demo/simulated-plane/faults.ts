/** Faults that a test orders: which requests they meet, and the gate that holds a request until it is released. */
import { z } from 'zod';

const Phase = z.enum(['before', 'midway', 'after']);

/**
 * `before`: nothing applied yet. `midway`: loaded and judged, not saved: the window of Plane's races. `after`: applied, not answered.
 */
export type Phase = z.infer<typeof Phase>;

const Mode = z.discriminatedUnion('mode', [
  /** Answers so without applying. An object is sent as JSON, a text as HTML (a proxy's page). */
  z.object({
    mode: z.literal('status'),
    status: z.number().int(),
    body: z.unknown().optional(),
    headers: z.record(z.string(), z.string()).optional(),
  }),
  /** Applies, then answers so. `loseJobs`: the broker is down, no activity row is ever written (recording 621). */
  z.object({
    mode: z.literal('applyThenStatus'),
    status: z.number().int(),
    body: z.unknown().optional(),
    loseJobs: z.boolean().optional(),
  }),
  /** The connection is reset before anything happens. */
  z.object({ mode: z.literal('resetBefore') }),
  z.object({ mode: z.literal('applyThenReset') }),
  /** Applies, announces the whole length, sends half of the body, ends the connection. */
  z.object({ mode: z.literal('applyThenPartial') }),
  z.object({ mode: z.literal('slow'), ms: z.number(), phase: Phase.optional() }),
  /** Never answers; `phase` says whether it was applied (default `before`). */
  z.object({ mode: z.literal('hang'), phase: Phase.optional() }),
  /** Stops until `release()`, then goes on as if nothing had been, even if the client is gone by then. */
  z.object({ mode: z.literal('hold'), phase: Phase }),
  /** Applies, then sends the body one byte at a time. */
  z.object({ mode: z.literal('trickle'), everyMs: z.number().optional() }),
  /** Reads show work items as they were so long ago (a lagging replica). */
  z.object({ mode: z.literal('staleReads'), lagMs: z.number() }),
  /** The web app's page, with 200: a wrong base URL. */
  z.object({ mode: z.literal('html200') }),
  /** Applies, answers the first half of the JSON as if it were all. */
  z.object({ mode: z.literal('badJson') }),
  z.object({ mode: z.literal('emptyBody') }),
  z.object({ mode: z.literal('redirect'), location: z.string().optional() }),
  /** Between load and save a person moves the item to this state; the save then overwrites that. */
  z.object({ mode: z.literal('lostUpdate'), to: z.string() }),
  /** Applied and answered well, but the background worker never hears of it. */
  z.object({ mode: z.literal('dropJobs') }),
  /** `state` in the body is ignored: 200, nothing changes. */
  z.object({ mode: z.literal('stateIgnored') }),
  /** Resets this request and refuses connections for so long. */
  z.object({ mode: z.literal('connRefused'), ms: z.number() }),
]);
export type Mode = z.infer<typeof Mode>;

export const FaultRule = z.intersection(
  Mode,
  z.object({
    match: z
      .object({
        method: z.string().optional(),
        /** A regular expression over the path, query included. */
        path: z.union([z.string(), z.instanceof(RegExp)]).optional(),
        /** Only from the nth matching request on, counted from 1. */
        nth: z.number().int().min(1).optional(),
        /** Only so many times; without it until `clearFaults()`. */
        times: z.number().int().min(1).optional(),
        /** 0..1, seeded. */
        probability: z.number().min(0).max(1).optional(),
      })
      .optional(),
  }),
);
/** One fault: what happens (`mode`), and to which requests (`match`, default all of them). The first rule that matches wins. */
export type FaultRule = z.infer<typeof FaultRule>;

export interface HeldRequest {
  readonly method: string;
  readonly path: string;
  readonly phase: Phase;
}

export interface Faults {
  add(rule: FaultRule): void;
  /** Forgets all rules; what is held stays held. */
  clear(): void;
  /** The fault that meets this request. */
  take(method: string, path: string): Mode | undefined;
  hold(request: HeldRequest): Promise<void>;
  held(): HeldRequest[];
  /** Resolves once at least so many are held. */
  whenHeld(count: number): Promise<void>;
  /** Lets the oldest go on, at most `count` of them; says how many. */
  release(count: number): number;
}

export function createFaults(random: () => number): Faults {
  let rules: { rule: FaultRule; seen: number; used: number }[] = [];
  let gates: { request: HeldRequest; open: () => void }[] = [];
  let waiters: { count: number; wake: () => void }[] = [];

  return {
    add(rule) {
      rules.push({ rule, seen: 0, used: 0 });
    },
    clear() {
      rules = [];
    },
    take(method, path) {
      for (const entry of rules) {
        const match = entry.rule.match ?? {};
        if (match.method !== undefined && match.method !== method) continue;
        if (match.path !== undefined && !new RegExp(match.path).test(path)) continue;
        entry.seen += 1;
        if (entry.seen < (match.nth ?? 1) || entry.used >= (match.times ?? Number.POSITIVE_INFINITY)) continue;
        if (match.probability !== undefined && random() >= match.probability) continue;
        entry.used += 1;
        return entry.rule;
      }
      return undefined;
    },
    hold(request) {
      return new Promise((open) => {
        gates.push({ request, open });
        for (const waiter of waiters) if (gates.length >= waiter.count) waiter.wake();
        waiters = waiters.filter((waiter) => gates.length < waiter.count);
      });
    },
    held: () => gates.map(({ request }) => request),
    whenHeld(count) {
      if (gates.length >= count) return Promise.resolve();
      return new Promise((wake) => waiters.push({ count, wake }));
    },
    release(count) {
      const freed = gates.slice(0, count);
      gates = gates.slice(count);
      for (const { open } of freed) open();
      return freed.length;
    },
  };
}
