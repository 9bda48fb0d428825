import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

const SERVER = `require('node:http').createServer((_, response) => response.end('ok'))
  .listen({ host: '127.0.0.1', port: 0, backlog: 1 }, function () { console.log(this.address().port); })`;

/**
 * A server whose process is stopped and whose queue of connections is full, so that the kernel completes no handshake.
 * @returns its port on 127.0.0.1, and what lets it go on: the handshakes then succeed when the kernel repeats them, after 1 s.
 */
export async function stuckServer(): Promise<{ readonly port: number; goOn(): void }> {
  const child = spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'pipe', 'inherit'] });
  const sockets: Socket[] = [];
  onTestFinished(() => {
    child.kill('SIGKILL');
    for (const socket of sockets) socket.destroy();
  });
  const [line] = await once(child.stdout, 'data');
  const port = Number(line);
  child.kill('SIGSTOP');
  for (let waiting = 0; waiting < 2; ) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    sockets.push(socket);
    const connected = await Promise.race([once(socket, 'connect').then(() => true), delay(200, false)]);
    if (!connected) waiting += 1;
  }
  return { port, goOn: () => void child.kill('SIGCONT') };
}
