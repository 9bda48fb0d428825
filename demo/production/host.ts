/**
 * Production: a process of its own that runs one release of the service as its child, and replaces it when it is told to.
 *
 *   node host.js <port of the service> <port of the control> <first version>
 *
 * The control takes JSON by POST at `/<command>` (see control.ts), and `GET /state`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { z } from 'zod';
import { type Service, startService } from './service.ts';

const [port, controlPort, firstVersion = 'v1'] = process.argv.slice(2);
const service = await startService(Number(port), firstVersion);

const Deploy = z.object({ version: z.string().min(1), operationId: z.string().min(1) });
const Rollback = z.object({ operationId: z.string().min(1) });

const commands: Readonly<Record<string, (body: unknown, service: Service) => Promise<void> | void>> = {
  deploy(body) {
    const { version, operationId } = Deploy.parse(body);
    return service.deploy(version, operationId);
  },
  rollback: (body) => service.rollback(Rollback.parse(body).operationId),
  degrade: () => service.degrade(),
  'hold-next-health': () => service.holdNextHealth(),
  'hold-rollbacks': () => service.holdRollbacks(),
  'release-rollbacks': () => service.releaseRollbacks(),
};

const control = createServer((request, response) => {
  serve(request).then(
    () => send(response, 200, service.state()),
    (error: unknown) => send(response, 500, { error: error instanceof Error ? error.message : String(error) }),
  );
});

async function serve(request: IncomingMessage): Promise<void> {
  const name = (request.url ?? '/').slice(1);
  if (request.method === 'GET' && name === 'state') return;
  const command = request.method === 'POST' && Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw new Error(`${request.method} /${name} is no command of this host`);
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const text = Buffer.concat(chunks).toString('utf8');
  await command(text === '' ? undefined : JSON.parse(text), service);
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

process.once('SIGTERM', () => {
  control.close();
  control.closeAllConnections();
  service.stop().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
control.listen(Number(controlPort), '127.0.0.1', () => console.log(`production runs ${firstVersion}`));
