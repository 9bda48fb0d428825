import { temporal } from '@temporalio/proto';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { inject } from 'vitest';
import { SEARCH_ATTRIBUTES } from '../../adapters/temporal/search-attributes.ts';
import { freePort, isListening } from '../../demo/servers/port.ts';
import { startServerProcess, untilReady } from '../../demo/servers/server-process.ts';
import { made } from './made.ts';
import { PATIENCE_MS } from './patience.ts';

const { INDEXED_VALUE_TYPE_KEYWORD: KEYWORD } = temporal.api.enums.v1.IndexedValueType;
const NAME = 'The time-skipping test server';

/**
 * A test environment on a time-skipping server, with our search attributes. The server is started here, because the SDK (1.24.0) waits only 5 s for one that it
 * starts: too short for a JVM on a busy machine.
 * @throws if this machine cannot have that server.
 */
export async function createTimeSkipping(): Promise<TestWorkflowEnvironment> {
  const file = made(NAME, inject('timeSkippingServer'));
  const port = await freePort(NAME, undefined);
  const server = await startServerProcess({
    name: NAME,
    file,
    args: [String(port)],
    // A JVM that lives for a minute computes a third less without its second compiler.
    env: { ...process.env, JAVA_TOOL_OPTIONS: '-XX:TieredStopAtLevel=1' },
  });
  await untilReady(NAME, server, PATIENCE_MS, () => isListening(port));
  const env: TestWorkflowEnvironment = await TestWorkflowEnvironment['create']({
    server: { type: 'existing' },
    supportsTimeSkipping: true, // the public ways to connect to an existing server do not set this, hence the private create()
    address: `127.0.0.1:${port}`,
  }).catch(async (error: unknown) => {
    await server.stop();
    throw error;
  });
  await env.connection.operatorService.addSearchAttributes({
    namespace: env.namespace ?? 'default',
    searchAttributes: Object.fromEntries(SEARCH_ATTRIBUTES.map((name) => [name, KEYWORD])),
  });
  const teardown = env.teardown.bind(env);
  env.teardown = async () => {
    await teardown();
    await server.stop();
  };
  return env;
}
