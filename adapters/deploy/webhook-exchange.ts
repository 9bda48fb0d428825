import { request } from 'undici';
import { header } from '../http/headers.ts';
import { withOwnConnection } from '../http/own-connection.ts';
import { type Body, readBody } from '../http/read-body.ts';
import { NoAnswer, within } from '../within.ts';
import type { WebhookReply } from './webhook-answer.ts';

/** Most of an answer that is read. */
const MAX_BODY_BYTES = 64 * 1024;
const CONNECT_MS = 10_000;

/** How long the body of a refusal is waited for, ms: its status has said what counts. */
const REFUSAL_MS = 5_000;

export interface WebhookRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Bounds the whole exchange: nothing else does once the connection stands, as a deployer may answer when it is done. */
  readonly signal: AbortSignal;
}

/**
 * One request on a connection of its own; no redirect is followed, nothing is retried.
 * @throws what undici throws; where the signal aborted, that says nothing.
 */
export async function exchange({ method, url, headers, body, signal }: WebhookRequest): Promise<WebhookReply> {
  const waiting = { connect: { timeoutMs: CONNECT_MS }, headersTimeout: 0, bodyTimeout: 0 };
  return withOwnConnection(waiting, signal, async (dispatcher) => {
    const answer = await request(url, {
      dispatcher,
      method,
      headers: { 'user-agent': 'deploy-to-done', ...headers },
      body: body ?? null,
    });
    const taken = answer.statusCode >= 200 && answer.statusCode <= 299;
    const content = readBody(answer.body, answer.headers, MAX_BODY_BYTES);
    return {
      status: answer.statusCode,
      contentType: header(answer.headers, 'content-type') ?? '',
      location: header(answer.headers, 'location'),
      retryAfter: header(answer.headers, 'retry-after'),
      body: await (taken ? content : within(REFUSAL_MS, 'its body', content)).catch((error: unknown): Body => {
        if (signal.aborted) throw error;
        return { unreadable: error instanceof NoAnswer ? 'it does not end' : 'it broke off', ours: true };
      }),
    };
  });
}

const NOT_SENT =
  /^(ECONNREFUSED|ENOTFOUND|EAI_|UND_ERR_CONNECT_TIMEOUT|UND_ERR_INVALID_ARG|ERR_TLS|ERR_SSL|ERR_INVALID_)|CERT/;

/** These may also come once a connection stands. */
const NO_WAY = /^(EHOSTUNREACH|ENETUNREACH)$/;

const whileConnecting = (error: unknown): boolean =>
  error instanceof Error &&
  (error instanceof AggregateError
    ? error.errors.every(whileConnecting)
    : 'syscall' in error && error.syscall === 'connect');

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');

/** Whether a failed exchange cannot have reached the deployer; in doubt, it may have. */
export const wasNotSent = (error: unknown): boolean =>
  NOT_SENT.test(codeOf(error)) || (NO_WAY.test(codeOf(error)) && whileConnecting(error));

/** Why an exchange failed, as part of a sentence. */
export function whyNoReply(error: unknown): string {
  const code = codeOf(error);
  switch (code) {
    case 'ECONNREFUSED':
      return 'the connection was refused: is the deployer running?';
    case 'ENOTFOUND':
      return 'its name does not exist: check the URL';
    case 'UND_ERR_CONNECT_TIMEOUT':
      return 'no connection could be made in time';
    case 'ECONNRESET':
    case 'UND_ERR_SOCKET':
      return `the connection broke before it answered (${code})`;
    default:
      return `no answer (${code || (error instanceof Error ? error.name : 'unknown')})`;
  }
}
