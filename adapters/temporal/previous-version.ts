import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { quoted } from './query-text.ts';

export const D2D_OUTCOME = defineSearchAttributeKey('D2dOutcome', SearchAttributeType.KEYWORD);
export const D2D_VERSION = defineSearchAttributeKey('D2dVersion', SearchAttributeType.KEYWORD);

/** A rollback does not wait longer for it, ms. */
const LOOK_MS = 3_000;

type Attributes = WorkflowExecutionInfo['typedSearchAttributes'];

/**
 * The search attributes of the execution that closed last, of those that a query finds; `null`: there is none.
 * @throws where Temporal does not answer within the time, ms.
 */
export const latestClosed = (client: Client, query: string, withinMs: number): Promise<Attributes | null> =>
  client.withDeadline(Date.now() + withinMs, async () => {
    // Without ORDER BY, which not every store takes, the one that closed last comes first.
    for await (const { typedSearchAttributes } of client.workflow.list({ query, pageSize: 1 }))
      return typedSearchAttributes;
    return null;
  });

/**
 * Looks up the version that a repository ran before: that of its last run that ended `done`, or whose window closed healthy, with
 * another version than the one that is rolled back. The run of a healthy window still settles, or waits for a tracker that is away,
 * while the next version is deployed. By the visibility index: it may miss a window that closed in the last second.
 * @throws where Temporal does not answer.
 */
export const createPreviousVersion =
  (client: Client) =>
  async (repo: string, version: string | null): Promise<string | null> => {
    const another = version === null ? 'D2dVersion IS NOT NULL' : `D2dVersion != ${quoted(version)}`;
    const query = `WorkflowType IN ('deployToDone', 'postDeployMonitor') AND D2dRepo = ${quoted(repo)} AND D2dOutcome IN ('done', 'healthy') AND ${another}`;
    return (await latestClosed(client, query, LOOK_MS))?.get(D2D_VERSION) ?? null;
  };
