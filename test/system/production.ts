import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { z } from 'zod';
import { closedGate, type Gate } from '../../demo/gate.ts';

const Switch = z.object({
  kind: z.enum(['deploy', 'rollback']),
  operationId: z.string().min(1),
  version: z.string(),
});

/** One run of the deploy command, as production saw it. */
export interface Operation {
  readonly kind: 'deploy' | 'rollback';
  readonly operationId: string;
  /** What it changed; `null`: nothing, the operation had happened already. */
  readonly to: string | null;
}

/** The tiny HTTP production of a test: a service for each repository, whose version a deploy command really switches. */
export interface Production {
  /** Of a repository's service; `/health`, `/page` and `/switch` are below it. */
  url(repo: string): string;
  version(repo: string): string;
  operations(repo: string): readonly Operation[];
  /** How many probes have asked for the page of this service. */
  probes(repo: string): number;
  /** Resolves as the first probe asks for it. */
  whenProbed(repo: string): Promise<void>;
  /** The release that runs now answers 503 to `/health` and 500 to `/page`; another one does not. */
  degrade(repo: string): void;
  /** The same of the release that is deployed next. */
  degradeNext(repo: string): void;
  /** The next operation of this repository waits, before it changes anything, until `release`. */
  hold(repo: string): void;
  whenHeld(repo: string): Promise<void>;
  release(repo: string): void;
  close(): Promise<void>;
}

interface Service {
  readonly versions: string[];
  readonly degraded: Set<string>;
  nextIsDegraded: boolean;
  readonly operations: Operation[];
  probes: number;
  readonly probed: Gate;
  gate: Gate | null;
  held: Gate;
}

export async function startProduction(): Promise<Production> {
  const services = new Map<string, Service>();
  const serviceOf = (repo: string): Service => {
    const service = services.get(repo) ?? {
      versions: ['v1'],
      degraded: new Set<string>(),
      nextIsDegraded: false,
      operations: [],
      probes: 0,
      probed: closedGate(),
      gate: null,
      held: closedGate(),
    };
    services.set(repo, service);
    return service;
  };
  const running = ({ versions }: Service): string => versions.at(-1) ?? '';

  async function operate(service: Service, body: unknown): Promise<string> {
    const { kind, operationId, version } = Switch.parse(body);
    if (service.gate !== null) {
      service.held.open();
      await service.gate.passed;
    }
    if (service.operations.some((done) => done.operationId === operationId)) {
      service.operations.push({ kind, operationId, to: null });
      return 'had happened already';
    }
    if (kind === 'deploy') service.versions.push(version);
    if (kind === 'deploy' && service.nextIsDegraded) service.degraded.add(version);
    if (kind === 'deploy') service.nextIsDegraded = false;
    else service.versions.pop();
    service.operations.push({ kind, operationId, to: running(service) });
    return `runs ${running(service)}`;
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, repo = '', what = ''] = /^\/(.+)\/([a-z]+)$/.exec(request.url ?? '') ?? [];
    const service = serviceOf(repo);
    const bad = service.degraded.has(running(service));
    switch (what) {
      case 'health':
        return answer(response, bad ? 503 : 200, running(service));
      case 'page':
        service.probes += 1;
        service.probed.open();
        return answer(response, bad ? 500 : 200, running(service));
      case 'switch':
        return answer(response, 200, await operate(service, JSON.parse(await textOf(request))));
      default:
        return answer(response, 404, 'no such page');
    }
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => answer(response, 500, String(error)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('production has no port');

  return {
    url: (repo) => `http://127.0.0.1:${address.port}/${repo}`,
    version: (repo) => running(serviceOf(repo)),
    operations: (repo) => serviceOf(repo).operations,
    probes: (repo) => serviceOf(repo).probes,
    whenProbed: (repo) => serviceOf(repo).probed.passed,
    degrade(repo) {
      const service = serviceOf(repo);
      service.degraded.add(running(service));
    },
    degradeNext(repo) {
      serviceOf(repo).nextIsDegraded = true;
    },
    hold(repo) {
      const service = serviceOf(repo);
      service.gate = closedGate();
      service.held = closedGate();
    },
    whenHeld: (repo) => serviceOf(repo).held.passed,
    release(repo) {
      const service = serviceOf(repo);
      service.gate?.open();
      service.gate = null;
    },
    async close() {
      server.closeAllConnections(); // a command that still waits for its answer ends with this
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' });
  response.end(text);
}

export async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
