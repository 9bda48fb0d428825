/** The fault modes that the client's tests do not show: races, gates, lag, and what the control object says of them. */
import { expect, onTestFinished, test } from 'vitest';
import { createPlaneClient, type PlaneClient } from '../../../adapters/plane/plane-client.ts';
import { type SimulatedPlane, startSimulatedPlane } from '../../../demo/simulated-plane/simulated-plane.ts';
import { eventually } from '../../setup/eventually.ts';
import { PATIENT_TIMEOUTS } from '../../setup/patience.ts';

interface Setup {
  readonly plane: SimulatedPlane;
  readonly client: PlaneClient;
  readonly item: { id: string; projectId: string };
  stateId(name: string): Promise<string>;
}

async function setup(clock?: () => number): Promise<Setup> {
  const plane = await startSimulatedPlane({ jobDelayMs: 0, ...(clock === undefined ? {} : { clock }) });
  const { url, apiKey, workspace } = plane;
  const client = createPlaneClient({ url, apiKey, workspace, timeouts: PATIENT_TIMEOUTS });
  onTestFinished(async () => {
    await plane.close();
    await client.close();
  });
  const item = plane.control.workItem('ORCH-61');
  return { plane, client, item, stateId: async (name) => (await client.stateNamed(item.projectId, name)).id };
}

const names = (plane: SimulatedPlane): string[] =>
  plane.control.statusHistory('ORCH-61').map(({ to, by }) => `${to} by ${by}`);

test('a write held before it is applied lands when it is let go, even though its client is gone', async () => {
  const { plane, client, item, stateId } = await setup();
  const deploying = await stateId('Deploying');
  plane.control.fault({ mode: 'hold', phase: 'before', match: { method: 'PATCH', times: 1 } });
  const abort = new AbortController();
  const call = client.setState(item, deploying, { signal: abort.signal });
  await plane.control.whenHeld(1);
  expect(plane.control.held()).toEqual([{ method: 'PATCH', path: expect.stringContaining(item.id), phase: 'before' }]);
  abort.abort(new Error('killed'));
  await expect(call).rejects.toThrow('killed');
  expect(names(plane)).toEqual([]);
  expect(plane.control.release()).toBe(1);
  await eventually(() => expect(names(plane)).toEqual(['Deploying by deploy-bot']));
});

test('a write held after it was applied is there already', async () => {
  const { plane, client, item, stateId } = await setup();
  const deploying = await stateId('Deploying');
  plane.control.fault({ mode: 'hold', phase: 'after', match: { method: 'PATCH' } });
  const call = client.setState(item, deploying);
  await plane.control.whenHeld(1);
  expect(names(plane)).toEqual(['Deploying by deploy-bot']);
  expect(plane.control.requests().at(-1)).toMatchObject({
    method: 'PATCH',
    applied: true,
    status: null,
    fault: 'hold',
  });
  plane.control.release();
  await call;
});

test('lostUpdate: the whole-row save takes back what a person did between load and save', async () => {
  const { plane, client, item, stateId } = await setup();
  const deploying = await stateId('Deploying');
  plane.control.fault({ mode: 'lostUpdate', to: 'Cancelled', match: { method: 'PATCH', times: 1 } });
  await client.setState(item, deploying);
  expect(names(plane)).toEqual(['Cancelled by human', 'Deploying by deploy-bot']);
});

test('a stale save of another field brings an old status back, and the history shows it', async () => {
  const { plane, client, item, stateId } = await setup();
  const done = await stateId('Done');
  plane.control.fault({ mode: 'hold', phase: 'midway', match: { method: 'PATCH', times: 1 } });
  const rename = fetch(`${plane.url}/api/v1/workspaces/acme/projects/${item.projectId}/work-items/${item.id}/`, {
    method: 'PATCH',
    headers: { 'x-api-key': plane.apiKey, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Renamed' }),
  });
  await plane.control.whenHeld(1);
  await client.setState(item, done);
  plane.control.release();
  await (await rename).text();
  expect(names(plane)).toEqual(['Done by deploy-bot', 'In Progress by deploy-bot']);
});

test('staleReads: reads lag, the answer to a PATCH does not', async () => {
  let now = 1_000_000;
  const { plane, client, item, stateId } = await setup(() => now);
  const [before, deploying] = [plane.control.workItem('ORCH-61').stateId, await stateId('Deploying')];
  plane.control.fault({ mode: 'staleReads', lagMs: 3_000 });
  now += 10_000;
  await client.setState(item, deploying);
  now += 2_999;
  expect((await client.workItem('ORCH-61', 'ORCH')).stateId).toBe(before);
  now += 1;
  expect((await client.workItem('ORCH-61', 'ORCH')).stateId).toBe(deploying);
});

test('dropJobs and a stopped worker: the write is there, its activity row is not (yet)', async () => {
  const { plane, client, item, stateId } = await setup();
  const [deploying, done] = [await stateId('Deploying'), await stateId('Done')];
  const rows = (): (string | null)[] => {
    plane.control.settleJobs();
    return plane
      .snapshot()
      .activities.filter(({ issue }) => issue === item.id)
      .map((row) => row.new_value);
  };
  plane.control.fault({ mode: 'dropJobs', match: { method: 'PATCH', times: 1 } });
  await client.setState(item, deploying);
  expect(rows()).toEqual([]);
  plane.control.holdJobs();
  await client.setState(item, done);
  expect(rows()).toEqual([]);
  plane.control.resumeJobs();
  expect(rows()).toEqual(['Done']);
});

test('rules: the first that matches wins; nth, times, method and path are kept to', async () => {
  const { plane, client } = await setup();
  plane.control.fault({ mode: 'status', status: 503, match: { method: 'GET', path: /users\/me/, nth: 2, times: 1 } });
  plane.control.fault({ mode: 'status', status: 404, body: { error: 'gone' }, match: { path: 'work-items/ORCH-61' } });
  const outcomes: string[] = [];
  for (let asked = 0; asked < 3; asked += 1)
    outcomes.push(
      await client.me().then(
        () => 'ok',
        (error: Error) => error.name,
      ),
    );
  expect(outcomes).toEqual(['ok', 'PlaneUnavailable', 'ok']);
  await expect(client.workItem('ORCH-61', 'ORCH')).rejects.toThrow('gone');
  plane.control.clearFaults();
  expect(await client.workItem('ORCH-61', 'ORCH')).toMatchObject({ key: 'ORCH-61' });
});

test('probability is seeded: the same seed meets the same requests', async () => {
  const outcomes = async (): Promise<number[]> => {
    const plane = await startSimulatedPlane({ randomSeed: 7 });
    plane.control.fault({ mode: 'status', status: 500, match: { probability: 0.5 } });
    const seen: number[] = [];
    for (let asked = 0; asked < 20; asked += 1) {
      const response = await fetch(`${plane.url}/api/v1/users/me/`, { headers: { 'x-api-key': plane.apiKey } });
      await response.text();
      seen.push(response.status);
    }
    await plane.close();
    return seen;
  };
  const first = await outcomes();
  expect(new Set(first)).toEqual(new Set([200, 500]));
  expect(await outcomes()).toEqual(first);
});

test('connRefused: this request is reset, the next ones are refused, then it is back', async () => {
  const { plane, client } = await setup();
  plane.control.fault({ mode: 'connRefused', ms: 600_000, match: { times: 1 } });
  await expect(client.me()).rejects.toThrow('connection failed');
  await expect(client.me()).rejects.toThrow('connection was refused');
  await plane.control.acceptConnections();
  expect(await client.me()).toMatchObject({ displayName: 'deploy-bot' });
});

test('the rate limit can be changed and switched off', async () => {
  const { plane } = await setup();
  const ask = async (): Promise<number> =>
    (await fetch(`${plane.url}/api/v1/users/me/`, { headers: { 'x-api-key': plane.apiKey } })).status;
  plane.control.setRateLimit(1);
  expect([await ask(), await ask()]).toEqual([200, 429]);
  plane.control.setRateLimit(null);
  for (let asked = 0; asked < 70; asked += 1) expect(await ask()).toBe(200);
});
