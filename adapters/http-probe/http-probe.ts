import { ask, type Lookup, MAX_REQUEST_MS } from './ask.ts';
import { meetsExpectation } from './json-expectation.ts';

export interface HttpProbeConfig {
  readonly url: string;
  /** Empty: any 2xx. */
  readonly expectStatus: readonly number[];
  /** JSON pointer -> the value expected there. */
  readonly expectJson: Readonly<Record<string, string | number | boolean | null>>;
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
  readonly errors5xx: number;
}

export interface HttpProbe {
  /** One look at a health endpoint. Never throws. */
  health(config: HttpProbeConfig, signal: AbortSignal): Promise<HealthSeen>;
  /** One request to a URL of the traffic list: each answer is a request, each 5xx an error. Never throws. */
  traffic(url: string, signal: AbortSignal): Promise<TrafficSeen>;
}

export const MAX_DETAIL = 160;

const NOTHING: TrafficSeen = { requests: 0, errors5xx: 0 };

const seen = (health: HealthSeen['health'], why: string): HealthSeen => ({
  health,
  detail: why.replaceAll(/[\p{Cc}\s]+/gu, ' ').slice(0, MAX_DETAIL),
});

/** Looks at production over HTTP. Opens a connection for each request and keeps none. */
export const createHttpProbe = ({ lookup }: { readonly lookup?: Lookup } = {}): HttpProbe => ({
  async health({ url, expectStatus, expectJson, timeoutMs, headers }, signal) {
    const readsBody = Object.keys(expectJson).length > 0;
    const reply = await ask({ url, headers, timeoutMs, signal, body: readsBody ? 'read' : 'discard' }, lookup);
    if (reply.status === null) return seen(reply.health, reply.why);
    const { status, body } = reply;
    const expected = expectStatus.length === 0 ? status >= 200 && status < 300 : expectStatus.includes(status);
    if (!expected) return unexpected(status, expectStatus);
    if (body === null) return { health: 'pass' };
    const said = meetsExpectation(body, expectJson);
    return said.health === 'pass' ? said : seen(said.health, said.why);
  },

  async traffic(url, signal) {
    const { status } = await ask({ url, headers: {}, timeoutMs: MAX_REQUEST_MS, signal, body: 'discard' }, lookup);
    // 429 is an answer to our own probing, and no answer at all is what the health probe tells.
    if (status === null || status === 429) return NOTHING;
    return { requests: 1, errors5xx: status >= 500 && status <= 599 ? 1 : 0 };
  },
});

function unexpected(status: number, expectStatus: readonly number[]): HealthSeen {
  if (status === 429) return seen('unknown', 'answered 429 to our own probing: look less often, or let it through');
  const redirect = status >= 300 && status < 400 ? ' (a redirect, which is not followed)' : '';
  const expected = expectStatus.length === 0 ? 'any 2xx' : expectStatus.join(', ');
  return seen('fail', `answered ${status}${redirect}, expected ${expected}`);
}
