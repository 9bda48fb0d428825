import { describe, expect, test } from 'vitest';
import { startHealing } from '../../adapters/temporal/start-healing.ts';
import type { Explanation } from '../../client/explain.ts';
import { runHere, runProcess } from '../client/run-cli.ts';
import { eventually } from '../setup/eventually.ts';
import type { System } from './harness.ts';
import { createItem, type Item } from './item.ts';
import { sharedSystem, withSystem } from './with-system.ts';

// Every status write and every refusal can be explained afterwards, from what Temporal keeps.

async function explained(system: System, item: Item): Promise<Explanation> {
  const { code, stdout } = await runHere(system.env(), 'explain', item.workItem.toLowerCase(), '--json');
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

describe.concurrent('d2d explain', () => {
  const onShared = sharedSystem({ repos: 5 });

  test('a whole deploy, a stale caller afterwards and a sweep: who wanted what, on what evidence, and what came of it', () =>
    withSystem({}, async (system, item) => {
      await system.startWorker();
      await item.start();
      expect(await item.result()).toMatchObject({ outcome: 'done' });
      await (await item.setStatus('deploying')).result();
      const spelled = createItem(system, item.repo, item.workItem.toLowerCase(), item.planeId);
      await (await spelled.setStatus('awaiting_deploy', 'careless-caller')).result();
      system.plane.control.uiSetState(item.workItem, 'Awaiting Deploy');
      expect((await runProcess(system.env(), 'reconcile')).code).toBe(0);

      const story = async () => {
        const { wishes, task } = await explained(system, item);
        expect(task).toMatchObject({ repo: item.repo, stage: 'done' });
        expect(wishes.every(({ attempts, failure }) => attempts === 1 && failure === null)).toBe(true);
        return wishes.map(({ caller, wanted, verdict, shown, wrote, evidence }) => [
          ...[caller, wanted, evidence?.dbStage, evidence?.windowActive, verdict, shown, wrote],
        ]);
      };
      await eventually(async () =>
        expect(await story()).toEqual([
          ['deployToDone', 'Awaiting Deploy', 'deploy', false, 'ALLOW', 'In Progress', 'Awaiting Deploy'],
          ['deployToDone', 'Deploying', 'deploy', false, 'ALLOW', 'Awaiting Deploy', 'Deploying'],
          ['deployToDone', 'Monitoring', 'done', true, 'ALLOW', 'Deploying', 'Monitoring'],
          ['postDeployMonitor', 'Done', 'done', false, 'CONVERGE_DONE', 'Monitoring after Deploy', 'Done'],
          ['postDeployMonitor', 'what should stand', 'done', false, null, 'Done', null],
          ['stale-caller', 'Deploying', 'done', false, 'CONVERGE_DONE', 'Done', null],
          ['careless-caller', 'Awaiting Deploy', 'done', false, 'CONVERGE_DONE', 'Done', null],
          ['healWorkItem', 'what should stand', 'done', false, 'CONVERGE_DONE', 'Awaiting Deploy', 'Done'],
        ]),
      );

      const { stdout } = await runProcess(system.env(), 'explain', item.workItem);
      const [head, , title, first] = stdout.split('\n');
      expect(head).toBe(`${item.workItem} · ${item.repo}, tasks.stage done`);
      expect(title).toMatch(/^TIME \(UTC\) +WHO +WANTED +EVIDENCE +VERDICT +WHAT CAME OF IT$/);
      expect(first).toMatch(
        /^[\d:.]+Z +deployToDone: waits for approval +Awaiting Deploy +stage deploy, no window +ALLOW +In Progress → Awaiting Deploy$/,
      );
      expect(stdout).toContain('nothing written, Done stands');
      const { stderr } = await runProcess(system.env(), 'explain', item.workItem, '--limit', '2');
      expect(stderr).toContain('there are more than 2, the older ones were not read: --limit 20 reads more of them');
    }));

  test('a write that goes wrong: how often it was tried, and why', () =>
    onShared(async (system, item) => {
      system.plane.control.fault({
        mode: 'status',
        status: 500,
        body: { error: 'Something went wrong' },
        match: { method: 'PATCH', path: item.planeId, times: 1 },
      });
      await (await item.setStatus('deploying')).result();
      await eventually(async () => {
        const { wishes } = await explained(system, item);
        expect(wishes).toMatchObject([
          {
            caller: 'stale-caller',
            attempts: 2,
            failure: expect.stringContaining('Plane answered 500'),
            wrote: 'Deploying',
          },
        ]);
      });
      const { stdout } = await runHere(system.env(), 'explain', item.workItem);
      expect(stdout).toMatch(/In Progress → Deploying \(try 2; before: .*Plane answered 500/);
    }));

  test('writes that were sent by tries which failed: each with its evidence, and what Plane answered', () =>
    onShared(async (system, item) => {
      const match = { method: 'PATCH', path: item.planeId, times: 1 };
      system.plane.control.fault({ mode: 'status', status: 500, body: { error: 'first' }, match });
      system.plane.control.fault({ mode: 'applyThenStatus', status: 500, body: { error: 'second' }, match });
      await (await item.setStatus('deploying')).result();
      const evidence = { inForce: true, dbStage: 'deploy', windowActive: false };
      const write = { sent: 'Deploying', verdict: 'ALLOW', evidence };
      await eventually(async () => {
        expect((await explained(system, item)).wishes).toMatchObject([
          {
            ...{ attempts: 3, shown: 'Deploying', wrote: null },
            earlier: [
              { ...write, answer: expect.stringContaining('first') },
              { ...write, answer: expect.stringContaining('second') },
            ],
          },
        ]);
      });
      const { stdout } = await runHere(system.env(), 'explain', item.workItem);
      expect(stdout).toMatch(/ALLOW +Deploying was sent: .*Plane answered 500/);
      expect(stdout).toMatch(/ALLOW +nothing written by this try, Deploying stands \(try 3; before: /);
    }));

  test('a write that was refused for good was sent all the same', () =>
    onShared(async (system, item) => {
      system.plane.control.fault({
        mode: 'status',
        status: 403,
        body: {},
        match: { method: 'PATCH', path: item.planeId },
      });
      await expect((await item.setStatus('deploying')).result()).rejects.toThrow();
      await eventually(async () => {
        expect((await explained(system, item)).wishes).toMatchObject([
          { failed: true, wrote: null, earlier: [{ sent: 'Deploying', answer: expect.stringContaining('403') }] },
        ]);
      });
    }));

  test('a write in doubt, as its lock was lost: it is on record beside what was written after it', () =>
    withSystem({}, async (system, item) => {
      const { control } = system.plane;
      control.fault({ mode: 'hold', phase: 'before', match: { method: 'PATCH', times: 1 } });
      await system.startWorker();
      const call = await item.setStatus('deploying');
      await control.whenHeld(1);
      await system.sql(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name like '% lock' and state = 'idle in transaction'`,
      );
      await item.setStage('done');
      control.release();
      await call.result();
      expect(item.history()).toEqual(['Deploying', 'Done']);
      await eventually(async () => {
        expect((await explained(system, item)).wishes).toMatchObject([
          {
            ...{ wanted: 'Deploying', verdict: 'CONVERGE_DONE', shown: 'Deploying', wrote: 'Done', attempts: 1 },
            earlier: [{ sent: 'Deploying', verdict: 'ALLOW', evidence: { dbStage: 'deploy' }, answer: 'taken' }],
          },
        ]);
      });
    }));

  const EARLIER = [{ sent: 'Deploying', verdict: 'ALLOW', answer: null }];

  /** A write that Plane has got, and whose worker is killed before it answers. */
  async function killedInWrite(system: System, item: Item) {
    const { control } = system.plane;
    control.fault({ mode: 'hold', phase: 'after', match: { method: 'PATCH', times: 1 } });
    const worker = await system.startWorker();
    const call = await item.setStatus('deploying');
    await eventually(async () => {
      expect(control.held()).toHaveLength(1);
      const { raw } = await call.describe(); // Temporal knows of the write
      // Its first heartbeats may have come before the write.
      const heartbeat = raw.pendingActivities?.[0]?.heartbeatDetails?.payloads?.[0]?.data;
      expect(Buffer.from(heartbeat ?? []).toString()).toContain('"status":"deploying"');
      worker.signal('SIGKILL'); // at once: after 10 s without an answer the worker tries again
    });
    await worker.ended;
    await eventually(async () => {
      expect((await explained(system, item)).wishes).toMatchObject([{ answeredAt: null, earlier: EARLIER }]);
    });
    control.release();
    return call;
  }

  test('a write whose worker was killed before its answer came', () =>
    withSystem({}, async (system, item) => {
      const call = await killedInWrite(system, item);
      await system.startWorker();
      await call.result();
      await eventually(async () => {
        expect((await explained(system, item)).wishes).toMatchObject([
          { attempts: 2, shown: 'Deploying', wrote: null, earlier: EARLIER },
        ]);
      });
    }));

  test('a write whose worker never came back', () =>
    withSystem({}, async (system, item) => {
      await killedInWrite(system, item);
      await eventually(async () => {
        const { wishes } = await explained(system, item); // its time is two minutes
        expect(wishes).toMatchObject([{ failed: true, earlier: EARLIER }]);
      });
    }));

  test('a healing that an event has started, and that has not come to an end yet', () =>
    withSystem({}, async (system, item) => {
      const { control } = system.plane;
      await item.setStage('done');
      control.uiSetState(item.workItem, 'Deploying');
      control.fault({ mode: 'status', status: 500, body: {}, match: { method: 'PATCH' } });
      await system.startWorker();
      const { id, projectId: project } = control.workItem(item.workItem);
      await startHealing(system.temporal.client, system.taskQueue, { id, project });
      await eventually(async () => {
        const { wishes } = await explained(system, item);
        expect(wishes).toMatchObject([
          { caller: 'healWorkItem', answeredAt: null, failure: expect.stringContaining('Plane answered 500') },
        ]);
      });
      control.clearFaults();
      await item.untilShown('Done');
    }));

  test('a healing that was stored although its answer said otherwise', () =>
    onShared(async (system, item) => {
      const { control } = system.plane;
      await item.setStage('done');
      control.uiSetState(item.workItem, 'Deploying');
      control.fault({
        mode: 'applyThenStatus',
        status: 500,
        body: {},
        match: { method: 'PATCH', path: item.planeId, times: 1 },
      });
      const { id, projectId: project } = control.workItem(item.workItem);
      await startHealing(system.temporal.client, system.taskQueue, { id, project });
      await eventually(async () => {
        expect((await explained(system, item)).wishes).toMatchObject([
          {
            ...{ caller: 'healWorkItem', attempts: 2, shown: 'Done', wrote: null },
            earlier: [{ sent: 'Done', verdict: 'CONVERGE_DONE', answer: expect.stringContaining('500') }],
          },
        ]);
      });
      expect(item.history()).toEqual(['Deploying', 'Done']);
    }));

  test('a work item of which nobody knows anything', () =>
    onShared(async (system) => {
      expect(await runHere(system.env(), 'explain', 'ORCH-404')).toMatchObject({
        code: 4,
        stderr: 'error: ORCH-404: nobody has asked for a status of it; d2d list --all shows what ran\n',
      });
    }));
});
