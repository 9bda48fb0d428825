import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, patched, startChild, workflowInfo } from '@temporalio/workflow';
import { inline } from './markdown.ts';
import { D2dRepo, D2dWorkItem, WORKFLOW_TASK_TIMEOUT, WRAP_UP_WORKFLOW, wrapUpWorkflowId } from './messages.ts';
import type { WrapUpInput, wrapUp } from './wrap-up.ts';

/** Runs of earlier versions waited for all that they owed. */
export const handsOver = (): boolean => patched('wrap-up');

/**
 * Starts a workflow that does what a run has left undone. The run does not wait for it. Without such work there is no workflow.
 * @param nth counts the hand-overs of a run, from 1
 */
export async function handOver(owed: WrapUpInput, nth = 1): Promise<void> {
  const { repo, workItem, status, alerts, comments, report } = owed;
  // The run id but for a run that a reset has made: it replays this, and must name the same child.
  const { originalExecutionRunId } = workflowInfo();
  if (status === null && report === null && alerts.length + comments.length === 0) return;
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
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    // The wrap-up of the run before a reset: it has other work.
    await handOver(owed, nth + 1);
  }
}
