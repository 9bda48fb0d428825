import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
} from '@temporalio/client';
import { repositoryFault } from '../decisions/repository-name.ts';
import { versionFault } from '../decisions/version.ts';
import { workItemFault } from '../decisions/work-item-name.ts';
import { inline } from '../workflows/markdown.ts';
import {
  D2dPhase,
  D2dRepo,
  D2dWorkItem,
  DEPLOY_WORKFLOW,
  type DeployInput,
  type DeployResult,
  deployWorkflowId,
  versionAttribute,
  WORKFLOW_TASK_TIMEOUT,
} from '../workflows/messages.ts';
import { AlreadyRunning, refused } from './errors.ts';
import { asking, describe, onlyWrites } from './executions.ts';

/** A run that has been started. */
export interface DeployHandle {
  readonly repo: string;
  readonly workItem: string;
  readonly workflowId: string;
  readonly runId: string;
}

/** `ORCH-61: deploy shop v2 to done`: the one line by which the run is known in the Temporal UI, which reads it as Markdown. */
export const runSummary = ({ repo, workItem, version }: DeployInput): string =>
  inline(`${workItem}: deploy ${repo}${version === undefined ? '' : ` ${version}`} to done`.slice(0, 200));

/**
 * Starts `deployToDone`: at most one at a time for a work item, as often as one likes one after the other.
 * @throws AlreadyRunning, or D2dError: `refused` where a name is none, and what Temporal says.
 */
export async function startDeploy(temporal: Client, taskQueue: string, input: DeployInput): Promise<DeployHandle> {
  const { repo, workItem, version } = input;
  const fault =
    repositoryFault(repo) ?? workItemFault(workItem) ?? (version === undefined ? null : versionFault(version));
  if (fault !== null) throw refused(fault);
  const workflowId = deployWorkflowId(repo, workItem);
  return asking(temporal, async () => {
    try {
      const handle = await temporal.workflow.start<(given: DeployInput) => Promise<DeployResult>>(DEPLOY_WORKFLOW, {
        workflowId,
        taskQueue,
        args: [input],
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
        staticSummary: runSummary(input),
        typedSearchAttributes: [
          { key: D2dRepo, value: repo },
          { key: D2dWorkItem, value: workItem },
          { key: D2dPhase, value: 'awaiting_approval' },
          ...versionAttribute(input.version),
        ],
      });
      return { repo, workItem, workflowId, runId: handle.firstExecutionRunId };
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      const there = await describe(temporal, workflowId);
      const running = there?.running === true ? there : null;
      const isOver = running !== null && (await onlyWrites(temporal, running));
      const elsewhere = running === null || running.taskQueue === taskQueue ? null : running.taskQueue;
      throw new AlreadyRunning(workItem, workflowId, { runId: running?.runId ?? null, isOver, elsewhere }, error);
    }
  });
}
