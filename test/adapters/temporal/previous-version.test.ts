import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WindowOutcome } from '../../../activities/window-report.ts';
import { BEFORE_DONE, createLastDeployed } from '../../../adapters/temporal/last-deployed.ts';
import { createPreviousVersion } from '../../../adapters/temporal/previous-version.ts';
import { OWED } from '../../../workflows/deploy-endings.ts';
import {
  D2dOutcome,
  D2dRepo,
  D2dVersion,
  D2dWorkItem,
  DEPLOY_WORKFLOW,
  type DeployOutcome,
  MONITOR_WORKFLOW,
} from '../../../workflows/messages.ts';
import { eventually } from '../../setup/eventually.ts';
import { connectTemporal, type TemporalAccess, unique } from '../../setup/temporal.ts';

let access: TemporalAccess;
beforeAll(async () => {
  access = await connectTemporal();
});
afterAll(() => access.close());

/** A run that is over, as the index shows it. */
async function ended(
  repo: string,
  outcome: DeployOutcome,
  version: string | null,
  workItem = 'ORCH-61',
): Promise<void> {
  const handle = await recorded(DEPLOY_WORKFLOW, repo, outcome, version, workItem);
  await handle.terminate();
}

const recorded = (
  type: string,
  repo: string,
  outcome: DeployOutcome | WindowOutcome,
  version: string | null,
  workItem: string,
) =>
  access.client.workflow.start(type, {
    workflowId: unique('deploy'),
    taskQueue: access.taskQueue,
    typedSearchAttributes: [
      { key: D2dRepo, value: repo },
      { key: D2dWorkItem, value: workItem },
      { key: D2dOutcome, value: outcome },
      ...(version === null ? [] : [{ key: D2dVersion, value: version }]),
    ],
  });

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

test('a healthy window counts before its run has ended', async () => {
  const repo = unique('shop');
  const previousVersion = createPreviousVersion(access.client);
  await ended(repo, 'done', 'v2');
  const windows = await Promise.all([
    recorded(MONITOR_WORKFLOW, repo, 'degraded_alerted', 'v2.1', 'ORCH-62'),
    recorded(MONITOR_WORKFLOW, repo, 'healthy', 'v3', 'ORCH-63'),
  ]);
  await eventually(async () => expect(await previousVersion(repo, 'v4')).toBe('v3'));
  expect(await previousVersion(repo, 'v3')).toBe('v2');
  await Promise.all(windows.map((window) => window.terminate()));
});

test('the deploy that took a task to done last, and whether it was rolled back', async () => {
  const repo = unique('shop');
  const lastDeployed = createLastDeployed(access.client);
  expect(await lastDeployed(repo, 'ORCH-61')).toBeNull();
  await ended(repo, 'degraded_alerted', 'v1');
  await ended(repo, 'already_done', 'v2');
  await ended(repo, 'unhealthy_rolled_back', 'v3');
  await ended(repo, 'done', 'v9', 'ORCH-62');
  await eventually(async () =>
    expect(await lastDeployed(repo, 'ORCH-62')).toEqual({ version: 'v9', rolledBack: false }),
  );
  expect(await lastDeployed(repo, 'ORCH-61')).toEqual({ version: 'v1', rolledBack: false });
  await ended(repo, 'degraded_rolled_back', 'v4');
  await eventually(async () =>
    expect(await lastDeployed(repo, 'ORCH-61')).toEqual({ version: 'v4', rolledBack: true }),
  );
  await ended(repo, 'closed_early', null);
  await eventually(async () =>
    expect(await lastDeployed(repo, 'ORCH-61')).toEqual({ version: null, rolledBack: false }),
  );
});

test('runs that did not take their task to done are those of the endings before done', () => {
  expect(BEFORE_DONE.toSorted()).toEqual(Object.keys(OWED).toSorted());
});
