/** The port of a simulated Plane: opened, refused for a while (a Plane that is being deployed), opened again, closed. */
import type { Server } from 'node:http';

export interface Listener {
  /** Listens; gives the URL. */
  open(port: number): Promise<string>;
  /** Ends all connections and refuses new ones, for `ms` or until `accept`. */
  refuse(ms?: number): Promise<void>;
  accept(): Promise<void>;
  close(): Promise<void>;
}

export function createListener(server: Server, host: string): Listener {
  let port = 0;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  const listen = (on: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(on, host, () => {
        server.off('error', reject);
        resolve();
      });
    });
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      if (!server.listening) return resolve();
      server.close(() => resolve());
      server.closeAllConnections();
    });

  async function accept(): Promise<void> {
    clearTimeout(timer);
    if (!closed && !server.listening) await listen(port);
  }

  return {
    async open(wanted) {
      await listen(wanted);
      const address = server.address();
      port = typeof address === 'object' && address !== null ? address.port : wanted;
      return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
    },
    async refuse(ms) {
      await stop();
      if (ms === undefined) return;
      clearTimeout(timer);
      timer = setTimeout(() => {
        accept().catch((error: unknown) => console.error('simulated Plane: cannot listen again:', error));
      }, ms);
    },
    accept,
    async close() {
      closed = true;
      clearTimeout(timer);
      await stop();
    },
  };
}
