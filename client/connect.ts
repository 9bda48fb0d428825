import { Client, Connection } from '@temporalio/client';
import { messageOf } from '../adapters/error-message.ts';
import { grpcMessage } from '../adapters/temporal/grpc-errors.ts';
import { namespaceFault } from '../adapters/temporal/namespace-fault.ts';
import { type Environment, type TemporalOverrides, temporalOptions } from '../adapters/temporal/temporal-options.ts';
import { D2dError } from './errors.ts';
import { CONNECTION_HINT } from './temporal-errors.ts';

/** A person waits: what does not answer by then is taken for unreachable. */
const CONNECT_MS = 4_000;

/** Where Temporal is. @throws D2dError (`bad_settings`) */
export function whereTemporalIs(env: Environment, overrides: TemporalOverrides) {
  try {
    return temporalOptions(env, overrides);
  } catch (error) {
    throw new D2dError('bad_settings', messageOf(error), null, error);
  }
}

/**
 * Connects to Temporal, within four seconds.
 * @throws D2dError: `unreachable` where it does not answer, or not to us; `bad_settings` where its settings are none.
 */
export async function connectTemporal(
  env: Environment,
  overrides: TemporalOverrides,
): Promise<{ readonly temporal: Client; readonly warnings: readonly string[] }> {
  const { connectionOptions, namespace, address, warnings } = whereTemporalIs(env, overrides);
  const connection = await Connection.connect({ ...connectionOptions, connectTimeout: CONNECT_MS }).catch((error) => {
    throw new D2dError(
      'unreachable',
      `Temporal at ${address} does not answer: ${grpcMessage(error)}`,
      CONNECTION_HINT,
      error,
    );
  });
  const fault = await connection.withDeadline(Date.now() + CONNECT_MS, () => namespaceFault(connection, namespace));
  if (fault !== null) throw new D2dError('unreachable', fault.replace(/\.$/, ''));
  return { temporal: new Client({ connection, namespace }), warnings };
}
