import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Where a conversation stops: with what the client has just said, or with the server's answer to it. */
export type Side = 'request' | 'answer';

export interface Stop {
  readonly side: Side;
  readonly name: string;
}

export interface Relay {
  /** `host:port`, in place of the server's own. */
  readonly address: string;
  /** What has stopped so far, by its name; a conversation that is tried again stops again. */
  stopped(): ReadonlySet<string>;
  close(): Promise<void>;
}

/**
 * Passes on what a client and a server say to each other over TCP, until it is told to stop: nothing gets through in that
 * direction from then on, and the connection stands.
 * @param server `host:port`.
 * @param stops looks at all that a client has said on its connection so far; `null`: it goes on.
 */
export async function startRelay(server: string, stops: (said: string) => Stop | null): Promise<Relay> {
  const { hostname: host, port } = new URL(`tcp://${server}`);
  const open = new Set<Socket>();
  const stopped = new Set<string>();

  const relay = createServer((client) => {
    const upstream = connect(Number(port), host);
    let said = '';
    let at: Side | null = null;
    client.on('data', (chunk) => {
      said += chunk.toString('latin1');
      if (at === null) {
        const stop = stops(said);
        if (stop !== null) stopped.add(stop.name);
        at = stop?.side ?? null;
      }
      if (at !== 'request') upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (at !== 'answer') client.write(chunk);
    });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(socket);
      socket.on('error', () => {}); // its end follows
      socket.on('close', () => {
        open.delete(socket);
        other.destroy();
      });
    }
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  return {
    address: `127.0.0.1:${(relay.address() as AddressInfo).port}`,
    stopped: () => stopped,
    async close() {
      relay.close();
      for (const socket of open) socket.destroy();
    },
  };
}
