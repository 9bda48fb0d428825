import { Connection } from '@temporalio/client';
import { freePort } from './port.ts';
import { startServerProcess, untilReady } from './server-process.ts';

export interface TemporalServerOptions {
  /** Path of the `temporal` command line, see `provideTemporalCli`. */
  readonly cli: string;
  /** With the Temporal UI (the demo) or without (tests). */
  readonly ui: 'on' | 'off';
  /** Default: a free port. */
  readonly port?: number;
  readonly uiPort?: number;
  /** Keeps the executions in this file, so that the server can be started again on them. Default: in memory. */
  readonly dbFilename?: string;
  /** Keyword attributes that are registered at start. */
  readonly keywords?: readonly string[];
  /** Created beside `default`. */
  readonly namespaces?: readonly string[];
}

export interface TemporalServer {
  /** `127.0.0.1:port`, for TEMPORAL_ADDRESS. */
  readonly address: string;
  /** Null without UI. */
  readonly uiUrl: string | null;
  readonly pid: number;
  /** Asks it to end; resolves when it is gone. */
  stop(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  /** The last lines of its log. */
  log(): string;
}

/** Up within a second as a rule; a busy machine may take longer. A server that ends while it starts is reported at once. */
const READY_MS = 120_000;

/**
 * A Temporal dev server that ends with this process.
 * @throws where it cannot be started: the port is busy, the executable is none. The message holds its last lines.
 */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const port = await freePort('The Temporal dev server', options.port);
  const uiPort = options.ui === 'on' ? await freePort('The Temporal UI', options.uiPort) : null;
  const server = await startServerProcess({
    name: 'The Temporal dev server',
    file: options.cli,
    args: [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--log-level', 'warn'],
      ...(uiPort === null ? ['--headless'] : ['--ui-port', String(uiPort)]),
      ...(options.dbFilename === undefined ? [] : ['--db-filename', options.dbFilename]),
      ...(options.keywords ?? []).flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
      ...(options.namespaces ?? []).flatMap((name) => ['--namespace', name]),
    ],
  });
  const address = `127.0.0.1:${port}`;
  await untilReady('The Temporal dev server', server, READY_MS, () => serves(address, options.namespaces ?? []));
  return {
    address,
    uiUrl: uiPort === null ? null : `http://127.0.0.1:${uiPort}`,
    pid: server.pid,
    stop: server.stop,
    kill: server.kill,
    log: server.output,
  };
}

/** The server answers before its namespaces exist. */
async function serves(address: string, namespaces: readonly string[]): Promise<boolean> {
  let connection: Connection | undefined;
  try {
    connection = await Connection.connect({ address, connectTimeout: 1_000 });
    for (const namespace of ['default', ...namespaces])
      await connection.workflowService.describeNamespace({ namespace });
    return true;
  } catch {
    return false; // not yet: the caller asks again, within its limit
  } finally {
    await connection?.close();
  }
}
