/** Sends recorded requests to a simulated Plane whose clock stands at the recorded time. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { type SimulatedPlane, startSimulatedPlane } from '../../../demo/simulated-plane/simulated-plane.ts';
import type { Exchange } from '../../adapters/plane/recordings.ts';
import { differences, headerDifferences, IdMap } from './compare.ts';

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface Replay {
  readonly plane: SimulatedPlane;
  readonly ids: IdMap;
  /** Sets the clock, epoch ms. */
  at(ms: number): void;
  /** An unrecorded request; ids in path and body are simulated ones. */
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answered>;
  /** Differences between a recorded answer and the simulated one. */
  play(exchange: Exchange, countersExact: boolean): Promise<string[]>;
}

export const MAIN_KEY = 'plane_api_TESTKEY';

export async function startReplay(): Promise<Replay> {
  let now = 0;
  const plane = await startSimulatedPlane({
    clock: () => now,
    seed: { workspace: 'acme', users: [{ displayName: 'orchestrator', key: MAIN_KEY, role: 20 }], projects: [] },
  });
  const ids = new IdMap();

  async function play({ recorded_at, request, response }: Exchange, countersExact: boolean): Promise<string[]> {
    now = Date.parse(recorded_at);
    plane.control.settleJobs();
    const raw = request.body_raw ?? (request.body === null ? undefined : JSON.stringify(request.body));
    const given = await exchangeWith(
      plane.url,
      request.method,
      ids.translate(request.path),
      raw === undefined ? undefined : ids.translate(raw),
      request.headers,
    );
    const status = given.status === response.status ? [] : [`status: ${given.status}, recorded ${response.status}`];
    return [
      ...status,
      ...differences(response.body, given.body, ids),
      ...headerDifferences(response.headers, given.headers, ids, countersExact),
    ];
  }

  return {
    plane,
    ids,
    at: (ms) => {
      now = ms;
    },
    send: (method, path, body, headers = {}) =>
      exchangeWith(plane.url, method, path, body === undefined ? undefined : JSON.stringify(body), {
        'X-Api-Key': MAIN_KEY,
        'Content-Type': 'application/json',
        ...headers,
      }),
    play,
  };
}

function exchangeWith(
  base: string,
  method: string,
  path: string,
  body: string | undefined,
  headers: Readonly<Record<string, string>>,
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
    const outgoing = httpRequest(new URL(path, base), { method, headers: { ...headers, ...length } }, (incoming) => {
      answered(incoming).then(resolve, reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

async function answered(incoming: IncomingMessage): Promise<Answered> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
  const bytes = Buffer.concat(chunks);
  const text = (incoming.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString('utf8');
  const headers = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
  return { status: incoming.statusCode ?? 0, headers, body: text === '' ? null : JSON.parse(text) };
}
