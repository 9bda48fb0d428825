/**
 * One release of the service that the demo deploys: `GET /health`, and pages that customers would see. A process of its own,
 * started by its host: `node release.js <port> <version>`. It ends with its host, however that one ends.
 */
import { createServer, type ServerResponse } from 'node:http';
import { Order, type Report } from './release-messages.ts';

const [port, version = 'unknown'] = process.argv.slice(2);
let degraded = false;
let holdNext = false;

const report = (what: Report): void => void process.send?.(what);

const server = createServer((request, response) => {
  switch (request.url?.split('?', 1)[0]) {
    case '/health':
      report('asked for health');
      if (!holdNext) return answer(response, degraded ? 503 : 200, { status: degraded ? 'degraded' : 'ok', version });
      holdNext = false;
      report('holds an answer'); // for good: whoever asked is about to die
      return;
    case '/':
    case '/cart':
      return degraded
        ? answer(response, 500, { error: 'out of database connections', version })
        : answer(response, 200, { page: request.url, version });
    default:
      return answer(response, 404, { error: 'no such page' });
  }
});

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}

function end(): void {
  server.close(() => process.exit(0));
  server.closeAllConnections();
}

process.on('message', (message) => {
  const order = Order.parse(message);
  switch (order) {
    case 'degrade':
      degraded = true;
      break;
    case 'hold the next health answer':
      holdNext = true;
      break;
  }
  report(order);
});
process.on('disconnect', end);
process.on('SIGTERM', end);
server.listen(Number(port), '127.0.0.1', () => report('serves'));
