import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPreviousVersion } from '../../../adapters/temporal/previous-version.ts';
import { D2dOutcome, D2dRepo, D2dVersion, DEPLOY_WORKFLOW, type DeployOutcome } from '../../../workflows/messages.ts';
import { eventually } from '../../setup/eventually.ts';
import { connectTemporal, type TemporalAccess, unique } from '../../setup/temporal.ts';

let access: TemporalAccess;
beforeAll(async () => {
  access = await connectTemporal();
});
afterAll(() => access.close());

/** A run that is over, as the index shows it. */
async function ended(repo: string, outcome: DeployOutcome, version: string | null): Promise<void> {
  const handle = await access.client.workflow.start(DEPLOY_WORKFLOW, {
    workflowId: unique('deploy'),
    taskQueue: access.taskQueue,
    typedSearchAttributes: [
      { key: D2dRepo, value: repo },
      { key: D2dOutcome, value: outcome },
      ...(version === null ? [] : [{ key: D2dVersion, value: version }]),
    ],
  });
  await handle.terminate();
}

test('the version of the last run that ended done, with another version than the one that is rolled back', async () => {
  const repo = unique("o'shop");
  const previousVersion = createPreviousVersion(access.client);
  expect(await previousVersion(repo, 'v3')).toBeNull();
  await ended(repo, 'done', 'v1');
  await ended(repo, 'done', 'v2');
  await ended(repo, 'degraded_rolled_back', 'v2.1');
  await ended(repo, 'done', null);
  await ended(repo, 'done', 'v3');
  await ended(unique('other'), 'done', 'v9');
  await eventually(async () => expect(await previousVersion(repo, null)).toBe('v3'));
  expect(await previousVersion(repo, 'v3')).toBe('v2');
  expect(await previousVersion(repo, 'v2')).toBe('v3');
});
