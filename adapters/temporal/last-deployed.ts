import type { Client } from '@temporalio/client';
import { D2D_OUTCOME, D2D_VERSION, latestClosed } from './previous-version.ts';
import { quoted } from './query-text.ts';

/** The deploy that took a task to `done` last. */
export interface LastDeployed {
  /** `null`: nobody has named one. */
  readonly version: string | null;
  /** Its window ended in a rollback that worked: production runs the version before. */
  readonly rolledBack: boolean;
}

/** Outcomes of runs that did not take their task to `done`; a test holds them against workflows/deploy-endings.ts. */
export const BEFORE_DONE = [
  'already_done',
  'refused',
  'rejected',
  'approval_expired',
  'deploy_failed',
  'unhealthy_after_deploy',
  'unhealthy_rolled_back',
  'unhealthy_rollback_failed',
  'deploy_unknown',
  'task_cancelled',
  'cancelled',
];

/** Longest time of one question, ms. */
const ASK_MS = 5_000;

/**
 * Looks up the deploy that took a work item's task to `done` last, by its run or, where that was terminated, by its window;
 * `null`: none is on record. By the visibility index, which forgets runs that are older than the retention of the namespace.
 * @throws where Temporal does not answer.
 */
export const createLastDeployed =
  (client: Client) =>
  async (repo: string, workItem: string): Promise<LastDeployed | null> => {
    const run = `WorkflowType = 'deployToDone' AND D2dOutcome IS NOT NULL AND D2dOutcome NOT IN (${BEFORE_DONE.map(quoted).join(', ')})`;
    const query = `D2dRepo = ${quoted(repo)} AND D2dWorkItem = ${quoted(workItem)} AND ((${run}) OR WorkflowType = 'postDeployMonitor')`;
    const last = await latestClosed(client, query, ASK_MS);
    return (
      last && {
        version: last.get(D2D_VERSION) ?? null,
        rolledBack: last.get(D2D_OUTCOME) === 'degraded_rolled_back',
      }
    );
  };
