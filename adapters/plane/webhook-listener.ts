import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type PlaneEvent, readEvent } from './webhook.ts';

export interface WebhookListenerOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly secret: string;
  /** Takes a good event on. What it throws is logged, and answered with 503 where that is known in time. */
  readonly onWorkItem: (event: PlaneEvent) => Promise<void>;
  readonly log: { warn(fields: object, message: string): void };
}

export interface WebhookListener {
  readonly url: string;
  /** Stops listening, and waits for what is being answered. */
  close(): Promise<void>;
}

export const WEBHOOK_PATH = '/plane';

/** Plane sends no more; the whole row of a work item with its description is in it. */
const MAX_BYTES = 2 * 1024 * 1024;

/** A whole request must be there within this, ms. */
const REQUEST_MS = 5_000;

/** How often that is looked at, ms; Node's own 30 s would be the real limit. */
const CHECK_MS = 1_000;

/** Plane gives up on a receiver after 30 s, and disables it after some times: it is answered in time, whatever the event leads to. */
const ANSWER_MS = 800;

const MAX_CONNECTIONS = 100;

/** Listens for the events of Plane's webhooks (`POST /plane`). @throws where it cannot listen there. */
export async function listenForEvents(options: WebhookListenerOptions): Promise<WebhookListener> {
  const { host, port } = options;
  const limits = { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, connectionsCheckingInterval: CHECK_MS };
  const server = createServer(limits, (request, response) => {
    void handle(request, options)
      .catch(() => 400) // it ended in the middle
      .then((status) => answer(response, status));
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.listen(port, host);
  await once(server, 'listening').catch((cause: unknown) => {
    throw new Error(
      `The webhook listener cannot use ${host}:${port} (${cause instanceof Error ? cause.message : String(cause)}): change ORCH_PLANE_WEBHOOK_HOST or ORCH_PLANE_WEBHOOK_PORT`,
      { cause },
    );
  });
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}${WEBHOOK_PATH}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      await closed;
    },
  };
}

/** The status with which a request is answered. */
async function handle(request: IncomingMessage, { secret, onWorkItem, log }: WebhookListenerOptions): Promise<number> {
  if (request.url?.split('?', 1)[0] !== WEBHOOK_PATH) return 404;
  if (request.method !== 'POST') return 405;
  const body = await bytesOf(request);
  if (body === null) return 413;
  const signature = request.headers['x-plane-signature'];
  const read = readEvent(secret, typeof signature === 'string' ? signature : undefined, body);
  switch (read.kind) {
    case 'forged':
      log.warn({ from: request.socket.remoteAddress }, 'a webhook event with a wrong signature was refused');
      return 401;
    case 'garbage':
      return 400;
    case 'other':
      return 200;
    case 'work item': {
      const taken = onWorkItem(read.event);
      taken.catch((error: unknown) => log.warn({ err: error }, 'a webhook event could not be taken on'));
      const done = taken.then(
        () => 200,
        () => 503,
      );
      return Promise.race([done, delay(ANSWER_MS, 202, { ref: false })]);
    }
    default:
      return read satisfies never;
  }
}

/** The body as it was sent; `null` where it is too large. */
async function bytesOf(request: IncomingMessage): Promise<Buffer | null> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BYTES) return null;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function answer(response: ServerResponse, status: number): void {
  if (response.destroyed) return;
  // What was not read of a request is not waited for.
  if (status >= 400) response.setHeader('connection', 'close');
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ ok: status < 300 }));
}
