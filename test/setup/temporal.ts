import { randomBytes } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { inject } from 'vitest';
import { made } from './made.ts';
import { PATIENCE_MS } from './patience.ts';

// The only one of a process, before the first connection. Workers that come and go, and replays that are refused, are no news here.
Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } },
});

/** A client without deadlines of its own: none decides a test. */
export class PatientClient extends Client {
  override withDeadline<R>(_deadline: number | Date, run: () => Promise<R>): Promise<R> {
    return run();
  }
}

export interface TemporalAccess {
  readonly address: string;
  readonly namespace: string;
  readonly client: Client;
  readonly connection: Connection;
  /** For a `Worker` in the test's own process. */
  readonly nativeConnection: NativeConnection;
  /** A task queue that no other test uses. */
  readonly taskQueue: string;
  close(): Promise<void>;
}

/** A client of the run's Temporal dev server. Workflow ids have to be unique too: the server is everybody's. */
export async function connectTemporal(): Promise<TemporalAccess> {
  const address = inject('temporalAddress');
  const namespace = 'default';
  const [connection, nativeConnection] = await Promise.all([
    Connection.connect({ address, connectTimeout: PATIENCE_MS }),
    NativeConnection.connect({ address }),
  ]);
  return {
    address,
    namespace,
    connection,
    nativeConnection,
    client: new PatientClient({ connection, namespace }),
    taskQueue: unique('queue'),
    // The client's is left open: what is under way on a closed one is tried again, out of a timer, and throws there (SDK 1.24.0).
    close: () => nativeConnection.close(),
  };
}

/** `name-1f2e3d4c`: a repository, work item or task queue of this test alone. */
export const unique = (name: string): string => `${name}-${randomBytes(4).toString('hex')}`;

/** `Worker.create({ workflowBundle: workflowBundle(), … })`. @throws where the workflows could not be bundled. */
export const workflowBundle = (): { codePath: string } => ({
  codePath: made('The workflow bundle', inject('workflowBundle')),
});
