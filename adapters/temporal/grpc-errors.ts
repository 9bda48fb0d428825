import { isGrpcServiceError } from '@temporalio/client';

/** The codes that are told apart here (https://grpc.io/docs/guides/status-codes). */
export const GRPC = {
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  UNIMPLEMENTED: 12,
  UNAUTHENTICATED: 16,
} as const;

/** The gRPC status of an error of the client, or of what it wraps; null where there is none. Never throws. */
export function grpcCode(error: unknown): number | null {
  if (isGrpcServiceError(error)) return error.code;
  return error instanceof Error && error.cause !== undefined ? grpcCode(error.cause) : null;
}

const REFUSALS: readonly (number | null)[] = [
  GRPC.INVALID_ARGUMENT,
  GRPC.PERMISSION_DENIED,
  GRPC.UNIMPLEMENTED,
  GRPC.UNAUTHENTICATED,
];

/** Whether Temporal refuses a request for good, as the right to it or an attribute of a query is missing. Never throws. */
export const isRefusal = (error: unknown): boolean => REFUSALS.includes(grpcCode(error));

/** In one line, with what the client wraps: its own message says little. Never throws. */
export function grpcMessage(error: unknown): string {
  if (isGrpcServiceError(error) && error.details !== '') return error.details;
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${grpcMessage(error.cause)}`;
}
