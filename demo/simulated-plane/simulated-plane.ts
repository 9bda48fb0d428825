/**
 * A simulated Plane: the REST API v1 of Plane CE 1.3.1 as recorded (test/adapters/plane/recordings), over node:http, all in
 * memory, deterministic but for the clock. It emits no webhooks. It is for tests and the demo, and listens on loopback.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { boardPage } from './board.ts';
import { type Control, createControl } from './control.ts';
import { runCommand } from './control-http.ts';
import { createFaults } from './faults.ts';
import { createListener } from './listener.ts';
import type { Tables } from './model.ts';
import type { LoggedRequest } from './request-log.ts';
import { DEFAULT_SEED, type PlaneSeed, plant } from './seed.ts';
import { serveApi } from './serve.ts';
import { createThrottle } from './throttle.ts';
import { createWorld, keyOf, type World } from './world.ts';

export interface SimulatedPlaneOptions {
  /** Default 0: any free one. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** What is in it at first (default: workspace acme with projects ORCH and OPS), or what an earlier one had. */
  readonly seed?: PlaneSeed | { readonly tables: Tables };
  /** Epoch ms. Default Date.now. */
  readonly clock?: () => number;
  /** Seed of ids and of the probabilities of faults. Default 1. */
  readonly randomSeed?: number;
  /** How long after an answer Plane's background worker writes activities, ms. Default 20. */
  readonly jobDelayMs?: number;
}

export interface SimulatedPlane {
  /** `http://127.0.0.1:<port>`: the API below `/api/v1/`, the board at `/`. */
  readonly url: string;
  /** A key of the seed's first user; empty where they have none. */
  readonly apiKey: string;
  /** Slug of the seed's workspace. */
  readonly workspace: string;
  readonly control: Control;
  /** Everything in it, to be given to another one as its seed. */
  snapshot(): Tables;
  /** Ends all connections and frees the port. */
  close(): Promise<void>;
}

/** @throws what listening throws, such as EADDRINUSE. */
export async function startSimulatedPlane(options: SimulatedPlaneOptions = {}): Promise<SimulatedPlane> {
  const {
    port = 0,
    host = '127.0.0.1',
    seed = DEFAULT_SEED,
    clock = Date.now,
    randomSeed = 1,
    jobDelayMs = 20,
  } = options;
  const world = createWorld({ clock, randomSeed, jobDelayMs });
  if ('tables' in seed) world.tables = structuredClone(seed.tables);
  else plant(world, seed);
  const throttle = createThrottle(clock);
  const faults = createFaults(() => world.random());
  const log: LoggedRequest[] = [];

  const server = createServer((request, response) => {
    route(request, response).catch((error: unknown) => {
      // A bug of the simulator, or a client that went away in the middle of its request.
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' });
      response.end(`simulated Plane: ${error instanceof Error ? error.stack : error}`);
    });
  });
  const listener = createListener(server, host);
  const control = createControl({
    world,
    throttle,
    faults,
    log,
    refuseConnections: listener.refuse,
    acceptConnections: listener.accept,
  });
  const deps = {
    world,
    throttle,
    faults,
    log,
    moveByPerson: (path: string, stateName: string) => moveByPerson(world, control, path, stateName),
    refuseConnections: (ms: number) => void listener.refuse(ms),
  };

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = await textOf(request);
    const path = request.url ?? '/';
    if (path.startsWith('/__sim/')) {
      const remote = request.socket.remoteAddress ?? '';
      if (!/^(?:127\.|::1$|::ffff:127\.)/.test(remote)) return json(response, 403, { error: 'from this machine only' });
      const { status, body } = await runCommand(control, path.slice('/__sim/'.length).replace(/[/?].*$/, ''), raw);
      return json(response, status, body);
    }
    if (path === '/' || path === '/board') {
      response.writeHead(200, {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
      });
      response.end(boardPage(world));
      return;
    }
    await serveApi(deps, request, response, raw);
  }

  const url = await listener.open(port);
  return {
    url,
    apiKey: world.tables.keys.find((key) => key.userId === world.tables.users[0]?.id)?.token ?? '',
    workspace: world.tables.workspaces[0]?.slug ?? '',
    control,
    snapshot: () => structuredClone(world.tables),
    async close() {
      world.jobs.close();
      await listener.close();
    },
  };
}

/** The item whose uuid the path names is moved, if it is there. */
function moveByPerson(world: World, control: Control, path: string, stateName: string): void {
  const item = world.tables.workItems.find(({ id }) => path.includes(id));
  if (item !== undefined) control.uiSetState(keyOf(world, item), stateName);
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
