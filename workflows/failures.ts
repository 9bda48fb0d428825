import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure } from '@temporalio/workflow';

/** What went wrong, in the words of whatever threw it. */
export function messageOf(error: unknown): string {
  const wrapped = error instanceof ActivityFailure || error instanceof ChildWorkflowFailure;
  if (wrapped && error.cause !== undefined) return messageOf(error.cause);
  return error instanceof Error ? error.message : String(error);
}

/** Whether an activity has failed with one of the types of activities/failures.ts. */
export const isFailure = (error: unknown, type: string): boolean =>
  error instanceof ActivityFailure && error.cause instanceof ApplicationFailure && error.cause.type === type;
