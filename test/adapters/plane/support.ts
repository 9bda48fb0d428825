/** A simulated Plane with a client on it; both are closed when the test ends. */
import { createServer, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { PlaneError } from '../../../adapters/plane/errors.ts';
import { createPlaneClient, type PlaneClient, type PlaneTimeouts } from '../../../adapters/plane/plane-client.ts';
import { type SimulatedPlane, startSimulatedPlane } from '../../../demo/simulated-plane/simulated-plane.ts';
import { PATIENT_TIMEOUTS } from '../../setup/patience.ts';

export interface Both {
  readonly plane: SimulatedPlane;
  readonly client: PlaneClient;
  /** Requests as `METHOD last/part/of/path`, in their order. */
  asked(): string[];
}

export async function simulated(limits: Partial<PlaneTimeouts> = {}): Promise<Both> {
  const plane = await startSimulatedPlane({ jobDelayMs: 0 });
  const timeouts = { ...PATIENT_TIMEOUTS, ...limits };
  const client = createPlaneClient({ url: plane.url, apiKey: plane.apiKey, workspace: plane.workspace, timeouts });
  onTestFinished(async () => {
    plane.control.release();
    await plane.close();
    await client.close();
  });
  const asked = (): string[] =>
    plane.control.requests().map(({ method, path }) => `${method} ${path.split('?')[0]?.split('/').at(-2) ?? ''}`);
  return { plane, client, asked };
}

export const STUB_KEY = 'plane_api_secret_of_the_stub';

/** A client on a server that answers every request as it is told. */
export async function stub(answer: (response: ServerResponse) => void): Promise<{ client: PlaneClient; url: string }> {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => answer(response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  const client = createPlaneClient({ url, apiKey: STUB_KEY, workspace: 'acme' });
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await client.close();
  });
  return { client, url };
}

/** The error of a call that must fail. */
export async function failure(call: Promise<unknown>): Promise<PlaneError> {
  const error = await call.then(
    () => new Error('the call did not fail'),
    (reason: unknown) => reason,
  );
  if (error instanceof PlaneError) return error;
  throw error;
}
