import { ActivityFailure, ChildWorkflowFailure } from '@temporalio/workflow';

/** What went wrong, in the words of whatever threw it. */
export function messageOf(error: unknown): string {
  const wrapped = error instanceof ActivityFailure || error instanceof ChildWorkflowFailure;
  const cause = wrapped && error.cause !== undefined ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
