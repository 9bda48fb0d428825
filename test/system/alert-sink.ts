import { once } from 'node:events';
import { createServer } from 'node:http';
import { z } from 'zod';
import { textOf } from './production.ts';

const Received = z.looseObject({ key: z.string(), workItem: z.string(), title: z.string(), text: z.string() });

export type ReceivedAlert = z.infer<typeof Received>;

/** Takes the alerts of a worker (ORCH_ALERT_WEBHOOK_URL). */
export async function startAlertSink() {
  const received: ReceivedAlert[] = [];
  const server = createServer((request, response) => {
    textOf(request).then(
      (text) => {
        received.push(Received.parse(JSON.parse(text)));
        response.end();
      },
      (error: Error) => response.destroy(error),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the alert sink has no port');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    about: (workItem: string): readonly ReceivedAlert[] => received.filter((alert) => alert.workItem === workItem),
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
