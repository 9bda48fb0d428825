import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowIdConflictPolicy,
} from '@temporalio/client';
import { ActivityFailure, ApplicationFailure, rootCause } from '@temporalio/common';
import { inline } from '../workflows/markdown.ts';
import {
  type Command,
  D2dRepo,
  D2dWorkItem,
  REOPEN_WORKFLOW,
  type Reopened,
  type ReopenInput,
  reopenWorkflowId,
} from '../workflows/messages.ts';
import { D2dError, refused } from './errors.ts';
import { asking } from './executions.ts';
import type { DeployHandle } from './start.ts';
import { isUntouched, noticeUntouched } from './taken-up.ts';

const isRefusal = (failure: unknown): boolean =>
  (failure instanceof ApplicationFailure && failure.type === 'Refused') ||
  (failure instanceof ActivityFailure && isRefusal(failure.cause));

/** Longer than the workflow takes where a worker runs, ms. */
const ANSWER_MS = 150_000;

export interface ReopenOptions {
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
  readonly onWaiting?: ((why: string) => void) | undefined;
}

export interface TaskReopened extends Reopened {
  readonly execution: DeployHandle;
}

/**
 * Sets a done task back to `deploy`. Whoever gives up before a worker has begun it withdraws it.
 * @throws D2dError: `refused` with the reason, `unreachable` where no worker answers.
 */
export async function reopen(
  temporal: Client,
  taskQueue: string,
  place: { readonly repo: string; readonly workItem: string },
  { by, reason }: Command,
  { signal, onWaiting = () => {} }: ReopenOptions = {},
): Promise<TaskReopened> {
  const { repo, workItem } = place;
  const workflowId = reopenWorkflowId(taskQueue, repo, workItem);
  const handle = await asking(temporal, async () => {
    try {
      return await temporal.workflow.start<(input: ReopenInput) => Promise<Reopened>>(REOPEN_WORKFLOW, {
        workflowId,
        taskQueue,
        args: [{ ...place, by, reason }],
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
        staticSummary: inline(`${workItem}: reopen its task`),
        typedSearchAttributes: [
          { key: D2dRepo, value: repo },
          { key: D2dWorkItem, value: workItem },
        ],
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      throw refused(`${workItem}: its task is being reopened already, by ${workflowId}`);
    }
  });
  const stopAsking = noticeUntouched(handle, taskQueue, (why) => onWaiting(`${workItem}: ${why}`));
  const withdraw = (): void =>
    void isUntouched(handle)
      .then((untouched) => (untouched ? handle.terminate('given up before a worker had begun it') : null))
      .catch(() => {});
  signal?.addEventListener('abort', withdraw, { once: true });
  try {
    const reopened = await temporal.withDeadline(Date.now() + ANSWER_MS, () => handle.result());
    return { ...reopened, execution: { ...place, workflowId, runId: handle.firstExecutionRunId } };
  } catch (error) {
    const why = error instanceof WorkflowFailedError ? (rootCause(error.cause) ?? error.message) : null;
    if (error instanceof WorkflowFailedError && isRefusal(error.cause)) throw refused(`${workItem}: ${why}`);
    throw new D2dError(
      'unreachable',
      `${workItem}: ${why ?? 'no worker answered in time'}; the task may still be reopened`,
      `check that a worker runs (d2d doctor), then look: d2d status ${workItem}`,
      error,
    );
  } finally {
    stopAsking();
    signal?.removeEventListener('abort', withdraw);
  }
}
