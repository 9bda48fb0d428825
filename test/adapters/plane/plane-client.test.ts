import { expect, test } from 'vitest';
import {
  PlaneForbidden,
  PlaneNotFound,
  PlaneRejected,
  PlaneUnauthorized,
  PlaneUnavailable,
} from '../../../adapters/plane/errors.ts';
import { createPlaneClient } from '../../../adapters/plane/plane-client.ts';
import { failure, simulated } from './support.ts';

test('a work item by key: one request, upper-cased, leading zeros dropped, wherever its project is', async () => {
  const { plane, client, asked } = await simulated();
  const { id, projectId, stateId } = plane.control.workItem('ORCH-61');
  const expected = { id, projectId, key: 'ORCH-61', name: 'Deploy status guard', stateId };
  expect(await client.workItem('ORCH-61', 'ORCH')).toEqual(expected);
  expect(await client.workItem(' orch-061 ', 'OPS')).toEqual(expected);
  expect(asked()).toEqual(['GET ORCH-61', 'GET ORCH-61']);
});

test('a work item by uuid: one request with a uuid project; its key is known once the project is', async () => {
  const { plane, client, asked } = await simulated();
  const { id, projectId } = plane.control.workItem('ORCH-61');
  expect(await client.workItem(id.toUpperCase(), projectId)).toMatchObject({ id, projectId, key: null });
  expect(asked()).toEqual([`GET ${id}`]);
  expect(await client.workItem(id, 'orch')).toMatchObject({ id, key: 'ORCH-61' });
  expect(await client.workItem(id, 'ORCH')).toMatchObject({ id, key: 'ORCH-61' });
  expect(asked()).toEqual([`GET ${id}`, 'GET projects', `GET ${id}`, `GET ${id}`]);
});

test('what is not there, archived, or no name of a work item is not found', async () => {
  const { client, asked } = await simulated();
  expect(await failure(client.workItem('ORCH-9999', 'ORCH'))).toBeInstanceOf(PlaneNotFound);
  expect(await failure(client.workItem('ORCH-4', 'ORCH'))).toBeInstanceOf(PlaneNotFound);
  const before = asked().length;
  for (const garbage of ['', 'ORCH', 'ORCH-', 'ORCH-abc', 'ORCH-1/../../x', 'ORCH-1?x=y', '../users/me']) {
    expect(await failure(client.workItem(garbage, 'ORCH'))).toBeInstanceOf(PlaneNotFound);
  }
  expect(asked()).toHaveLength(before);
  const unknownProject = await failure(client.workItem('NOPE-1', 'ORCH'));
  expect(unknownProject).toBeInstanceOf(PlaneForbidden);
  expect(unknownProject.message).toContain('the project or workspace does not exist');
});

test('projects by identifier or uuid, cached under both', async () => {
  const { client, asked } = await simulated();
  const project = await client.project('orch');
  expect(project).toEqual({ id: project.id, identifier: 'ORCH', name: 'Orchestrator' });
  expect(await client.project(project.id)).toEqual(project);
  expect(asked()).toEqual(['GET projects']);
  const missing = await failure(client.project('NOPE'));
  expect(missing).toBeInstanceOf(PlaneNotFound);
  expect(missing.message).toContain('It sees ORCH, OPS.');
});

test('a change on a cold cache is three requests, on a warm one two: read, states, PATCH', async () => {
  const { plane, client, asked } = await simulated();
  const change = async (name: string): Promise<void> => {
    const item = await client.workItem('ORCH-61', 'ORCH');
    const state = await client.stateNamed(item.projectId, name);
    if (state.id !== item.stateId) await client.setState(item, state.id);
  };
  await change('Awaiting Deploy');
  await change('Deploying');
  const { id } = plane.control.workItem('ORCH-61');
  expect(asked()).toEqual(['GET ORCH-61', 'GET states', `PATCH ${id}`, 'GET ORCH-61', `PATCH ${id}`]);
  expect(plane.control.statusHistory('ORCH-61').map(({ from, to, by }) => [from, to, by])).toEqual([
    ['In Progress', 'Awaiting Deploy', 'deploy-bot'],
    ['Awaiting Deploy', 'Deploying', 'deploy-bot'],
  ]);
});

test('setState is unconditional: the same state again is one more PATCH and no change', async () => {
  const { plane, client } = await simulated();
  const item = plane.control.workItem('ORCH-61');
  await client.setState(item, item.stateId.toUpperCase());
  expect(plane.control.requests().map(({ method, body }) => [method, body])).toEqual([
    ['PATCH', JSON.stringify({ state: item.stateId })],
  ]);
  expect(plane.control.statusHistory('ORCH-61')).toEqual([]);
});

test('an empty or malformed state is refused here: Plane would move the item to its default state', async () => {
  const { plane, client, asked } = await simulated();
  const item = plane.control.workItem('ORCH-61');
  for (const bad of ['', 'Deploying']) {
    expect(await failure(client.setState(item, bad))).toMatchObject({
      name: 'PlaneRejected',
      writeMayHaveApplied: false,
    });
  }
  expect(asked()).toEqual([]);
});

test('a state of another project is rejected and drops the cached states', async () => {
  const { plane, client, asked } = await simulated();
  const [item, foreign] = [plane.control.workItem('ORCH-61'), plane.control.workItem('OPS-1')];
  await client.states(item.projectId);
  const error = await failure(client.setState(item, foreign.stateId));
  expect(error).toBeInstanceOf(PlaneRejected);
  expect(error).toMatchObject({ status: 400, writeMayHaveApplied: false });
  await client.states(item.projectId);
  expect(asked().filter((request) => request === 'GET states')).toHaveLength(2);
});

test('lists are read page by page to the end', async () => {
  const { plane, client } = await simulated();
  for (let made = 0; made < 250; made += 1) plane.control.addState('ORCH', { name: `State ${made}`, group: 'started' });
  const { projectId } = plane.control.workItem('ORCH-61');
  expect(await client.states(projectId)).toHaveLength(258);
  expect(await client.stateNamed(projectId, 'State 249')).toMatchObject({ group: 'started' });
  expect(plane.control.requests().map(({ path }) => path.split('?')[1])).toEqual([
    'per_page=100',
    'per_page=100&cursor=100%3A1%3A0',
    'per_page=100&cursor=100%3A2%3A0',
  ]);
});

test('work items are listed page by page, those that were changed last first', async () => {
  const { plane, client } = await simulated();
  for (let made = 0; made < 1_003; made += 1) plane.control.addWorkItem({ project: 'OPS', name: `Item ${made}` });
  plane.control.uiSetState('OPS-1', 'Done');
  plane.control.clearRequests();
  const first = await client.workItemsPage('OPS', null);
  expect(first.items).toHaveLength(1_000);
  const { id, stateId } = plane.control.workItem('OPS-1');
  expect(first.items[0]).toEqual({ id, key: 'OPS-1', stateId, updatedAt: expect.any(Number) });
  const times = first.items.map(({ updatedAt }) => updatedAt);
  expect(times).toEqual(times.toSorted((a, b) => b - a));
  const last = await client.workItemsPage('OPS', first.next);
  expect(last.items.length).toBeLessThan(10);
  expect(last.next).toBeNull();
  expect(new Set([...first.items, ...last.items].map(({ key }) => key)).size).toBe(1_000 + last.items.length);
});

test('what many need at once is asked for once: a project, and its states', async () => {
  const { plane, client } = await simulated();
  plane.control.clearRequests();
  const many = Array.from({ length: 10 });
  const projects = await Promise.all(many.map(() => client.project('ORCH')));
  const { id = '' } = projects[0] ?? {};
  await Promise.all([...many.map(() => client.states(id)), ...many.map(() => client.stateNamed(id, 'Done'))]);
  expect(new Set(projects.map((project) => project.id)).size).toBe(1);
  expect(plane.control.requests()).toHaveLength(2);
});

test('what has failed is asked for again', async () => {
  const { plane, client } = await simulated();
  plane.control.fault({ mode: 'status', status: 500, match: { method: 'GET', times: 1 } });
  const [first, second] = [client.project('ORCH'), client.project('orch')];
  expect(await failure(first)).toBeInstanceOf(PlaneUnavailable);
  expect(await failure(second)).toBeInstanceOf(PlaneUnavailable);
  expect(await client.project('ORCH')).toMatchObject({ identifier: 'ORCH' });
});

test('a request waits until one is left of the rate limit', async () => {
  const { plane, client } = await simulated();
  plane.control.setRateLimit(5, 1_500);
  for (let n = 0; n < 12; n += 1) await client.me();
  expect(plane.control.requests().map(({ status }) => status)).toEqual(Array(12).fill(200));
});

test('whose key it is; a revoked one is unauthorized, with what to do', async () => {
  const { plane, client } = await simulated();
  expect(await client.me()).toMatchObject({ displayName: 'deploy-bot' });
  plane.control.revokeKey(plane.apiKey);
  const error = await failure(client.me());
  expect(error).toBeInstanceOf(PlaneUnauthorized);
  expect(error.message).toBe(
    'GET /api/v1/users/me/: Plane answered 403 {"detail":"Given API token is not valid"}. The API key is wrong, expired or revoked: give a valid one.',
  );
});

test('an aborted call rejects with its own reason; one aborted before is not made', async () => {
  const { plane, client, asked } = await simulated();
  const item = plane.control.workItem('ORCH-61');
  const early = AbortSignal.abort(new Error('too late'));
  await expect(client.setState(item, item.stateId, { signal: early })).rejects.toThrow('too late');
  expect(asked()).toEqual([]);
  plane.control.fault({ mode: 'hold', phase: 'before' });
  const abort = new AbortController();
  const call = client.setState(item, item.stateId, { signal: abort.signal });
  await plane.control.whenHeld(1);
  abort.abort(new Error('worker is going'));
  await expect(call).rejects.toThrow('worker is going');
});

test('close may be called twice; a call afterwards says so and was not applied', async () => {
  const { plane, client } = await simulated();
  await client.close();
  await client.close();
  expect(
    await failure(client.setState(plane.control.workItem('ORCH-61'), plane.control.workItem('ORCH-61').stateId)),
  ).toMatchObject({
    name: 'PlaneUnavailable',
    writeMayHaveApplied: false,
    message: expect.stringContaining('closed already'),
  });
});

test.each([
  ['not a url', 'is not a URL'],
  ['ftp://plane.example.org', 'must begin with http'],
  ['https://user:hunter2@plane.example.org', 'must not carry a user or password'],
  ['https://plane.example.org/?token=hunter2', 'must not have a query'],
])('the URL %s is refused without being repeated', (url, why) => {
  const make = () => createPlaneClient({ url, apiKey: 'k', workspace: 'acme' });
  expect(make).toThrow(why);
  expect(make).not.toThrow('hunter2');
});

test('a key or workspace that cannot be one is refused at once', () => {
  const url = 'https://plane.example.org';
  expect(() => createPlaneClient({ url, apiKey: '', workspace: 'acme' })).toThrow('the Plane API key is empty');
  expect(() => createPlaneClient({ url, apiKey: 'hunter2\n', workspace: 'acme' })).toThrow(
    'the Plane API key is empty, or has spaces',
  );
  expect(() => createPlaneClient({ url, apiKey: 'k', workspace: 'a/b' })).toThrow('must be its slug');
});

test('a base path is kept, and a trailing /api/v1 is as good as none', async () => {
  const { plane } = await simulated();
  const client = createPlaneClient({ url: `${plane.url}/api/v1/`, apiKey: plane.apiKey, workspace: 'acme' });
  expect(await client.me()).toMatchObject({ displayName: 'deploy-bot' });
  await client.close();
  const elsewhere = createPlaneClient({ url: `${plane.url}/plane`, apiKey: plane.apiKey, workspace: 'acme' });
  expect(await failure(elsewhere.me())).toMatchObject({ name: 'PlaneMisconfigured', path: '/plane/api/v1/users/me/' });
  await elsewhere.close();
});
