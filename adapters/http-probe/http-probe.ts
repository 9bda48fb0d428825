import type { Lookup } from '../http/connector.ts';
import { createMask } from '../mask.ts';
import { ask, type BodyMatters, MAX_REQUEST_MS } from './ask.ts';
import { type Expected, meetsExpectation } from './json-expectation.ts';

export interface HttpProbeConfig {
  readonly url: string;
  /** Empty: any 2xx. */
  readonly expectStatus: readonly number[];
  readonly expectJson: Expected;
  /** At most 2 000: a look at production has 3 s in all. */
  readonly timeoutMs: number;
  /** May hold secrets. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface HealthSeen {
  readonly health: 'pass' | 'fail' | 'unknown';
  /** Why it did not pass, at most 160 characters, one line; never the URL, which may hold a token. */
  readonly detail?: string;
}

export interface TrafficSeen {
  readonly requests: number;
  /** Answered 5xx, or not answered by production to the end. */
  readonly errors5xx: number;
  /** Why the request was not counted, or what failed; at most 160 characters, one line, never the URL. */
  readonly detail?: string;
}

export interface HttpProbe {
  /** One look at a health endpoint. Never throws. */
  health(config: HttpProbeConfig, signal: AbortSignal): Promise<HealthSeen>;
  /**
   * One request to a URL of the traffic list. Each is a request; a 5xx, and what production refuses, resets or does not answer
   * in time and to its end, is an error. What is ours counts nothing. Never throws.
   */
  traffic(url: string, signal: AbortSignal): Promise<TrafficSeen>;
}

export const MAX_DETAIL = 160;

const oneLine = (why: string): string => why.replaceAll(/[\p{Cc}\s]+/gu, ' ').slice(0, MAX_DETAIL);

const seen = (health: HealthSeen['health'], why: string): HealthSeen => ({ health, detail: oneLine(why) });

export interface HttpProbeDeps {
  readonly lookup?: Lookup;
  /** What is masked where an answer repeats it. */
  readonly secrets?: readonly string[];
}

/** Looks at production over HTTP. Opens a connection for each request and keeps none. */
export function createHttpProbe({ lookup, secrets = [] }: HttpProbeDeps = {}): HttpProbe {
  const mask = createMask(secrets).text;
  return {
    async health({ url, expectStatus, expectJson, timeoutMs, headers }, signal) {
      const isExpected = (status: number): boolean =>
        expectStatus.length === 0 ? status >= 200 && status < 300 : expectStatus.includes(status);
      const ofExpected = Object.keys(expectJson).length > 0 ? 'text' : 'end';
      const bodyMatters = (status: number): BodyMatters => (isExpected(status) ? ofExpected : 'no');
      const reply = await ask({ url, headers, timeoutMs, signal, bodyMatters }, lookup);
      if (reply.status === null) return seen(reply.health, reply.why);
      const { status, body } = reply;
      if (!isExpected(status)) return unexpected(status, expectStatus);
      if (body === null) return { health: 'pass' };
      const said = meetsExpectation(body, expectJson, mask);
      return said.health === 'pass' ? said : seen(said.health, said.why);
    },

    async traffic(url, signal) {
      const bodyMatters = (status: number): BodyMatters => (status === 429 || isServerError(status) ? 'no' : 'end');
      const reply = await ask({ url, headers: {}, timeoutMs: MAX_REQUEST_MS, signal, bodyMatters }, lookup);
      const { status } = reply;
      if (status === null) {
        return reply.health === 'fail'
          ? { requests: 1, errors5xx: 1, detail: oneLine(reply.why) }
          : { requests: 0, errors5xx: 0, detail: oneLine(reply.why) };
      }
      if (status === 429) return { requests: 0, errors5xx: 0, detail: TOO_MANY };
      return isServerError(status)
        ? { requests: 1, errors5xx: 1, detail: `answered ${status}` }
        : { requests: 1, errors5xx: 0 };
    },
  };
}

const isServerError = (status: number): boolean => status >= 500 && status <= 599;

const TOO_MANY = 'answered 429 to our own probing: look less often, or let it through';

function unexpected(status: number, expectStatus: readonly number[]): HealthSeen {
  if (status === 429) return seen('unknown', TOO_MANY);
  const redirect = status >= 300 && status < 400 ? ' (a redirect, which is not followed)' : '';
  const expected = expectStatus.length === 0 ? 'any 2xx' : expectStatus.join(', ');
  return seen('fail', `answered ${status}${redirect}, expected ${expected}`);
}
