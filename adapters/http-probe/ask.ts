import { lookup as systemLookup } from 'node:dns';
import { request } from 'undici';
import type { Lookup } from '../http/connector.ts';
import { lowerCased } from '../http/headers.ts';
import { withOwnConnection } from '../http/own-connection.ts';
import { ACCEPT_ENCODING, type Body, readBody, readCapped } from '../http/read-body.ts';
import { classifyFailure, type Failure } from './failure-class.ts';

/** Most of a body that is read. */
export const MAX_BODY_BYTES = 64 * 1024;

/** The longest that one request may take, ms: a look at production has 3 s in all. */
export const MAX_REQUEST_MS = 2_000;

/** A time-out that fires so much too late, ms, says that this process stood still, not that production did. */
const STALL_MS = 500;

export interface Question {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** At most `MAX_REQUEST_MS` holds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** What matters of the body of an answer with this status. */
  readonly bodyMatters: (status: number) => BodyMatters;
}

/** `text`: it is read. `end`: whoever asks needs all of it, whatever it says. `no`: the status says all. */
export type BodyMatters = 'text' | 'end' | 'no';

export interface Answered {
  readonly status: number;
  readonly body: Body | null;
}

export type Reply = Answered | (Failure & { readonly status: null });

const failure = (health: Failure['health'], why: string): Reply => ({ status: null, health, why });

/**
 * One GET on a connection of its own, which is closed after it: a connection from before a deploy says nothing about what
 * runs now. No redirect is followed, nothing is retried. Never throws.
 */
export async function ask(question: Question, lookup: Lookup = systemLookup): Promise<Reply> {
  const { url, headers, signal, bodyMatters } = question;
  const timeoutMs = Math.min(question.timeoutMs, MAX_REQUEST_MS);
  if (!URL.canParse(url) || !/^https?:/i.test(url)) return failure('unknown', 'its URL is not valid');
  if (!(timeoutMs > 0)) return failure('unknown', 'its time-out is not valid');
  if (signal.aborted) return failure('unknown', 'the probe was aborted');

  let resolving = false;
  const noticing: Lookup = (hostname, options, callback) => {
    resolving = true;
    lookup(hostname, options, (...found) => {
      resolving = false;
      callback(...found);
    });
  };
  const call = new AbortController();
  const onAbort = (): void => call.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  const startedAt = performance.now();
  let waitedMs: number | null = null;
  const timer = setTimeout(() => {
    waitedMs = performance.now() - startedAt;
    call.abort();
  }, timeoutMs);

  let status: number | null = null;
  try {
    const connect = { lookup: noticing, timeoutMs: 0, allowH2: true };
    return await withOwnConnection({ connect }, call.signal, async (dispatcher) => {
      const answer = await request(url, {
        dispatcher,
        headers: { 'user-agent': 'deploy-to-done', 'accept-encoding': ACCEPT_ENCODING, ...lowerCased(headers) },
      });
      status = answer.statusCode;
      if (bodyMatters(status) === 'text') {
        return { status, body: await readBody(answer.body, answer.headers, MAX_BODY_BYTES) };
      }
      await readCapped(answer.body, MAX_BODY_BYTES); // to its end, so that the server logs no broken connection
      return { status, body: null };
    });
  } catch (error) {
    if (status !== null && bodyMatters(status) === 'no') return { status, body: null };
    if (signal.aborted) return failure('unknown', 'the probe was aborted');
    if (waitedMs === null) {
      if (status === null) return { status: null, ...classifyFailure(error) };
      const { health, why } = classifyFailure(error, 'after it');
      return failure(health, `the answer broke off: ${why}`);
    }
    if (waitedMs > timeoutMs + STALL_MS) return failure('unknown', 'this worker stood still while it waited');
    if (resolving) return failure('unknown', `the name was not resolved within ${timeoutMs} ms`);
    return failure('fail', `no ${status === null ? '' : 'whole '}answer within ${timeoutMs} ms`);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
