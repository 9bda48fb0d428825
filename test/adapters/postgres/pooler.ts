import { connect, createServer, type Socket } from 'node:net';

const SSL_REQUEST = 80_877_103;

/** What PgBouncer 1.18 answers (measured), as the protocol has it: severity, code, message. */
function refusal(parameter: string): Buffer {
  const fields = ['SFATAL', 'C08P01', `Munsupported startup parameter: ${parameter}`];
  const body = Buffer.from(`${fields.join('\0')}\0\0`);
  const head = Buffer.from('E....');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/**
 * Stands for a connection pooler before the database of a URL: it refuses the start-up parameter `statement_timeout`, and keeps its
 * connections to the server open when its clients leave, with all that their sessions hold.
 */
export async function startPooler(url: string): Promise<{ readonly url: string; close(): void }> {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    sockets.add(client.on('error', () => {}));
    let upstream: Socket | null = null;
    client.on('data', (chunk: Buffer) => {
      if (upstream !== null) {
        if (chunk.at(0) !== 0x58) upstream.write(chunk); // X: the client leaves, the session stays
        return;
      }
      if (chunk.readInt32BE(4) === SSL_REQUEST) return void client.write('N');
      if (chunk.includes('statement_timeout')) return void client.end(refusal('statement_timeout'));
      const server = connect(Number(port), hostname).on('error', () => {});
      upstream = server;
      sockets.add(server);
      server.write(chunk);
      server.pipe(client);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const through = new URL(url);
  through.port = String(typeof address === 'object' ? address?.port : 0);
  through.hostname = '127.0.0.1';
  return {
    url: through.href,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
