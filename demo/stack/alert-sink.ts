import { once } from 'node:events';
import { createServer } from 'node:http';
import { z } from 'zod';

/** Where the worker posts its alerts to: in earnest, whatever calls the engineer on duty. */
export interface AlertSink {
  readonly url: string;
  /** What came, oldest first; an alert that was sent again counts once, by its key. */
  alerts(): readonly ReceivedAlert[];
  close(): Promise<void>;
}

const Received = z.object({ key: z.string(), title: z.string() });
export type ReceivedAlert = z.infer<typeof Received>;

export async function startAlertSink(): Promise<AlertSink> {
  const received = new Map<string, ReceivedAlert>();
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => {
      const alert = Received.parse(JSON.parse(text));
      received.set(alert.key, alert);
      response.writeHead(204).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the alert sink has no port');
  return {
    url: `http://127.0.0.1:${address.port}/alerts`,
    alerts: () => [...received.values()],
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
