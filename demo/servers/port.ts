import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import getPort, { portNumbers } from 'get-port';

/** Below the ports that systems give to outgoing connections: one of these may be taken before the server listens. */
const [LOWEST, HIGHEST] = [10_000, 32_000];

/**
 * A port of the loopback interface: the wanted one if it is free, or any.
 * @throws where the wanted one is busy: whoever listens there would be taken for the server that we start.
 */
export async function freePort(what: string, wanted: number | undefined): Promise<number> {
  if (wanted === undefined) {
    const from = randomInt(LOWEST, HIGHEST);
    return getPort({ host: '127.0.0.1', port: portNumbers(from, HIGHEST) });
  }
  const probe = createServer();
  try {
    probe.listen(wanted, '127.0.0.1');
    await once(probe, 'listening');
    return wanted;
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new Error(`${what} cannot listen on port ${wanted} (${why}): choose another, or end what listens there`, {
      cause,
    });
  } finally {
    if (probe.listening) await new Promise((resolve) => probe.close(resolve));
  }
}

/** Whether anybody listens on a port of the loopback interface. Never throws. */
export async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
