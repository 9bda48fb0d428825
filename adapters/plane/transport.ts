/**
 * One HTTP exchange over undici: time-outs on every part, the body always read to its end and capped, never a redirect followed,
 * never a retry (the callers are Temporal activities). It knows whether a request went out at all, which decides whether a write
 * may have been applied.
 */
import { DecoratorHandler, type Dispatcher, Pool } from 'undici';
import { createConnector } from '../http/connector.ts';
import { header } from '../http/headers.ts';
import { MAX_HEADER_BYTES } from '../http/own-connection.ts';
import { ACCEPT_ENCODING, type Body, readBody } from '../http/read-body.ts';
import { PlaneUnavailable } from './errors.ts';

export interface PlaneTimeouts {
  /** Opening the connection, TLS included. Default 5 000 ms. */
  readonly connectMs: number;
  /** From the request being sent to the answer's headers. Default 10 000 ms. */
  readonly headersMs: number;
  /** Between two pieces of the answer's body. Default 10 000 ms. */
  readonly bodyMs: number;
  /** The whole call, waiting for a free connection included. Default 15 000 ms. */
  readonly callMs: number;
}

export const DEFAULT_TIMEOUTS: PlaneTimeouts = { connectMs: 5_000, headersMs: 10_000, bodyMs: 10_000, callMs: 15_000 };

/** Largest answer that is read. A page of 100 work items is about 80 KB. */
export const MAX_BODY_BYTES = 5 * 1024 * 1024;

/** Ours is closed before the server's own keep-alive (2 s in gunicorn), so that no write meets a connection that is being closed. */
const KEEP_ALIVE_MS = 1_000;
const CONNECTIONS = 8;

export interface PlaneRequest {
  readonly method: 'GET' | 'PATCH' | 'POST';
  /** With the query, if any. */
  readonly path: string;
  readonly body?: unknown;
  /** 409 says that it is there already, which is what was wanted. */
  readonly conflictIsGood?: true;
  readonly signal?: AbortSignal | undefined;
  /** Called when the request begins to be written to an open connection; where it throws, nothing is sent. */
  readonly beforeSending?: (() => void) | undefined;
}

export interface PlaneAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly location: string | null;
  readonly retryAfter: string | null;
  /** `X-RateLimit-Remaining`: requests that the key has left, whoever uses it. */
  readonly remaining: string | null;
  /** `X-RateLimit-Reset`: when a request that is sent now counts no more, epoch s. */
  readonly resetAt: string | null;
  /** `Date`: Plane's own time. */
  readonly date: string | null;
  readonly text: string;
  /** Why `text` is empty although there is a body, as part of a sentence. */
  readonly unreadable?: string | undefined;
}

export interface Transport {
  /**
   * @throws PlaneUnavailable where no whole answer came.
   * @throws the signal's own reason where the caller aborted; a write may have been applied then, unless the signal was aborted before.
   * @throws what `beforeSending` throws.
   */
  exchange(request: PlaneRequest): Promise<PlaneAnswer>;
  /** Waits for calls in flight, which `callMs` bounds. May be called again. */
  close(): Promise<void>;
}

/** The path without its query: what messages may show. */
export const shownPath = (path: string): string => path.split('?', 1).join('');

export function createTransport(origin: string, apiKey: string, timeouts: PlaneTimeouts): Transport {
  const pool = new Pool(origin, {
    connections: CONNECTIONS,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: createConnector({ timeoutMs: timeouts.connectMs }),
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: timeouts.headersMs,
    bodyTimeout: timeouts.bodyMs,
    maxResponseSize: MAX_BODY_BYTES,
  });
  const inFlight = new Set<Promise<PlaneAnswer>>();
  let closing: Promise<void> | undefined;

  async function exchange({ method, path, body, signal, beforeSending }: PlaneRequest): Promise<PlaneAnswer> {
    signal?.throwIfAborted();
    const call = new AbortController();
    const onAbort = (): void => call.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      call.abort();
    }, timeouts.callMs);
    let sent = false;
    let withheld = null as { readonly why: unknown } | null;
    const noticing = pool.compose(
      noticeSending(() => {
        try {
          beforeSending?.();
          sent = true;
        } catch (why) {
          withheld = { why };
          call.abort(why);
        }
      }),
    );
    const performed = perform(noticing, { method, path, body, signal: call.signal });
    performed.catch(() => {}); // looked at below, unless the call was given up before it ended
    try {
      // undici notices an abort only once it has a connection: the race makes `callMs` hold while it waits for one, too.
      return await Promise.race([performed, rejectionOf(call.signal)]);
    } catch (error) {
      if (withheld !== null) throw withheld.why;
      if (signal?.aborted && !timedOut) throw signal.reason;
      throw new PlaneUnavailable(
        timedOut ? `no whole answer within ${timeouts.callMs} ms.` : explain(error, timeouts),
        {
          method,
          path: shownPath(path),
          status: null,
          writeMayHaveApplied: sent && method !== 'GET',
          cause: error,
        },
      );
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async function perform(dispatcher: Dispatcher, { method, path, body, signal }: PlaneRequest): Promise<PlaneAnswer> {
    const response = await dispatcher.request({
      method,
      path,
      headers: {
        accept: 'application/json',
        'accept-encoding': ACCEPT_ENCODING,
        'x-api-key': apiKey,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
    });
    const { statusCode } = response;
    const content = await readBody(response.body, response.headers, MAX_BODY_BYTES).catch((error: unknown): Body => {
      if (signal?.aborted || statusCode < 300) throw error;
      return { unreadable: explain(error, timeouts).replace(/\.$/, ''), ours: true }; // the status already identifies the error
    });
    return {
      status: statusCode,
      contentType: header(response.headers, 'content-type') ?? '',
      location: header(response.headers, 'location'),
      retryAfter: header(response.headers, 'retry-after'),
      remaining: header(response.headers, 'x-ratelimit-remaining'),
      resetAt: header(response.headers, 'x-ratelimit-reset'),
      date: header(response.headers, 'date'),
      text: content.text ?? '',
      unreadable: content.unreadable,
    };
  }

  return {
    async exchange(request) {
      if (closing !== undefined) throw closed(request);
      const call = exchange(request);
      inFlight.add(call);
      try {
        return await call;
      } finally {
        inFlight.delete(call);
      }
    },
    // Not undici's own close: that one also waits for connections that are still being tried.
    close: () => (closing ??= Promise.allSettled(inFlight).then(() => pool.destroy())),
  };
}

/** Rejects with the signal's reason once it is aborted. */
const rejectionOf = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

const closed = ({ method, path }: PlaneRequest): PlaneUnavailable =>
  new PlaneUnavailable('this client is closed already.', {
    method,
    path: shownPath(path),
    status: null,
    writeMayHaveApplied: false,
  });

/** Tells when undici begins to write a request to an open connection: before that nothing can have been applied. */
function noticeSending(onSending: () => void): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    const noticing: Dispatcher.DispatchHandler = new DecoratorHandler(handler);
    const onRequestStart = noticing.onRequestStart?.bind(noticing);
    noticing.onRequestStart = (controller, context) => {
      onSending();
      onRequestStart?.(controller, context);
    };
    return dispatch(options, noticing);
  };
}

/** One sentence for a failure of the network, by its code. */
function explain(error: unknown, timeouts: PlaneTimeouts): string {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  switch (code) {
    case 'ECONNREFUSED':
      return 'the connection was refused. Is Plane running, and is the URL right?';
    case 'ENOTFOUND':
      return 'the host name does not exist. Check the URL.';
    case 'EAI_AGAIN':
      return 'the host name could not be resolved just now.';
    case 'UND_ERR_CONNECT_TIMEOUT':
      return `no connection within ${timeouts.connectMs} ms.`;
    case 'UND_ERR_HEADERS_TIMEOUT':
      return `no answer within ${timeouts.headersMs} ms.`;
    case 'UND_ERR_BODY_TIMEOUT':
      return `the answer stopped for ${timeouts.bodyMs} ms.`;
    case 'UND_ERR_RES_EXCEEDED_MAX_SIZE':
      return `the answer is larger than ${MAX_BODY_BYTES} bytes. Is this Plane?`;
    default:
      return `the connection failed (${code || (error instanceof Error ? error.message || error.name : 'unknown')}).`;
  }
}
