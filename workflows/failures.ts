import { ActivityFailure } from '@temporalio/workflow';

/** What went wrong, in the words of whatever threw it. */
export function messageOf(error: unknown): string {
  const cause = error instanceof ActivityFailure && error.cause !== undefined ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
