import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ShownStatus } from '../../activities/status-evidence.ts';
import { closedGate } from '../../demo/gate.ts';
import {
  approveSignal,
  D2dPhase,
  D2dVersion,
  type DeployOutcome,
  deployFinishedSignal,
  deployStatusQuery,
  driverStuckSignal,
  rejectSignal,
  resolveDeploySignal,
} from '../../workflows/messages.ts';
import { eventually } from '../setup/eventually.ts';
import { type Harness, startHarness } from './harness.ts';
import { expectActivityCancelRequested } from './histories.ts';
import { fail, IN_PROGRESS, type Item, pass, plan, policy, shownAs } from './item.ts';

const kinds = (records: readonly { readonly key: string }[]) => records.map(({ key }) => key.split(':').at(-1));

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());

const statuses = (item: Item) => item.writes.map(({ status }) => status);
const comments = (item: Item) => item.comments.flatMap(({ paragraphs }) => paragraphs).join('\n');

describe('endings at done', () => {
  test('a healthy window leads from Awaiting Deploy to a true Done', async () => {
    const item = harness.add();
    expect(await harness.run(item)).toMatchObject({ outcome: 'done' });
    expect(statuses(item)).toEqual(['awaiting_deploy', 'deploying', 'monitoring', 'done']);
    expect(item.task).toMatchObject({ stage: 'done' });
    expect(item.count).toEqual({ looks: 10, deploys: 1, rollbacks: 0 });
    expect(item.reports).toMatchObject([{ outcome: 'healthy', coverage: { made: 10, missed: 0, unknown: 0 } }]);
    expect(item.comments).toEqual([]);
  });

  test('D3: the window is armed before the terminal sync, so that the first Monitoring is allowed on a done task', async () => {
    const item = harness.add();
    await harness.run(item);
    expect(item.writes).toContainEqual({ status: 'monitoring', stage: 'done' });
    expect(harness.logged).toContainEqual(
      expect.objectContaining({
        work_item: item.workItem,
        target: 'monitoring',
        db_stage: 'done',
        window_active: true,
        verdict: 'ALLOW',
      }),
    );
  });

  test('no window for the repository: straight to Done', async () => {
    const item = harness.add({ plan: plan({ window: null }) });
    expect(await harness.run(item)).toMatchObject({ outcome: 'done' });
    expect(statuses(item)).toEqual(['awaiting_deploy', 'deploying', 'done']);
    expect(item.count.looks).toBe(0);
  });

  test('D3: a re-drive of a task that is done converges to Done, deploys nothing and comments nothing', async () => {
    const item = harness.add({ task: { repo: 'set by add', stage: ' DONE ' }, shown: shownAs('awaiting_deploy') });
    expect(await harness.run(item)).toMatchObject({ outcome: 'already_done' });
    expect(statuses(item)).toEqual(['done']);
    expect(item.count.deploys).toBe(0);
    expect(item.comments).toEqual([]);
  });

  const V1 = { version: 'v1', rolledBack: false };
  test.each([
    ['no version', undefined, V1, false, 'the task was done already, with v1; nothing was deployed'],
    ['the version deployed last', 'v1', V1, false, 'the task was done already, with v1; nothing was deployed'],
    [
      'another version',
      'v2',
      V1,
      true,
      /^the task was done already, with v1; v2 was not deployed\. To deploy it: d2d reopen/,
    ],
    [
      'a version that was rolled back',
      'v1',
      { ...V1, rolledBack: true },
      true,
      /; v1 was rolled back, and was not deployed again\. /,
    ],
    [
      'a version, with none on record',
      'v2',
      null,
      true,
      /^the task was done already; v2 was not deployed \(the version deployed last is unknown/,
    ],
  ])('a start of a task that is done, with %s', async (_, version, lastDeployed, other, reason) => {
    const item = harness.add({ task: { repo: 'set by add', stage: 'done' }, lastDeployed });
    expect(await harness.run(item, version === undefined ? {} : { version })).toEqual({
      outcome: 'already_done',
      reason: typeof reason === 'string' ? reason : expect.stringMatching(reason),
      ...(other ? { otherVersionRequested: true } : {}),
    });
    expect(item.count.deploys).toBe(0);
    const { typedSearchAttributes } = await harness.deploy(item).describe();
    expect(typedSearchAttributes.get(D2dVersion)).toBe(other ? undefined : version);
  });

  test('the settle reads Done back, and converges again where an old status has come back meanwhile', async () => {
    const item = harness.add();
    let reads = 0;
    item.tracker = async (call) => {
      if (call === 'read') reads += 1;
      if (item.shown.status === 'done' && statuses(item).filter((status) => status === 'done').length === 1) {
        item.shown = shownAs('monitoring');
      }
    };
    expect(await harness.run(item)).toMatchObject({ outcome: 'done' });
    expect(statuses(item)).toEqual(['awaiting_deploy', 'deploying', 'monitoring', 'done', 'done']);
    expect(item.shown.status).toBe('done');
    expect(reads).toBeGreaterThan(4);
  });

  test('two alarms about its status have two keys: one that cannot be written, and one that somebody keeps writing', async () => {
    const item = harness.add();
    let refusals = 3; // Monitoring, which is noted, and Done, by the window and by its wrap-up
    item.tracker = async (call) => {
      if (item.task?.stage !== 'done') return;
      if (call === 'write' && refusals-- > 0)
        throw ApplicationFailure.nonRetryable('no state "Done"', 'PlaneUnknownState');
      if (call === 'read' && item.shown.status === 'done') item.shown = shownAs('deploying');
    };
    expect(await harness.run(item)).toMatchObject({ outcome: 'done' });
    expect(item.alerts.map(({ key }) => key.split(':')[1])).toEqual(['status-unwritten', 'status-fought']);
  });

  test('a person who moves a finished item elsewhere is left alone by the settle', async () => {
    const item = harness.add();
    item.tracker = async (call) => {
      if (call === 'read' && item.shown.status === 'done') item.shown = IN_PROGRESS;
    };
    await harness.run(item);
    expect(item.shown).toBe(IN_PROGRESS);
  });
});

describe('endings before done', () => {
  const endings: [DeployOutcome, Partial<Item>, (item: Item) => Promise<unknown>][] = [
    ['deploy_failed', { deploy: async () => ({ ok: false, detail: 'exit code 3' }) }, async () => {}],
    ['unhealthy_after_deploy', { checkHealth: async () => ({ ok: false, detail: '503 for 60 s' }) }, async () => {}],
    [
      'rejected',
      { plan: plan({ approval: { required: true, timeoutMs: 3_600_000 } }) },
      (item) => harness.deploy(item).signal(rejectSignal, { by: 'oncall', reason: 'freeze' }),
    ],
    ['approval_expired', { plan: plan({ approval: { required: true, timeoutMs: 60_000 } }) }, async () => {}],
  ];
  test.each(endings)(
    '%s: the stage stays, the tracker goes back to what it showed, and a comment says why',
    async (outcome, change, then) => {
      const item = harness.add(change);
      const handle = await harness.start(item);
      await then(item);
      expect(await handle.result()).toMatchObject({ outcome });
      expect(item.task?.stage).toBe('deploy');
      expect(statuses(item).at(-1)).toBe('before');
      expect(item.shown.id).toBe(IN_PROGRESS.id);
      expect(comments(item)).toContain(outcome.replaceAll('_', ' '));
      expect(item.count.looks).toBe(0);
      const called = outcome === 'deploy_failed' || outcome === 'unhealthy_after_deploy';
      expect(item.alerts.map(({ key }) => key.split(':').at(-1))).toEqual(called ? [outcome] : []);
    },
  );

  test('where a deploy-phase status stood before the run, Awaiting Deploy is put back', async () => {
    const item = harness.add({ shown: shownAs('deploying'), deploy: async () => ({ ok: false, detail: 'no' }) });
    await harness.run(item);
    expect(item.shown.status).toBe('awaiting_deploy');
  });

  test('a worker lost in the middle of a deploy that must not run twice: nobody knows, and somebody is called', async () => {
    const item = harness.add({
      deploy: async () => {
        throw ApplicationFailure.retryable('the worker shut down', 'DeployInterrupted');
      },
    });
    const handle = await harness.start(item, { version: 'v2' });
    await harness.until(() => item.alerts.length > 0);
    expect(await handle.query(deployStatusQuery)).toMatchObject({
      phase: 'unknown',
      outcome: null,
      reason: 'nobody knows whether it has happened: the worker shut down',
    });
    expect((await handle.describe()).typedSearchAttributes.get(D2dPhase)).toBe('unknown');
    expect(item.count.deploys).toBe(1);
    expect(item.shown.status).toBe('deploying');
    expect(item.alerts).toHaveLength(1);
    await eventually(() =>
      expect(comments(item)).toContain(`d2d resolve ${item.workItem} --deployed | --not-deployed`),
    );
    await handle.cancel();
    expect(await handle.result()).toMatchObject({ outcome: 'deploy_unknown' });
    expect(item.shown.status).toBe('deploying');
    expect(new Set(item.alerts.map(({ key }) => key)).size).toBe(2); // a sink takes the second one for news, too
  });

  describe('a deploy whose outcome is unknown', () => {
    const lost = async (): Promise<never> => {
      throw ApplicationFailure.retryable('the worker shut down', 'DeployInterrupted');
    };
    async function unknownDeploy(change: Partial<Item> = {}) {
      const item = harness.add({ deploy: lost, ...change });
      const handle = await harness.start(item, { version: 'v2' });
      await eventually(async () => expect((await handle.query(deployStatusQuery)).phase).toBe('unknown'));
      return { item, handle };
    }
    const OPS = { by: 'oncall', reason: 'all pods run v2' };

    test('--deployed: goes on with its health check and its window', async () => {
      const { item, handle } = await unknownDeploy();
      await handle.signal(resolveDeploySignal, { deployed: true, ...OPS });
      expect(await handle.result()).toMatchObject({ outcome: 'done' });
      expect(statuses(item)).toEqual(['awaiting_deploy', 'deploying', 'monitoring', 'done']);
      expect(item.reports).toMatchObject([{ version: 'v2', outcome: 'healthy' }]);
      expect(await handle.query(deployStatusQuery)).toMatchObject({ resolution: { deployed: true, by: 'oncall' } });
    });

    test('--deployed of a deploy that is unhealthy', async () => {
      const { handle } = await unknownDeploy({ checkHealth: async () => ({ ok: false, detail: '503', seen: 'fail' }) });
      await handle.signal(resolveDeploySignal, { deployed: true, ...OPS });
      expect(await handle.result()).toMatchObject({ outcome: 'unhealthy_after_deploy' });
    });

    test('--not-deployed: it has failed, and the status is put back', async () => {
      const { item, handle } = await unknownDeploy();
      await handle.signal(resolveDeploySignal, { deployed: false, by: 'oncall', reason: 'v1 runs' });
      expect(await handle.result()).toEqual({
        outcome: 'deploy_failed',
        reason:
          'oncall says that it was not deployed: v1 runs (nobody knows whether it has happened: the worker shut down)',
      });
      expect(item.shown.id).toBe(IN_PROGRESS.id);
    });

    test('an answer that comes too soon, twice or as garbage is ignored, and shown', async () => {
      const item = harness.add({ plan: plan({ approval: { required: true, timeoutMs: 3_600_000 } }), deploy: lost });
      const handle = await harness.start(item);
      await handle.signal(resolveDeploySignal, { deployed: true, ...OPS });
      await handle.signal(approveSignal, { by: 'oncall' });
      await eventually(async () => expect((await handle.query(deployStatusQuery)).phase).toBe('unknown'));
      await handle.signal('resolveDeploy', { deployed: 'yes' });
      await handle.signal(resolveDeploySignal, { deployed: false, ...OPS });
      await handle.signal(resolveDeploySignal, { deployed: true, ...OPS });
      expect(await handle.result()).toMatchObject({ outcome: 'deploy_failed' });
      expect((await handle.query(deployStatusQuery)).notes.map(({ text }) => text)).toEqual([
        expect.stringMatching(/^the signal resolveDeploy was ignored: the outcome of the deploy is known: it is at /),
        expect.stringContaining('its payload must be an object {deployed: true | false, by, reason, version?}'),
        expect.stringMatching(/it has been resolved already|the outcome of the deploy is known/),
      ]);
    });
  });

  describe('unhealthy right after the deploy, with action rollback', () => {
    const rollingBack = (change: Partial<Item> = {}) =>
      harness.add({
        checkHealth: async () => ({ ok: false, detail: '503 for 60 s', seen: 'fail' }),
        ...change,
        plan: plan({ window: policy({ action: 'rollback' }), ...change.plan }),
      });

    const first = { ok: false, detail: '503 for 60 s', seen: 'fail' } as const;
    /** The health check after the deploy fails; that after the rollback comes to this. */
    const then = (after: Awaited<ReturnType<Item['checkHealth']>>): Item['checkHealth'] => {
      let checks = 0;
      return async () => (++checks > 1 ? after : first);
    };

    test.each([
      [first, 'has not recovered after its rollback: 503 for 60 s'],
      [
        { ok: false, detail: 'no resolver', seen: 'unknown' } as const,
        'nobody knows whether .* has recovered after its rollback: no resolver',
      ],
    ])('a rollback that did not help, or of which nobody knows: %o', async (after, words) => {
      const item = rollingBack({ checkHealth: then(after) });
      expect(await harness.run(item)).toEqual({
        outcome: 'unhealthy_rolled_back',
        reason: expect.stringMatching(new RegExp(`^503 for 60 s; rolled back: it worked; .*${words}$`)),
      });
      expect(item.alerts.map(({ title }) => title)).toEqual([
        expect.stringContaining('is being rolled back'),
        expect.stringMatching(/has (not )?recovered after its rollback$/),
      ]);
    });

    test('it is rolled back once, and production is looked at once more', async () => {
      const item = rollingBack({ checkHealth: then({ ok: true, detail: 'answered 200' }) });
      expect(await harness.run(item)).toEqual({
        outcome: 'unhealthy_rolled_back',
        reason: '503 for 60 s; rolled back: it worked; production is healthy again: answered 200',
      });
      expect(item.count).toMatchObject({ rollbacks: 1, looks: 0 });
      expect(item.task?.stage).toBe('deploy');
      expect(item.shown.id).toBe(IN_PROGRESS.id);
      expect(item.alerts.map(({ title }) => title)).toEqual([
        expect.stringContaining('is unhealthy after its deploy and is being rolled back'),
        expect.stringContaining('was unhealthy after its deploy and was rolled back'),
      ]);
      expect(comments(item)).toContain('unhealthy rolled back');
    });

    test('a rollback that fails', async () => {
      const item = rollingBack({ rollback: async () => ({ ok: false, detail: 'exit code 1' }) });
      expect(await harness.run(item)).toEqual({
        outcome: 'unhealthy_rollback_failed',
        reason: '503 for 60 s; the rollback failed: exit code 1',
      });
    });

    test.each([
      [true, 'unhealthy_rolled_back', '; production is healthy again: healthy'],
      [false, 'unhealthy_rollback_failed', '; afterwards production is 503 for 60 s'],
    ] as const)(
      'a rollback of which nobody knows: production is looked at, healthy: %s',
      async (healthy, outcome, after) => {
        let checks = 0;
        const item = rollingBack({
          rollback: async () => ({ ok: false, unknown: true, detail: 'the answer was lost', to: 'v1' }),
          checkHealth: async () =>
            healthy && ++checks > 1
              ? { ok: true, detail: 'healthy' }
              : { ok: false, detail: '503 for 60 s', seen: 'fail' },
        });
        expect(await harness.run(item)).toEqual({
          outcome,
          reason: `503 for 60 s; nobody knows whether the rollback worked: the answer was lost${after}`,
        });
        expect(item.lookedFor).toEqual([{ version: 'v1', rolledBack: true }]);
      },
    );

    test('BR-5: the orchestrator itself is never rolled back', async () => {
      const item = rollingBack({ plan: plan({ selfHosting: true, window: policy({ action: 'rollback' }) }) });
      expect(await harness.run(item)).toEqual({
        outcome: 'unhealthy_after_deploy',
        reason: '503 for 60 s; the orchestrator itself is never rolled back (BR-5)',
      });
      expect(item.count.rollbacks).toBe(0);
    });

    test('a check that saw nothing of production calls it neither unhealthy nor healthy: the window decides', async () => {
      const item = rollingBack({ checkHealth: async () => ({ ok: false, detail: 'no resolver', seen: 'unknown' }) });
      expect(await harness.run(item)).toMatchObject({ outcome: 'done' });
      expect(item.count.rollbacks).toBe(0);
      expect(item.alerts).toMatchObject([
        { text: expect.stringContaining('its health after the deploy is not known: no resolver') },
      ]);
    });
  });

  test('a start without a version, where one is needed, is refused before anything is written', async () => {
    const item = harness.add({ plan: plan({ needsVersion: 'health.expectJson' }) });
    expect(await harness.run(item)).toEqual({
      outcome: 'refused',
      reason: `the start of ${item.plan.repo} must name a version: its health.expectJson needs {version}`,
    });
    expect(item.writes).toEqual([]);
    if (item.task !== null) item.task.stage = 'done'; // nothing is deployed then
    expect(await harness.run(item)).toMatchObject({ outcome: 'already_done' });
  });

  test('a deploy by a driver declared idempotent is tried again after its worker was lost', async () => {
    const item = harness.add({ plan: plan({ driver: { kind: 'command', idempotent: true, timeoutMs: 60_000 } }) });
    item.deploy = async () => {
      if (item.count.deploys === 1) throw ApplicationFailure.retryable('the worker shut down', 'DeployInterrupted');
      return { ok: true, detail: '' };
    };
    expect(await harness.run(item)).toMatchObject({ outcome: 'done' });
    expect(item.count.deploys).toBe(2);
  });

  test('a task that is cancelled while its deploy runs stays cancelled, and its status is not written any more', async () => {
    const item = harness.add();
    item.deploy = async () => {
      if (item.task !== null) item.task.stage = 'cancelled';
      return { ok: true, detail: '' };
    };
    expect(await harness.run(item)).toMatchObject({ outcome: 'task_cancelled' });
    expect(statuses(item)).toEqual(['awaiting_deploy', 'deploying']);
    expect(item.task?.stage).toBe('cancelled');
  });

  test('a task that is cancelled before the start: no deploy and no status write', async () => {
    const item = harness.add({ task: { repo: '', stage: 'cancelled' } });
    expect(await harness.run(item)).toMatchObject({ outcome: 'task_cancelled' });
    expect(item.count.deploys).toBe(0);
    expect(item.writes).toEqual([]);
  });

  test('a cancel while it waits for approval puts the status back', async () => {
    const item = harness.add({ plan: plan({ approval: { required: true, timeoutMs: 600_000 } }) });
    const handle = await harness.start(item);
    await harness.until(() => item.shown.status === 'awaiting_deploy');
    // The time-skipping server strands a workflow that cancels an activity which ends meanwhile: it waits by its timer now.
    await eventually(async () => expect((await handle.query(deployStatusQuery)).approval.expiresAt).not.toBeNull());
    await handle.cancel();
    expect(await handle.result()).toMatchObject({ outcome: 'cancelled' });
    expect(item.shown.id).toBe(IN_PROGRESS.id);
    expect(comments(item)).toContain('cancelled');
  });
});

describe('refused at the start', () => {
  test('a work item without a task', async () => {
    const item = harness.add({ task: null });
    expect(await harness.run(item)).toEqual({
      outcome: 'refused',
      reason: `there is no task for work item ${item.workItem}; d2d start --create (createTask) makes one`,
    });
    expect(item.writes).toEqual([]);
  });

  test('a refusal leaves no task behind', async () => {
    const item = harness.add({ task: null });
    harness.busy.set(item.plan.repo, [
      { workflowId: 'deploy/x/OTHER-1', workItem: 'OTHER-1', type: 'deployToDone', phase: 'deploying' },
    ]);
    expect(await harness.run(item, { createTask: true })).toMatchObject({
      outcome: 'refused',
      reason: expect.stringContaining('is busy'),
    });
    expect(item.task).toBeNull();
  });

  test.each(['PlaneNotFound', 'PlaneForbidden'])('a work item that the tracker does not show: %s', async (type) => {
    const item = harness.add();
    item.tracker = async () => {
      throw ApplicationFailure.nonRetryable('no such item', type);
    };
    expect(await harness.run(item)).toEqual({
      outcome: 'refused',
      reason: `the tracker does not show work item ${item.workItem}: no such item`,
    });
    expect(item.count.deploys).toBe(0);
  });

  test('createTask makes the task', async () => {
    const item = harness.add({ task: null });
    expect(await harness.run(item, { createTask: true })).toMatchObject({ outcome: 'done' });
    expect(item.task?.stage).toBe('done');
  });

  test('an unknown repository', async () => {
    const item = harness.add();
    expect(await harness.run(item, { repo: 'nowhere' })).toEqual({
      outcome: 'refused',
      reason: 'repository "nowhere" is not described',
    });
  });

  test('a task of another repository', async () => {
    const item = harness.add({ task: { repo: 'other', stage: 'deploy' } });
    item.task = { repo: 'other', stage: 'deploy' };
    expect(await harness.run(item)).toMatchObject({
      outcome: 'refused',
      reason: expect.stringContaining('belongs to repository other'),
    });
  });

  test.each([[undefined], ['ORCH-1'], [{ repo: '', workItem: 'x' }], [{ repo: 'shop', workItem: 7 }], [null]])(
    'an input that is none: %j',
    async (input) => {
      expect(await harness.startRaw(input)).toMatchObject({
        outcome: 'refused',
        reason: expect.stringContaining('must name'),
      });
    },
  );

  test.each(['v2; rm -rf /', '--force', '$(x)'])('a version that breaks the pattern: %j', async (version) => {
    const item = harness.add();
    expect(await harness.run(item, { version })).toEqual({
      outcome: 'refused',
      reason: expect.stringContaining('version must begin with a letter or digit'),
    });
    expect(item.writes).toEqual([]);
  });

  test.each([
    [{ repo: 'my shop', workItem: 'ORCH-1' }, 'repo must begin with a letter or digit'],
    [{ repo: 'shop\u202e', workItem: 'ORCH-1' }, 'repo must begin with a letter or digit'],
    [{ repo: 'shop', workItem: 'release of march' }, 'workItem must be a key such as ORCH-61'],
    [{ repo: 'shop', workItem: 'ORCH-1\u001b[2J' }, 'workItem must be a key such as ORCH-61'],
  ])('a name that breaks the pattern: %j', async (input, why) => {
    expect(await harness.startRaw(input)).toEqual({ outcome: 'refused', reason: expect.stringContaining(why) });
  });

  test('a repository that is busy with another deploy names it', async () => {
    const item = harness.add();
    harness.busy.set(item.plan.repo, [
      { workflowId: 'monitor/shop/ORCH-7', workItem: 'ORCH-7', type: 'postDeployMonitor', phase: 'open' },
    ]);
    expect(await harness.run(item)).toMatchObject({
      outcome: 'refused',
      reason: expect.stringContaining('monitor/shop/ORCH-7'),
    });
    expect(item.writes).toEqual([]);
  });
});

describe('an alert sink that is down', () => {
  test('a run ends only after its alerts', async () => {
    let calls = 0;
    const item = harness.add({
      plan: plan({ window: null, rollback: null }),
      checkHealth: async () => ({ ok: false, detail: 'the resolver did not answer', seen: 'unknown' }),
      sink: async () => {
        calls += 1;
        if (calls < 3) throw new Error('the sink restarts');
      },
    });
    expect(await harness.run(item)).toMatchObject({ outcome: 'done' });
    expect(item.alerts.map(({ key }) => key.split(':').at(-1))).toEqual(['health-unknown']);
  });

  test('does not keep the last status from being written again', async () => {
    const writes: number[] = [];
    const item: Item = harness.add({
      plan: plan({ window: null, rollback: null, settleMs: 0 }),
      sink: async () => {
        throw new Error('the sink is down');
      },
      tracker: async (call) => {
        if (item.task?.stage !== 'done' || call !== 'write') return;
        writes.push(await harness.env.currentTimeMs());
        if (writes.length === 1) throw ApplicationFailure.nonRetryable('Plane answered 401', 'PlaneUnauthorized');
      },
    });
    expect(await harness.run(item)).toMatchObject({ outcome: 'done' });
    const [refused = 0, written = 0] = writes;
    expect(written - refused).toBeLessThan(120_000);
    expect(item.shown.status).toBe('done');
  });
});

describe('while settings are rolled out', () => {
  const elsewhere = () =>
    ApplicationFailure.nonRetryable('nothing was deployed: it is not described', 'NotDescribedHere');

  test('a worker that does not describe the repository leaves the deploy to another one', async () => {
    const item = harness.add({ plan: plan({ window: null, rollback: null }) });
    item.deploy = async () => {
      if (item.count.deploys < 3) throw elsewhere();
      return { ok: true, detail: 'up' };
    };
    expect(await harness.run(item)).toMatchObject({ outcome: 'done' });
    expect(item.count.deploys).toBe(3);
  });

  test('where none describes it, the deploy has failed', async () => {
    const item = harness.add({
      deploy: async () => {
        throw elsewhere();
      },
    });
    expect(await harness.run(item)).toEqual({
      outcome: 'deploy_failed',
      reason: 'nothing was deployed: it is not described',
    });
    expect(item.count.deploys).toBe(12);
  });
});

describe('signals', () => {
  test('garbage is ignored and shown; the approval that follows counts', async () => {
    const item = harness.add({ plan: plan({ approval: { required: true, timeoutMs: 3_600_000 } }) });
    const handle = await harness.start(item);
    await eventually(async () => expect((await handle.query(deployStatusQuery)).phase).toBe('awaiting_approval'));
    for (const garbage of [42, ['x'], 'yes', { by: 7 }, { by: 'x', reason: {} }]) {
      await handle.signal('approve', garbage);
    }
    await handle.signal('aprove', { by: 'oncall' });
    const status = await handle.query(deployStatusQuery);
    expect(status.phase).toBe('awaiting_approval');
    expect(status.notes.map(({ text }) => text)).toEqual([
      expect.stringContaining('must be an object {by, reason}, got 42'),
      expect.stringContaining('got ["x"]'),
      expect.stringContaining('got "yes"'),
      expect.stringContaining('by and reason must be texts'),
      expect.stringContaining('by and reason must be texts'),
      'the signal aprove was ignored: a deploy takes approve, reject, deployFinished and resolveDeploy',
    ]);
    await handle.signal('approve');
    await handle.signal(approveSignal, { by: 'second' });
    expect(await handle.result()).toMatchObject({ outcome: 'done' });
    const after = await handle.query(deployStatusQuery);
    expect(after.approval).toMatchObject({ decision: 'approved', by: 'unknown', reason: 'unknown' });
    expect(after.notes.at(-1)?.text).toBe('the signal approve was ignored: it was approved by unknown already');
  });

  const external = () =>
    plan({ driver: { kind: 'external', idempotent: false, timeoutMs: 600_000 }, window: null, rollback: null });

  test('an external deployer reports its end', async () => {
    const item = harness.add({ plan: external() });
    const handle = await harness.start(item);
    await harness.until(() => item.shown.status === 'deploying');
    await handle.signal('deployFinished', { ok: 'yes' });
    await handle.signal(deployFinishedSignal, { ok: true, version: 'v2', by: 'ci' });
    expect(await handle.result()).toMatchObject({ outcome: 'done' });
    expect(item.count.deploys).toBe(0);
    expect((await handle.query(deployStatusQuery)).notes[0]?.text).toContain(
      'its payload must be an object {ok: true | false',
    );
  });

  test('an external deployer reports a failure', async () => {
    const item = harness.add({ plan: external() });
    const handle = await harness.start(item);
    await harness.until(() => item.shown.status === 'deploying');
    await handle.signal(deployFinishedSignal, { ok: false, detail: 'tests were red', by: 'ci' });
    expect(await handle.result()).toEqual({
      outcome: 'deploy_failed',
      reason: 'ci reported a failure: tests were red',
    });
  });

  test('nobody knows about an external deployer that does not report in time; a late report counts', async () => {
    const item = harness.add({ plan: external() });
    const handle = await harness.start(item);
    await harness.until(() => item.shown.status === 'deploying');
    await harness.env.sleep('11 minutes');
    await eventually(async () =>
      expect(await handle.query(deployStatusQuery)).toMatchObject({
        phase: 'unknown',
        reason: expect.stringContaining('no deployFinished signal within 10 minutes'),
      }),
    );
    await handle.signal(deployFinishedSignal, { ok: true, by: 'ci' });
    expect(await handle.result()).toMatchObject({ outcome: 'done' });
  });

  test('a report about another version or operation is ignored; the one about this deploy counts', async () => {
    const item = harness.add({ plan: external() });
    const handle = await harness.start(item, { version: 'v9' });
    await harness.until(() => item.shown.status === 'deploying');
    await handle.signal(deployFinishedSignal, { ok: true, version: 'v8', by: 'ci run 41' });
    await handle.signal(deployFinishedSignal, { ok: false, operationId: 'another:deploy', by: 'ci run 41' });
    const { operationId, notes } = await handle.query(deployStatusQuery);
    expect(notes.map(({ text }) => text)).toEqual([
      'the signal deployFinished was ignored: it is about version v8, not v9',
      `the signal deployFinished was ignored: it is about operation another:deploy, not ${operationId}`,
    ]);
    await handle.signal(deployFinishedSignal, { ok: true, version: 'v9', operationId, by: 'ci run 42' });
    expect(await handle.result()).toMatchObject({ outcome: 'done' });
  });

  test('a report of a version that breaks the pattern is ignored', async () => {
    const item = harness.add({ plan: external() });
    const handle = await harness.start(item);
    await harness.until(() => item.shown.status === 'deploying');
    await handle.signal(deployFinishedSignal, { ok: true, version: 'v9 $(x)' });
    const { notes } = await handle.query(deployStatusQuery);
    expect(notes.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^the signal deployFinished was ignored: version must begin with .*, got "v9 \$\(x\)"$/),
    ]);
    await handle.signal(deployFinishedSignal, { ok: true, version: 'v9' });
    expect(await handle.result()).toMatchObject({ outcome: 'done' });
  });

  const unapproved = { ...external(), approval: { required: false, timeoutMs: 600_000 } };

  test('a report that comes with the start counts where no approval is needed', async () => {
    const item = harness.add({ plan: unapproved });
    const handle = await harness.signalWithStart(item, deployFinishedSignal, { ok: true, version: 'v9', by: 'ci' });
    expect(await handle.result()).toMatchObject({ outcome: 'done' });
    expect(await handle.query(deployStatusQuery)).toMatchObject({ reported: { by: 'ci' }, notes: [] });
  });

  test('a report that comes while Awaiting Deploy is still being written counts where no approval is needed', async () => {
    const item = harness.add({ plan: unapproved });
    let reported = false;
    item.tracker = async (call) => {
      if (call === 'read' || reported) return;
      reported = true;
      await harness.deploy(item).signal(deployFinishedSignal, { ok: true, version: 'v9', by: 'ci' });
    };
    const handle = await harness.start(item);
    expect(await handle.result()).toMatchObject({ outcome: 'done' });
    expect(await handle.query(deployStatusQuery)).toMatchObject({ reported: { by: 'ci' }, notes: [] });
    expect(statuses(item)).toEqual(['awaiting_deploy', 'deploying', 'done']);
  });

  test('a report that comes with the start is ignored, and shown, where an approval is needed', async () => {
    const item = harness.add({ plan: { ...external(), approval: { required: true, timeoutMs: 60_000 } } });
    const handle = await harness.signalWithStart(item, deployFinishedSignal, { ok: true, by: 'ci' });
    expect(await handle.result()).toMatchObject({ outcome: 'approval_expired' });
    expect((await handle.query(deployStatusQuery)).notes.map(({ text }) => text)).toEqual([
      'the signal deployFinished was ignored: the deploy is not approved yet',
    ]);
  });
});

test('a driver that needs a person: a note and an alert at once, while the deploy goes on', async () => {
  const item = harness.add();
  const text = "the deployer's status URL cannot be read, it is asked again: it answered 401";
  let notes: readonly unknown[] = [];
  item.deploy = async () => {
    await harness.deploy(item).signal(driverStuckSignal, { kind: 'deploy', text });
    await eventually(async () => {
      expect(item.alerts).toHaveLength(1);
      notes = (await harness.deploy(item).query(deployStatusQuery)).notes;
    });
    return { ok: true, detail: 'it worked' };
  };
  expect(await harness.run(item)).toMatchObject({ outcome: 'done' });
  expect(notes).toMatchObject([{ text }]);
  expect(item.alerts).toMatchObject([
    { key: expect.stringMatching(/:deploy-stuck$/), text: `${text} (${item.workItem})` },
  ]);
});

describe('a database that needs somebody', () => {
  const refused = (message: string): never => {
    throw ApplicationFailure.nonRetryable(`Postgres refuses: ${message}`, 'DatabaseRefused');
  };

  test('a stage that cannot be set: the window opens, somebody is called, and Done follows once it is mended', async () => {
    const item = harness.add();
    let tries = 0;
    item.database = async (call) => {
      if (call === 'read') return;
      tries += 1;
      if (item.count.looks < 10) refused('new row violates check constraint "stage_check"');
    };
    const handle = await harness.start(item);
    await harness.until(() => item.shown.status === 'monitoring');
    await harness.window(item).result(); // time does not skip while a wrap-up outlives its window
    expect(await handle.result()).toMatchObject({ outcome: 'done' });
    expect(item.reports).toMatchObject([{ outcome: 'healthy' }]);
    expect(item.task?.stage).toBe('done');
    expect(statuses(item)).toEqual(['awaiting_deploy', 'deploying', 'monitoring', 'done']);
    expect(tries).toBeGreaterThan(2);
    expect(item.alerts).toMatchObject([
      { title: expect.stringMatching(/needs attention$/), text: expect.stringContaining('"stage_check"') },
    ]);
    expect(comments(item)).toMatch(/needs attention\.\nthe task cannot be set to done/);
    const { notes } = await handle.query(deployStatusQuery);
    expect(notes[0]?.text).toMatch(
      /^the task cannot be set to done, production is watched meanwhile: Postgres refuses/,
    );
  });

  test('a database that is away for longer than a minute leaves the new version watched', async () => {
    const item = harness.add();
    item.database = async (call) => {
      if (call === 'set' && item.count.looks < 3) throw new Error('Postgres is not available');
    };
    expect(await harness.run(item)).toMatchObject({ outcome: 'done' });
    expect(item.reports).toMatchObject([{ outcome: 'healthy' }]);
    expect(item.alerts).toHaveLength(1);
  });

  test('where there is no window, Done waits for the task', async () => {
    const item = harness.add({ plan: plan({ window: null }) });
    let tries = 0;
    item.database = async (call) => {
      if (call === 'set' && ++tries < 4) refused('permission denied for table tasks');
    };
    expect(await harness.run(item)).toMatchObject({ outcome: 'done' });
    expect(item.shown.status).toBe('done');
    expect(item.alerts).toMatchObject([
      { text: expect.stringMatching(/^the task cannot be set to done, and no window watches production: /) },
    ]);
  });

  test.each([true, false])(
    'a task that is deleted before it can be set to done: the deploy has failed, and somebody hears of it; window: %s',
    async (watched) => {
      const item = harness.add(watched ? {} : { plan: plan({ window: null }) });
      let tries = 0;
      item.database = async (call) => {
        if (call !== 'set') return;
        tries += 1;
        if (tries === 1) refused('permission denied for table tasks');
        item.task = null;
      };
      const handle = await harness.start(item);
      if (watched) await harness.window(item).result();
      expect(await handle.result()).toMatchObject({
        outcome: 'deploy_failed',
        reason: expect.stringMatching(/^the deploy worked, but the task was deleted meanwhile/),
      });
      expect(kinds(item.alerts)).toEqual(['task-not-done', 'deploy_failed']);
      expect(item.shown.id).toBe(IN_PROGRESS.id);
    },
  );

  test('a start that is refused leaves what is still to be told to its wrap-up', async () => {
    const item = harness.add();
    let reads = 0;
    item.database = async (call) => {
      if (call !== 'read' || ++reads > 1) return;
      item.task = { repo: 'another', stage: 'deploy' };
      refused('permission denied for table tasks');
    };
    let sent = 0;
    item.sink = async () => {
      sent += 1;
      if (sent < 20) throw new Error('the sink is away');
    };
    const handle = await harness.start(item);
    expect(await handle.result()).toMatchObject({ outcome: 'refused' });
    expect(kinds(item.alerts)).toEqual(['task-unread']);
  });

  test('a run that is cancelled while its last try sets the task to done ends with Done', async () => {
    const item = harness.add({ plan: plan({ window: null }) });
    const gate = closedGate();
    let tries = 0;
    item.database = async (call) => {
      if (call !== 'set') return;
      tries += 1;
      if (tries === 1) refused('permission denied for table tasks');
      await gate.passed;
    };
    const handle = await harness.start(item);
    await harness.until(() => tries === 2);
    await handle.cancel();
    await eventually(() => expectActivityCancelRequested(handle));
    gate.open();
    expect(await handle.result()).toMatchObject({ outcome: 'done' });
    expect([item.task?.stage, item.shown.status]).toEqual(['done', 'done']);
  });

  test('a task that cannot be read: somebody is called at once, and it goes on once it is mended', async () => {
    const item = harness.add();
    let reads = 0;
    item.database = async (call) => {
      if (call === 'read' && ++reads < 4) refused('permission denied for table tasks');
    };
    const handle = await harness.start(item);
    expect(await handle.result()).toMatchObject({ outcome: 'done' });
    expect(item.alerts).toHaveLength(1);
    expect((await handle.query(deployStatusQuery)).notes[0]?.text).toMatch(
      /^the task cannot be read; retrying every few minutes: Postgres refuses/,
    );
  });
});

test('Temporal refuses to list runs: somebody is called at once, and the deploy goes on once it is mended', async () => {
  const item = harness.add();
  let asked = 0;
  item.runs = async () => {
    if (++asked < 3) throw ApplicationFailure.nonRetryable('Temporal refuses: not allowed to list', 'TemporalRefused');
  };
  const handle = await harness.start(item);
  expect(await handle.result()).toMatchObject({ outcome: 'done' });
  expect(item.alerts).toMatchObject([{ title: expect.stringMatching(/needs attention$/) }]);
  expect((await handle.query(deployStatusQuery)).notes[0]?.text).toBe(
    'nobody knows whether the repository is busy; retrying every few minutes: Temporal refuses: not allowed to list',
  );
});

describe('a tracker that fails never holds up the work', () => {
  test('an intermediate status that cannot be written is noted, and the deploy goes on to Done', async () => {
    const item = harness.add();
    item.tracker = async () => {
      if (item.task?.stage !== 'done') throw new Error('the tracker is away');
    };
    const handle = await harness.start(item);
    expect(await handle.result()).toMatchObject({ outcome: 'done' });
    expect(statuses(item)).toEqual(['monitoring', 'done']);
    const { notes } = await handle.query(deployStatusQuery);
    expect(notes.map(({ text }) => text)).toEqual([
      expect.stringContaining('the status could not be read'),
      expect.stringContaining('Awaiting Deploy could not be shown'),
      expect.stringContaining('Deploying could not be shown'),
    ]);
  });

  test('a work item that is gone from the tracker ends the mirroring, not the run', async () => {
    const item = harness.add();
    item.tracker = async () => {
      if (item.task?.stage === 'done') throw ApplicationFailure.nonRetryable('no such work item', 'PlaneNotFound');
    };
    expect(await harness.run(item)).toMatchObject({ outcome: 'done' });
    expect(item.alerts).toEqual([]);
  });

  test('a revoked key at the end: one alarm, and Done once the key is back', async () => {
    const item = harness.add({ plan: plan({ window: null }) });
    let refused = 0;
    item.tracker = async () => {
      if (item.task?.stage !== 'done' || refused >= 3) return;
      refused += 1;
      throw ApplicationFailure.nonRetryable('Given API token is not valid', 'PlaneUnauthorized');
    };
    expect(await harness.run(item)).toMatchObject({ outcome: 'done' });
    expect(item.shown.status).toBe('done');
    expect(item.alerts).toHaveLength(1);
    expect(refused).toBe(3);
  });

  test('the status from before the run is put back once the tracker is there again, hours later; the repository is free meanwhile', async () => {
    const item = harness.add({ deploy: async () => ({ ok: false, detail: 'exit code 3' }) });
    const began = await harness.env.currentTimeMs();
    let meanwhile: unknown;
    item.tracker = async () => {
      if (item.count.deploys === 0 || (await harness.env.currentTimeMs()) - began > 3 * 60 * 60_000) return;
      meanwhile ??= (await harness.deploy(item).query(deployStatusQuery)).phase;
      throw new Error('the tracker is away');
    };
    expect(await harness.run(item)).toMatchObject({ outcome: 'deploy_failed' });
    expect(item.shown.id).toBe(IN_PROGRESS.id);
    expect(meanwhile).toBe('finished');
    expect(item.alerts.map(({ key }) => key.split(':').at(-1))).toEqual(['deploy_failed']);
  });

  test('where the guard is not in force it is tried for as long as the other statuses, and noted', async () => {
    const unguarded = plan({ guarded: false });
    const item = harness.add({ plan: unguarded, deploy: async () => ({ ok: false, detail: 'exit code 3' }) });
    item.tracker = async () => {
      if (item.count.deploys > 0) throw new Error('the tracker is away');
    };
    const handle = await harness.start(item);
    expect(await handle.result()).toMatchObject({ outcome: 'deploy_failed' });
    const { notes } = await handle.query(deployStatusQuery);
    expect(notes.map(({ text }) => text)).toContainEqual('the last status could not be written: the tracker is away');
  });

  test('where the guard is not in force a rate limit of a minute is waited out', async () => {
    const item = harness.add({ plan: plan({ guarded: false }), deploy: async () => ({ ok: false, detail: 'exit 3' }) });
    let limitedSince: number | null = null;
    item.tracker = async () => {
      if (item.count.deploys === 0) return;
      const now = await harness.env.currentTimeMs();
      limitedSince ??= now;
      if (now - limitedSince < 60_000)
        throw ApplicationFailure.create({ message: 'Plane answered 429', nextRetryDelay: 60_000 });
    };
    expect(await harness.run(item)).toMatchObject({ outcome: 'deploy_failed' });
    expect(item.shown.id).toBe(IN_PROGRESS.id);
  });

  test('an alert sink that is away delays neither the status nor its settle: the alarm arrives later', async () => {
    const item = harness.add({ plan: plan({ window: null, settleMs: 60_000 }) });
    const began = await harness.env.currentTimeMs();
    let refused = 0;
    let settled = false;
    let settledFirst: boolean | null = null;
    item.tracker = async (call) => {
      if (item.task?.stage !== 'done') return;
      if (item.shown.status === 'done') settled = true;
      else if (call === 'write' && refused < 2) {
        refused += 1;
        throw ApplicationFailure.nonRetryable('Given API token is not valid', 'PlaneUnauthorized');
      }
    };
    item.sink = async () => {
      if (!settled && (await harness.env.currentTimeMs()) - began < 3 * 60 * 60_000) throw new Error('it is away');
      settledFirst ??= settled;
    };
    expect(await harness.run(item)).toMatchObject({ outcome: 'done' });
    expect(settledFirst).toBe(true);
    expect(item.alerts).toMatchObject([{ key: expect.stringMatching(/:status-unwritten$/) }]);
  });

  test('where only a person can mend it: one alarm, and it is put back afterwards', async () => {
    const item = harness.add({ deploy: async () => ({ ok: false, detail: 'exit code 3' }) });
    let refused = 0;
    item.tracker = async () => {
      if (item.count.deploys === 0 || refused >= 3) return;
      refused += 1;
      throw ApplicationFailure.nonRetryable('Given API token is not valid', 'PlaneUnauthorized');
    };
    expect(await harness.run(item)).toMatchObject({ outcome: 'deploy_failed' });
    expect(item.shown.id).toBe(IN_PROGRESS.id);
    expect(item.alerts.map(({ key }) => key.split(':').at(-1)).sort()).toEqual(['deploy_failed', 'status-unwritten']);
    expect(comments(item)).toContain('deploy failed');
  });
});

test('a degraded window ends done, with the alert as a comment', async () => {
  const item = harness.add({ looks: [fail()] });
  expect(await harness.run(item)).toMatchObject({
    outcome: 'degraded_alerted',
    reason: expect.stringContaining('3 health checks in a row failed'),
  });
  expect(item.shown.status).toBe('done');
  expect(comments(item)).toContain('is degraded after its deploy');
});

describe('somebody moves the work item while its window is open', () => {
  const CANCELLED: ShownStatus = { id: 'id-cancelled', name: 'Cancelled', status: null };

  test('it stays there, and the ticket says what came of the deploy', async () => {
    const item = harness.add();
    item.onLook = async (n) => {
      if (n === 2) item.shown = CANCELLED;
    };
    expect(await harness.run(item, { version: 'v2' })).toMatchObject({ outcome: 'done' });
    expect(item.shown).toEqual(CANCELLED);
    expect(statuses(item)).toEqual(['awaiting_deploy', 'deploying', 'monitoring']);
    expect(item.comments.map(({ paragraphs }) => paragraphs.join())).toEqual([
      `${item.workItem}: the deploy of ${item.plan.repo} v2 is done, and its window was healthy. The status was left at Cancelled.`,
    ]);
  });

  test('also back to where it stood before, though only Monitoring had arrived', async () => {
    const item = harness.add();
    item.tracker = async (call) => {
      if (call === 'write' && item.count.looks === 0 && item.task?.stage !== 'done') throw new Error('it is away');
    };
    item.onLook = async (n) => {
      if (n === 3) item.shown = IN_PROGRESS;
    };
    expect(await harness.run(item)).toMatchObject({ outcome: 'done' });
    expect(item.shown.id).toBe(IN_PROGRESS.id);
    expect(statuses(item)).toEqual(['monitoring']);
  });

  test('while the tracker is away at the end: its wrap-up leaves it there, too, and says so', async () => {
    const item = harness.add();
    const began = await harness.env.currentTimeMs();
    item.onLook = async (n) => {
      if (n === 2) item.shown = CANCELLED;
    };
    item.tracker = async () => {
      if (item.shown === CANCELLED && (await harness.env.currentTimeMs()) - began < 2 * 60 * 60_000)
        throw new Error('it is away');
    };
    const handle = await harness.start(item);
    await harness.window(item).result(); // time does not skip while a wrap-up outlives its window
    expect(await handle.result()).toMatchObject({ outcome: 'done' });
    expect(item.shown).toEqual(CANCELLED);
    expect(comments(item)).toContain('The status was left at Cancelled.');
  });

  test('without a window: a status that nothing of the run has reached becomes Done', async () => {
    const item = harness.add({ plan: plan({ window: null }) });
    item.tracker = async () => {
      if (item.task?.stage !== 'done') throw new Error('it is away');
    };
    expect(await harness.run(item)).toMatchObject({ outcome: 'done' });
    expect(item.shown.status).toBe('done');
  });
});

test('a cancel of the run after done is passed on to the window', async () => {
  const item = harness.add({ plan: plan({ window: policy() }), looks: [pass()] });
  item.onLook = async (n) => {
    if (n === 2) await harness.whileTimeStands(item, () => harness.deploy(item).cancel());
  };
  expect(await harness.run(item)).toMatchObject({ outcome: 'window_cancelled' });
  expect(item.reports[0]?.messages).toMatchObject([{ name: 'cancel', by: 'temporal' }]);
  expect(item.shown.status).toBe('done');
  expect(item.count.looks).toBeLessThan(10);
});
