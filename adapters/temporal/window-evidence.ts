import { type Client, type WorkflowExecutionDescription, WorkflowNotFoundError } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { type DeployRecord, type LastDeploy, lastDeploy, sameRepo, terminalStage } from '../../decisions/index.ts';
import { D2D_OUTCOME } from './previous-version.ts';
import { quoted, RUNNING } from './query-text.ts';
import { wrapUpsOf } from './wrap-ups.ts';

export interface RunningExecution {
  readonly workflowId: string;
  readonly workItem: string;
  /** `deployToDone` or `postDeployMonitor`. */
  readonly type: string;
  /** Null between its start and its first workflow task. */
  readonly phase: string | null;
}

export interface WindowEvidence {
  /**
   * Whether the post-deploy window of a work item is active: its execution runs and does not say `closed` (invariant 2).
   * @throws where Temporal does not answer: no evidence is not `false` (invariant 3).
   */
  windowActive(repo: string, workItem: string): Promise<boolean>;
  /**
   * Whether the deploy of a work item is between its begin and its window.
   * @throws where Temporal does not answer.
   */
  deployUnderWay(repo: string, workItem: string): Promise<boolean>;
  /**
   * The latest run of the deploy of a work item, whether it runs or not; `null`: Temporal keeps none.
   * @throws where Temporal does not answer.
   */
  latestRun(repo: string, workItem: string): Promise<DeployRecord | null>;
  /**
   * Whether a deploy or a window of a work item runs, in whatever phase, or one that has ended still writes its last status.
   * @throws where Temporal does not answer.
   */
  runs(repo: string, workItem: string): Promise<boolean>;
  /**
   * What the last deploy of a work item came to, by its run and its window, as far as Temporal keeps them (the retention of the
   * namespace).
   * @throws where Temporal does not answer.
   */
  lastDeploy(repo: string, workItem: string, dbStage: string | null): Promise<LastDeploy>;
  /**
   * Deploys and windows that run on a repository, on any task queue. They are found by the visibility index, which lags by about a
   * second, and each is confirmed by the server's mutable state. The window of a deploy is asked for by its id: the deploy hands the
   * repository over to it before the index knows it.
   * @param repo as the settings spell it, which is how the ids of its workflows are made.
   * @throws where Temporal does not answer.
   */
  runningWindows(repo: string): Promise<RunningExecution[]>;
}

/** A describe takes some milliseconds, and a setter holds its lock meanwhile; its activity retries. */
const DESCRIBE_MS = 3_000;

const LIST_MS = 5_000;

/** Evidence about windows from Temporal's own record of them. */
export function createWindowEvidence(client: Client): WindowEvidence {
  async function describe(workflowId: string): Promise<WorkflowExecutionDescription | null> {
    try {
      const handle = client.workflow.getHandle(workflowId);
      return await client.withDeadline(Date.now() + DESCRIBE_MS, () => handle.describe());
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    }
  }
  async function latestRun(repo: string, workItem: string): Promise<DeployRecord | null> {
    const latest = await describe(deployId(repo, workItem));
    return latest && { ...onRecord(latest), runId: latest.runId };
  }

  return {
    async windowActive(repo, workItem) {
      const window = await describe(windowId(repo, workItem));
      return window !== null && window.status.name === 'RUNNING' && phaseOf(window) !== 'closed';
    },
    async deployUnderWay(repo, workItem) {
      const deploy = await describe(deployId(repo, workItem));
      return deploy !== null && deploy.status.name === 'RUNNING' && UNDER_WAY.has(phaseOf(deploy) ?? '');
    },
    latestRun,
    async runs(repo, workItem) {
      const both = await Promise.all([deployId(repo, workItem), windowId(repo, workItem)].map(describe));
      const ended = both.filter((found) => found !== null);
      const wrapUps = await Promise.all(ended.map((each) => wrapUpsOf(each, describe)));
      return [...ended, ...wrapUps.flat()].some(({ status }) => status.name === 'RUNNING');
    },
    async lastDeploy(repo, workItem, dbStage) {
      const deploy = await latestRun(repo, workItem);
      const window = terminalStage(dbStage) === 'done' ? await describe(windowId(repo, workItem)) : null;
      return lastDeploy(dbStage, deploy, window && windowOnRecord(window));
    },
    async runningWindows(repo) {
      const ids = new Set<string>();
      await client.withDeadline(Date.now() + LIST_MS, async () => {
        for await (const found of client.workflow.list({ query: runningOn(repo) })) {
          const place = placeOf(found);
          if (!sameRepo(place.repo, repo)) continue; // of a repository whose name goes on behind a slash
          ids.add(found.workflowId).add(windowId(place.repo, place.workItem));
        }
      });
      const described = await Promise.all([...ids].map(describe));
      return described
        .filter((found) => found !== null)
        .filter(({ status }) => status.name === 'RUNNING')
        .map((found) => ({
          workflowId: found.workflowId,
          workItem: placeOf(found).workItem,
          type: found.type,
          phase: phaseOf(found),
        }));
    },
  };
}

/** As in the design; a test holds it against `workflows/messages.ts`, which an adapter does not import. */
const windowId = (repo: string, workItem: string): string => `monitor/${repo}/${workItem}`;

const deployId = (repo: string, workItem: string): string => `deploy/${repo}/${workItem}`;

/** By the workflow ids, which are there from the start on: search attributes are set by the first task where a start leaves them out. */
const runningOn = (repo: string): string =>
  `${RUNNING} AND (${[deployId, windowId].map((id) => `WorkflowId STARTS_WITH ${quoted(id(repo, ''))}`).join(' OR ')})`;

const UNDER_WAY = new Set(['deploying', 'unknown', 'checking']);

const D2D_PHASE = defineSearchAttributeKey('D2dPhase', SearchAttributeType.KEYWORD);

const phaseOf = ({
  typedSearchAttributes,
}: Pick<WorkflowExecutionDescription, 'typedSearchAttributes'>): string | null =>
  typedSearchAttributes.get(D2D_PHASE) ?? null;

const D2D_VERDICT = defineSearchAttributeKey('D2dVerdict', SearchAttributeType.KEYWORD);

const onRecord = (found: WorkflowExecutionDescription) => ({
  running: found.status.name === 'RUNNING',
  phase: phaseOf(found),
  outcome: found.typedSearchAttributes.get(D2D_OUTCOME) ?? null,
});

const windowOnRecord = (found: WorkflowExecutionDescription) => ({
  ...onRecord(found),
  parentRunId: found.parentExecution?.runId ?? null,
  verdict: found.typedSearchAttributes.get(D2D_VERDICT) ?? null,
});

/** By the workflow id, which is there from the start on; the repository's name may hold slashes, a work item's id does not. */
function placeOf({ workflowId }: { readonly workflowId: string }): { repo: string; workItem: string } {
  const [, repo = '', workItem = ''] = /^[^/]+\/(.+)\/([^/]*)$/.exec(workflowId) ?? [];
  return { repo, workItem };
}
