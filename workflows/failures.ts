import { ActivityFailure, ChildWorkflowFailure } from '@temporalio/workflow';

/** What went wrong, in the words of whatever threw it. */
export function messageOf(error: unknown): string {
  const wrapped = error instanceof ActivityFailure || error instanceof ChildWorkflowFailure;
  if (wrapped && error.cause !== undefined) return messageOf(error.cause);
  return error instanceof Error ? error.message : String(error);
}
