import {
  NamespaceNotFoundError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { GRPC, grpcCode, grpcMessage } from '../adapters/temporal/grpc-errors.ts';
import { D2dError } from './errors.ts';

const CANCELLED = 1;
const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;
const FAILED_PRECONDITION = 9;
const UNAVAILABLE = 14;

/** How to get to a Temporal that answers. */
export const CONNECTION_HINT =
  'check TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and the network (or --address, --namespace, --profile); d2d doctor says more';

/** An error of Temporal's client as one that people can act on; what is told already stays as it is. Never throws. */
export function temporalError(error: unknown): D2dError {
  if (error instanceof D2dError) return error;
  if (error instanceof NamespaceNotFoundError) {
    return new D2dError(
      'unreachable',
      `the Temporal namespace ${error.namespace} does not exist`,
      CONNECTION_HINT,
      error,
    );
  }
  if (error instanceof WorkflowUpdateFailedError) {
    return new D2dError('refused', error.cause?.message ?? error.message, null, error);
  }
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
    return new D2dError(
      'unreachable',
      'no worker has taken it up in time; it may still take effect',
      'look with d2d status, and check that a worker runs (d2d doctor)',
      error,
    );
  }
  const said = grpcMessage(error);
  switch (grpcCode(error)) {
    case UNAVAILABLE:
    case CANCELLED:
    case DEADLINE_EXCEEDED:
      return new D2dError('unreachable', `Temporal does not answer: ${said}`, CONNECTION_HINT, error);
    case GRPC.PERMISSION_DENIED:
    case GRPC.UNAUTHENTICATED:
      return new D2dError(
        'unreachable',
        `Temporal refuses access: ${said}`,
        'check TEMPORAL_API_KEY or the client certificate',
        error,
      );
    case INVALID_ARGUMENT:
      return /search attribute/i.test(said)
        ? new D2dError(
            'unexpected',
            `Temporal does not know the search attributes: ${said}`,
            'start a worker once: it registers them',
            error,
          )
        : new D2dError('unexpected', `Temporal refuses the request: ${said}`, null, error);
    default:
      return new D2dError('unexpected', said.replaceAll(/\s+/g, ' '), 'run it again with --debug for the stack', error);
  }
}

/**
 * Whether a query has no answer although Temporal has answered: no worker polls, or none was done within the time. A deadline shows as
 * CANCELLED, too, where the server is the first to give up.
 */
export const isUnanswered = (error: unknown): boolean =>
  [CANCELLED, DEADLINE_EXCEEDED, FAILED_PRECONDITION].some((code) => code === grpcCode(error));

/** Whether there is no such execution, or none that is running any more. */
export const isGone = (error: unknown): boolean =>
  error instanceof WorkflowNotFoundError || grpcCode(error) === GRPC.NOT_FOUND;

/** Whether Temporal cannot be reached just now; a later try may do. */
export const isOutage = (error: unknown): boolean =>
  error instanceof D2dError &&
  [UNAVAILABLE, CANCELLED, DEADLINE_EXCEEDED].some((code) => code === grpcCode(error.cause));
