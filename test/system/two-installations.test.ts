import { describe, expect, onTestFinished, test } from 'vitest';
import { startHealing } from '../../adapters/temporal/start-healing.ts';
import { createWindowEvidence } from '../../adapters/temporal/window-evidence.ts';
import { createD2dClient } from '../../client/client.ts';
import { healWorkflowId } from '../../workflows/messages.ts';
import { freshDatabase } from '../setup/database.ts';
import { eventually } from '../setup/eventually.ts';
import { unique } from '../setup/temporal.ts';
import { HELD_OPEN } from './item.ts';
import { withSystem } from './with-system.ts';

// Two installations are two task queues on one namespace and one Plane; docs/reliability.md says where they meet.

const OPS = { by: 'oncall', reason: 'v3 is next' };

describe('two installations', () => {
  test('each corrects its own statuses and reopens its own tasks, whatever became of the other', () =>
    withSystem({}, async (system, item) => {
      const { client } = system.temporal;
      const { control } = system.plane;
      const { workItem, repo } = item;
      const { id, projectId: project } = control.workItem(workItem);
      const abandoned = unique('abandoned');
      await startHealing(client, abandoned, { id, project });
      onTestFinished(async () => void (await client.workflow.getHandle(healWorkflowId(abandoned, id)).terminate()));
      const givenUp = new AbortController();
      const reopening = createD2dClient({ temporal: client, taskQueue: abandoned })
        .reopen({ workItem, repo }, OPS, { signal: givenUp.signal })
        .catch(() => {});

      await system.startWorker();
      await item.setStage('done');
      control.uiSetState(workItem, 'Deploying');
      expect((await system.client.reconcile({})).healings).toMatchObject([{ workItem, result: 'healed' }]);
      expect(item.status()).toBe('Done');
      control.uiSetState(workItem, 'Deploying');
      await startHealing(client, system.taskQueue, { id, project });
      await item.untilShown('Done');
      expect(await system.client.reopen({ workItem, repo }, OPS)).toMatchObject({ stage: 'deploy' });
      givenUp.abort();
      await reopening;
    }));

  test('of a repository that both deploy there is one deploy at a time, on whichever queue it runs', () =>
    withSystem({ window: HELD_OPEN }, async (system, item) => {
      const { client } = system.temporal;
      const { workItem, repo } = item;
      const taskQueue = unique('queue');
      const theirs = await freshDatabase();
      onTestFinished(theirs.close);
      await system.startWorker();
      await system.startWorker({ ORCH_TASK_QUEUE: taskQueue, DATABASE_URL: theirs.url });
      const other = createD2dClient({ temporal: client, taskQueue });
      await item.start();
      await item.untilShown('Monitoring after Deploy');

      await expect(other.start({ repo, workItem, version: 'v3' })).rejects.toThrow(
        new RegExp(
          `a deploy is running already: deploy/${repo}/${workItem} \\(run .*\\) on task queue ${system.taskQueue}`,
        ),
      );
      const { key } = system.plane.control.addWorkItem({ project: 'ORCH', name: 'theirs', state: 'In Progress' });
      // The index lags.
      await eventually(async () => expect(await createWindowEvidence(client).runningWindows(repo)).not.toEqual([]));
      await other.start({ repo, workItem: key, version: 'v3', createTask: true });
      expect(await other.waitForResult({ repo, workItem: key })).toMatchObject({
        outcome: 'refused',
        reason: expect.stringContaining(`repository ${repo} is busy: monitor/${repo}/${workItem} is open`),
      });
      expect(system.production.operations(repo).map(({ to }) => to)).toEqual(['v2']);
      await item.close();
      await item.result();
    }));
});
