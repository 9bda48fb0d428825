import { once } from 'node:events';
import { createServer } from 'node:http';
import { z } from 'zod';

/** Where the worker posts its alerts to: in earnest, whatever calls the engineer on duty. */
export interface AlertSink {
  readonly url: string;
  /** What came, oldest first. */
  alerts(): readonly ReceivedAlert[];
  close(): Promise<void>;
}

const Received = z.looseObject({ title: z.string().optional(), severity: z.string().optional() });
export type ReceivedAlert = z.infer<typeof Received>;

export async function startAlertSink(): Promise<AlertSink> {
  const received: ReceivedAlert[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => {
      received.push(Received.parse(JSON.parse(text)));
      response.writeHead(204).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the alert sink has no port');
  return {
    url: `http://127.0.0.1:${address.port}/alerts`,
    alerts: () => [...received],
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
