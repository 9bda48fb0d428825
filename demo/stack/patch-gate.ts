import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { closedGate, type Gate } from '../gate.ts';

/**
 * Stands between the worker and Plane, and can hold a write that is under way, so that a demo can kill its worker just then.
 * What is held goes on to Plane later, whoever has asked for it: so do packets.
 */
export interface PatchGate {
  readonly url: string;
  /** Holds the next PATCH. */
  holdNext(): void;
  /** How many were held so far. */
  held(): number;
  /** Lets go what is held; resolves when Plane has answered it. */
  letGo(): Promise<void>;
  close(): Promise<void>;
}

/** Belong to one connection, or describe a body as it was sent there (fetch has decoded it). */
const NOT_PASSED_ON = new Set([
  'host',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'content-encoding',
]);

export async function startPatchGate(planeUrl: string): Promise<PatchGate> {
  const target = planeUrl.replace(/\/+$/, '');
  let gate: Gate | null = null;
  let holding: Promise<void> = Promise.resolve();
  let armed = false;
  let held = 0;

  async function passOn(request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<void> {
    const headers = Object.entries(request.headers).flatMap(([name, value]): [string, string][] =>
      typeof value === 'string' && !NOT_PASSED_ON.has(name) ? [[name, value]] : [],
    );
    const answer = await fetch(`${target}${request.url ?? '/'}`, {
      method: request.method ?? 'GET',
      headers,
      redirect: 'manual',
      ...(body.length === 0 ? {} : { body }),
    });
    const content = Buffer.from(await answer.arrayBuffer());
    response.writeHead(answer.status, [...answer.headers].filter(([name]) => !NOT_PASSED_ON.has(name)).flat());
    response.end(content);
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const passing = (): Promise<void> => passOn(request, response, Buffer.concat(chunks));
    if (!armed || request.method !== 'PATCH') return passing();
    armed = false;
    gate = closedGate();
    holding = gate.passed.then(passing);
    held += 1;
    await holding;
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy()); // as if Plane had reset the connection
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the gate before Plane has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    holdNext() {
      armed = true;
    },
    held: () => held,
    async letGo() {
      gate?.open();
      gate = null;
      await holding;
    },
    async close() {
      gate?.open();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
