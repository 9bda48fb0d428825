import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, patched, startChild, workflowInfo } from '@temporalio/workflow';
import { inline } from './markdown.ts';
import { D2dRepo, D2dWorkItem, WORKFLOW_TASK_TIMEOUT, WRAP_UP_WORKFLOW, wrapUpWorkflowId } from './messages.ts';
import type { WrapUpInput, wrapUp } from './wrap-up.ts';

/** Runs of earlier versions waited for all that they owed. */
export const handsOver = (): boolean => patched('wrap-up');

/**
 * Hands what a run still owes to a workflow of its own, which the run does not wait for; where it owes nothing there is none.
 * @param nth how often the run has handed something over, this time included
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
    // Of the run before a reset, which owes something of its own.
    await handOver(owed, nth + 1);
  }
}
