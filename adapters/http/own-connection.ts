import { Agent } from 'undici';
import { type ConnectorOptions, createConnector } from './connector.ts';

/** Most bytes of an answer's headers that are read: four times Node's default, as some send long policies. */
export const MAX_HEADER_BYTES = 64 * 1024;

/**
 * Runs with connections of its own, none of which is kept or shared: they are closed after it, and at once where the signal
 * aborts. A request's own signal would not do for that: undici heeds it only once a connection stands.
 * @throws what `run` throws; where the signal aborted, that is some error of a destroyed client.
 */
export async function withOwnConnection<T>(
  {
    connect,
    ...options
  }: Pick<Agent.Options, 'headersTimeout' | 'bodyTimeout'> & { readonly connect?: ConnectorOptions },
  signal: AbortSignal,
  run: (agent: Agent) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const agent = new Agent({
    ...options,
    pipelining: 0,
    maxHeaderSize: MAX_HEADER_BYTES,
    connect: createConnector({ ...connect, signal }),
  });
  const stop = (): void => void agent.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await run(agent);
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}
