import type { Connection } from '@temporalio/client';
import { GRPC, grpcCode, grpcMessage } from './grpc-errors.ts';

/** What is wrong with the namespace, in one sentence with what to do; null: nothing. Never throws. */
export async function namespaceFault(
  connection: Pick<Connection, 'workflowService'>,
  namespace: string,
): Promise<string | null> {
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return null;
  } catch (error) {
    switch (grpcCode(error)) {
      case GRPC.NOT_FOUND:
        return (
          `The Temporal namespace ${namespace} does not exist: correct TEMPORAL_NAMESPACE, ` +
          `or create it (temporal operator namespace create --namespace ${namespace}).`
        );
      case GRPC.PERMISSION_DENIED:
      case GRPC.UNAUTHENTICATED:
        return `Temporal refuses access to the namespace ${namespace} (${grpcMessage(error)}): check TEMPORAL_API_KEY or the client certificate.`;
      default:
        return `Temporal does not answer for the namespace ${namespace} (${grpcMessage(error)}): check TEMPORAL_ADDRESS and the network.`;
    }
  }
}
