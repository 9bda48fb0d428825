import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild, workflowInfo } from '@temporalio/workflow';
import { inline } from './markdown.ts';
import { D2dRepo, D2dWorkItem, WORKFLOW_TASK_TIMEOUT, WRAP_UP_WORKFLOW, wrapUpWorkflowId } from './messages.ts';
import { since } from './patches.ts';
import type { WrapUpInput, wrapUp } from './wrap-up.ts';

/** Runs of earlier versions waited for all that they owed. */
export const handsOver = (): boolean => since('wrap-up');

/**
 * Starts a workflow that does what a run has left undone. The run does not wait for it. Without such work there is no workflow.
 * @param nth counts the wrap-ups of a run, from 1
 * @returns whether there is one
 */
export async function handOver(owed: WrapUpInput, nth = 1): Promise<boolean> {
  const { repo, workItem, status, alerts, comments, report } = owed;
  // Not `runId`: a run made by a reset replays this command, and must name the same child.
  const { originalExecutionRunId } = workflowInfo();
  if (status === null && report === null && alerts.length + comments.length === 0) return false;
  try {
    await startChild<typeof wrapUp>(WRAP_UP_WORKFLOW, {
      workflowId: wrapUpWorkflowId(repo, workItem, originalExecutionRunId, nth),
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
      args: [owed],
      typedSearchAttributes: [
        { key: D2dRepo, value: repo },
        { key: D2dWorkItem, value: workItem },
      ],
      staticSummary: inline(`${workItem}: what is left to do after ${workflowInfo().workflowType}`),
    });
    return true;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    // The id belongs to a wrap-up from before a reset.
    return handOver(owed, nth + 1);
  }
}
