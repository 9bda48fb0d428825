import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createWindowEvidence, type WindowEvidence } from '../../../adapters/temporal/window-evidence.ts';
import { countedConnection } from '../../../bench/counted-connection.ts';
import { startTemporalServer } from '../../../demo/servers/temporal-server.ts';
import { deployWorkflowId, monitorWorkflowId } from '../../../workflows/messages.ts';
import { bundleWorkflows } from '../../setup/bundle.ts';
import { eventually } from '../../setup/eventually.ts';
import { PATIENCE_MS } from '../../setup/patience.ts';
import { connectTemporal, PatientClient, type TemporalAccess, unique } from '../../setup/temporal.ts';

let access: TemporalAccess;
let evidence: WindowEvidence;
let codePath: string;
beforeAll(async () => {
  access = await connectTemporal();
  evidence = createWindowEvidence(access.client);
  codePath = await bundleWorkflows(fileURLToPath(new URL('./phases.ts', import.meta.url)));
});
afterAll(async () => {
  await access.close();
  await rm(dirname(codePath), { recursive: true });
});

/** Starts an execution that says what phase it is told to; without a worker it stays before its first task. */
async function start(type: string, workflowId: string, phase = 'open') {
  return access.client.workflow.start(type, { workflowId, taskQueue: access.taskQueue, args: [phase] });
}

async function withWorker<T>(task: () => Promise<T>): Promise<T> {
  const { nativeConnection: connection, taskQueue } = access;
  const worker = await Worker.create({ connection, taskQueue, workflowBundle: { codePath } });
  return worker.runUntil(task);
}

describe('windowActive', () => {
  test('there is no window', async () => {
    expect(await evidence.windowActive('shop', unique('NONE'))).toBe(false);
  });

  test('from its start on, before any worker has seen it, until it says closed', async () => {
    const workItem = unique('WIN');
    const handle = await start('postDeployMonitor', monitorWorkflowId('shop', workItem));
    expect(await evidence.windowActive('shop', workItem)).toBe(true);
    await withWorker(async () => {
      await handle.signal('phase', 'acting');
      await eventually(async () => expect(await handle.query('said')).toBe('acting'));
      expect(await evidence.windowActive('shop', workItem)).toBe(true);
      await handle.signal('phase', 'closed');
      await eventually(async () => expect(await evidence.windowActive('shop', workItem)).toBe(false));
      expect((await handle.describe()).status.name).toBe('RUNNING');
      await handle.terminate();
    });
  });

  test.each(['terminate', 'cancel'] as const)('not once it has ended: %s', async (end) => {
    const workItem = unique('END');
    const handle = await start('postDeployMonitor', monitorWorkflowId('shop', workItem));
    await handle[end]();
    if (end === 'cancel') await withWorker(() => handle.result().catch(() => {}));
    expect(await evidence.windowActive('shop', workItem)).toBe(false);
  });

  test('no answer is an error, not false (invariant 3)', async () => {
    const gone = await startTemporalServer({ cli: inject('temporalCli'), ui: 'off' });
    const connection = await Connection.connect({ address: gone.address, connectTimeout: PATIENCE_MS });
    await gone.kill();
    const blind = createWindowEvidence(new Client({ connection }));
    await Promise.all([
      expect(blind.windowActive('shop', 'ORCH-61')).rejects.toThrow(),
      expect(blind.runningWindows('shop')).rejects.toThrow(),
    ]);
    await connection.close();
  });

  test('a namespace that is not there is an error too', async () => {
    const lost = createWindowEvidence(new Client({ connection: access.connection, namespace: 'nowhere' }));
    await expect(lost.windowActive('shop', 'ORCH-61')).rejects.toThrow();
  });
});

test('runningWindows: the window of a deploy, before the index knows it', async () => {
  const repo = unique('shop');
  const started = await Promise.all([
    start('deployToDone', deployWorkflowId(repo, 'A-1')),
    start('postDeployMonitor', monitorWorkflowId(repo, 'A-1')),
  ]);
  // As an index that lags: windows are not in it yet.
  const { workflow } = access.client;
  const lagging = new Proxy(access.client, {
    get: (client, name) =>
      name === 'workflow' ? Object.assign(Object.create(workflow), { list }) : Reflect.get(client, name),
  });
  async function* list(options: Parameters<typeof workflow.list>[0]) {
    for await (const found of workflow.list(options)) if (found.type === 'deployToDone') yield found;
  }
  const late = createWindowEvidence(lagging);
  await eventually(async () =>
    expect((await late.runningWindows(repo)).map(({ type }) => type)).toEqual(['deployToDone', 'postDeployMonitor']),
  );
  await Promise.all(started.map((handle) => handle.terminate()));
});

test('runningWindows: deploys and windows of the repository that run now, on any task queue', async () => {
  const repo = unique('Team/Shop_1');
  const [ended, ...running] = await Promise.all([
    start('postDeployMonitor', monitorWorkflowId(repo, 'A-0')),
    start('postDeployMonitor', monitorWorkflowId(repo, 'A-1'), 'open'),
    start('deployToDone', deployWorkflowId(repo, 'A-2'), 'monitoring'),
    start('setDeployStatus', monitorWorkflowId(repo, 'A-3')),
    start('postDeployMonitor', monitorWorkflowId(unique('other'), 'A-4')),
    start('postDeployMonitor', monitorWorkflowId(`${repo}/api`, 'A-5')),
    start('postDeployMonitor', monitorWorkflowId(repo.replace('_', '-'), 'A-6')),
    start('postDeployMonitor', monitorWorkflowId(`${repo}2`, 'A-7')),
    start('postDeployMonitor', `x${monitorWorkflowId(repo, 'A-8')}`),
  ]);
  const elsewhere = await access.client.workflow.start('deployToDone', {
    ...{ workflowId: deployWorkflowId(repo, 'B-1'), taskQueue: `${access.taskQueue}-nobody`, args: ['open'] },
  });
  await withWorker(async () => {
    const [window, deploy] = running;
    await eventually(async () =>
      expect(await Promise.all([window?.query('said'), deploy?.query('said')])).toEqual(['open', 'monitoring']),
    );
    await ended.terminate();
    await eventually(async () =>
      expect((await evidence.runningWindows(repo)).sort((a, b) => a.workItem.localeCompare(b.workItem))).toEqual([
        { workflowId: monitorWorkflowId(repo, 'A-1'), workItem: 'A-1', type: 'postDeployMonitor', phase: 'open' },
        { workflowId: deployWorkflowId(repo, 'A-2'), workItem: 'A-2', type: 'deployToDone', phase: 'monitoring' },
        { workflowId: deployWorkflowId(repo, 'B-1'), workItem: 'B-1', type: 'deployToDone', phase: null },
      ]),
    );
    await Promise.all([...running, elsewhere].map((handle) => handle.terminate()));
  });
});

test('runningWindows asks for no other repository, however many are busy', async () => {
  const repo = unique('shop');
  const { connection, asked } = countedConnection(access.connection);
  const counting = createWindowEvidence(new PatientClient({ connection, namespace: access.namespace }));
  const own = await start('postDeployMonitor', monitorWorkflowId(repo, 'A-1'));
  const others = await Promise.all(
    Array.from({ length: 30 }, (_, n) => start('deployToDone', deployWorkflowId(unique('other'), `A-${n}`))),
  );
  const indexed = `TaskQueue = '${access.taskQueue}' AND ExecutionStatus = 'Running'`;
  await eventually(async () =>
    expect((await access.client.workflow.count(indexed)).count).toBeGreaterThanOrEqual(others.length + 1),
  );
  expect((await counting.runningWindows(repo)).map(({ workflowId }) => workflowId)).toEqual([own.workflowId]);
  expect(asked).toEqual({ calls: { listWorkflowExecutions: 1, describeWorkflowExecution: 1 }, listed: 1 });
  await Promise.all([own, ...others].map((handle) => handle.terminate()));
});
