import { expect, onTestFinished, test } from 'vitest';
import { createPlaneClient } from '../../../adapters/plane/plane-client.ts';
import { remoteControl } from '../../../demo/simulated-plane/remote-control.ts';
import { DEFAULT_SEED } from '../../../demo/simulated-plane/seed.ts';
import { type SimulatedPlane, startSimulatedPlane } from '../../../demo/simulated-plane/simulated-plane.ts';

async function start(): Promise<SimulatedPlane> {
  const plane = await startSimulatedPlane({ jobDelayMs: 0 });
  onTestFinished(() => plane.close());
  return plane;
}

test('the default seed: two projects with the three deploy states, a key of the deploy bot', async () => {
  const plane = await start();
  const { projects, states } = plane.snapshot();
  expect(projects.map(({ identifier }) => identifier)).toEqual(['ORCH', 'OPS']);
  for (const project of projects) {
    expect(
      states.filter((state) => state.project === project.id).map(({ name, group }) => `${name}: ${group}`),
    ).toEqual([
      'Backlog: backlog',
      'Todo: unstarted',
      'In Progress: started',
      'Done: completed',
      'Cancelled: cancelled',
      'Awaiting Deploy: started',
      'Deploying: started',
      'Monitoring after Deploy: started',
    ]);
  }
  expect(plane).toMatchObject({
    workspace: 'acme',
    apiKey: 'plane_api_simulated',
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
  });
});

test('people: they move, rename, archive and delete; the history says who moved what', async () => {
  const { control } = await start();
  control.uiSetState('ORCH-61', 'Done');
  control.uiSetState('ORCH-61', 'Cancelled', 'guest');
  control.uiRename('ORCH-61', 'Guard');
  expect(control.workItem('ORCH-61')).toMatchObject({ state: 'Cancelled', name: 'Guard', completedAt: null });
  expect(control.statusHistory('ORCH-61')).toMatchObject([
    { from: 'In Progress', to: 'Done', by: 'human', at: expect.any(Number) },
    { from: 'Done', to: 'Cancelled', by: 'guest' },
  ]);
  control.archive('ORCH-61');
  expect(control.workItem('ORCH-61').archived).toBe(true);
  control.deleteWorkItem('ORCH-61');
  expect(() => control.workItem('ORCH-61')).toThrow('there is no work item ORCH-61');
  expect(() => control.uiSetState('ORCH-1', 'Nope')).toThrow('there is no state "Nope", only Backlog, Todo');
});

test('states can be renamed and deleted; the items of a deleted one go to the default state', async () => {
  const { control } = await start();
  control.uiSetState('ORCH-61', 'Deploying');
  control.renameState('ORCH', 'Deploying', 'Rolling out');
  expect(control.workItem('ORCH-61').state).toBe('Rolling out');
  control.deleteState('ORCH', 'Rolling out');
  expect(control.workItem('ORCH-61').state).toBe('Backlog');
});

test('the log of requests says what was applied and never holds the key', async () => {
  const plane = await start();
  const client = createPlaneClient({ url: plane.url, apiKey: plane.apiKey, workspace: 'acme' });
  onTestFinished(() => client.close());
  const item = await client.workItem('ORCH-61', 'ORCH');
  await client.setState(item, (await client.stateNamed(item.projectId, 'Deploying')).id);
  const log = plane.control.requests();
  expect(log.map(({ method, status, applied, by }) => [method, status, applied, by])).toEqual([
    ['GET', 200, false, 'deploy-bot'],
    ['GET', 200, false, 'deploy-bot'],
    ['PATCH', 200, true, 'deploy-bot'],
  ]);
  expect(JSON.stringify(log)).not.toContain(plane.apiKey);
  plane.control.clearRequests();
  expect(plane.control.requests()).toEqual([]);
});

test('the whole control works from another process, is not logged and knows no rate limit', async () => {
  const plane = await start();
  const remote = remoteControl(plane.url);
  plane.control.setRateLimit(1);
  await remote.uiSetState('ORCH-61', 'Done');
  expect(await remote.statusHistory('ORCH-61')).toMatchObject([{ from: 'In Progress', to: 'Done', by: 'human' }]);
  expect(await remote.workItem('ORCH-61')).toEqual(plane.control.workItem('ORCH-61'));
  await remote.addWorkItem({ project: 'OPS', name: 'New', number: 7 });
  await remote.fault({ mode: 'hold', phase: 'before', match: { path: /users\/me/ } });
  const held = fetch(`${plane.url}/api/v1/users/me/`, { headers: { 'x-api-key': plane.apiKey } });
  await remote.whenHeld(1);
  expect(await remote.held()).toEqual([{ method: 'GET', path: '/api/v1/users/me/', phase: 'before' }]);
  expect(await remote.release()).toBe(1);
  expect((await held).status).toBe(200);
  expect(await remote.requests()).toHaveLength(1);
  await remote.reset(DEFAULT_SEED);
  expect(await remote.statusHistory('ORCH-61')).toEqual([]);
  await expect(remote.workItem('ORCH-999')).rejects.toThrow('there is no work item ORCH-999');
});

test('a command that does not exist, or does not fit, says so', async () => {
  const plane = await start();
  const post = async (path: string, body: string) => {
    const response = await fetch(`${plane.url}/__sim/${path}`, { method: 'POST', body });
    return [response.status, JSON.stringify(await response.json())];
  };
  expect(await post('nonsense', '[]')).toEqual([404, expect.stringContaining('no such command; there are reset,')]);
  expect(await post('workItem', '[1]')).toEqual([400, expect.stringContaining('expected string')]);
  expect(await post('fault', '[{"mode":"explode"}]')).toEqual([400, expect.stringContaining('mode')]);
  expect(await post('uiSetState', 'no json')).toEqual([400, expect.stringContaining('JSON')]);
});
