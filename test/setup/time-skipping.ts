import { once } from 'node:events';
import { connect } from 'node:net';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { inject } from 'vitest';
import { freePort } from '../../demo/servers/port.ts';
import { startServerProcess, untilReady } from '../../demo/servers/server-process.ts';
import { made } from './made.ts';
import { PATIENCE_MS } from './patience.ts';

const NAME = 'The time-skipping test server';

/**
 * An environment whose server skips time. The SDK waits 5 s for a server that it starts itself, which is too short for a JVM on a busy
 * machine (SDK 1.24.0): this one is started here.
 * @throws where this machine cannot have that server.
 */
export async function createTimeSkipping(): Promise<TestWorkflowEnvironment> {
  const file = made(NAME, inject('timeSkippingServer'));
  const port = await freePort(NAME, undefined);
  const server = await startServerProcess({ name: NAME, file, args: [String(port)] });
  await untilReady(NAME, server, PATIENCE_MS, () => listens(port));
  const env: TestWorkflowEnvironment = await TestWorkflowEnvironment['create']({
    server: { type: 'existing' },
    supportsTimeSkipping: true, // what the public ways to an existing server leave out
    address: `127.0.0.1:${port}`,
  });
  const teardown = env.teardown.bind(env);
  env.teardown = async () => {
    await teardown();
    await server.stop();
  };
  return env;
}

async function listens(port: number): Promise<boolean> {
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
