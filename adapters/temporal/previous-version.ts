import type { Client } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { quoted } from './query-text.ts';

const D2D_VERSION = defineSearchAttributeKey('D2dVersion', SearchAttributeType.KEYWORD);

/** A rollback does not wait longer for it, ms. */
const LOOK_MS = 3_000;

/** Runs that are looked at, the latest ones: a version may have been deployed for several work items. */
const MOST = 20;

/**
 * Looks up the version that a repository ran before: that of its last run that ended `done` with another version than the one
 * that is rolled back. By the visibility index: it may miss a run of the last second, not one that is older than a window.
 * @throws where Temporal does not answer.
 */
export const createPreviousVersion =
  (client: Client) =>
  async (repo: string, version: string | null): Promise<string | null> => {
    const query = `WorkflowType = 'deployToDone' AND D2dRepo = ${quoted(repo)} AND D2dOutcome = 'done'`;
    return client.withDeadline(Date.now() + LOOK_MS, async () => {
      let looked = 0; // without ORDER BY, which not every store takes, the one that closed last comes first
      for await (const { typedSearchAttributes } of client.workflow.list({ query, pageSize: MOST })) {
        const found = typedSearchAttributes.get(D2D_VERSION);
        if (found !== undefined && found !== version) return found;
        looked += 1;
        if (looked >= MOST) break;
      }
      return null;
    });
  };
