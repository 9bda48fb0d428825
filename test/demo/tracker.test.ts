import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { type SimulatedPlane, startSimulatedPlane } from '../../demo/simulated-plane/simulated-plane.ts';
import { type PatchGate, startPatchGate } from '../../demo/stack/patch-gate.ts';
import { openRealTracker, realPlane } from '../../demo/stack/real-tracker.ts';
import { STATES } from '../../demo/stack/tracker.ts';
import { eventually } from '../setup/eventually.ts';

// A tracker that only uses Plane's API, as with a real Plane, against the simulated one.

let plane: SimulatedPlane | undefined;
let gate: PatchGate | undefined;

afterEach(async () => {
  await gate?.close();
  await plane?.close();
  gate = undefined;
  plane = undefined;
});

test('missing deploy states and work items are made, and the history is read from the activities', async () => {
  const started = await startSimulatedPlane({
    seed: {
      workspace: 'acme',
      users: [{ displayName: 'bot', key: 'plane_api_test', role: 20 }],
      projects: [{ identifier: 'SHOP', name: 'Shop' }],
    },
  });
  plane = started;
  const said: string[] = [];
  const real = { url: started.url, apiKey: 'plane_api_test', workspace: 'acme', project: 'shop' };
  const tracker = await openRealTracker(real, (line) => said.push(line));
  expect(said).toHaveLength(3);

  const item = await tracker.createWorkItem('A new cart');
  expect(item.key).toBe('SHOP-1');
  const before = await item.status();
  for (const state of [STATES.deploying, STATES.monitoring]) {
    started.control.uiSetState(item.key, state, 'bot');
    await delay(100);
  }
  await eventually(async () =>
    expect(await item.statusHistory()).toEqual([
      { from: before, to: STATES.deploying },
      { from: STATES.deploying, to: STATES.monitoring },
    ]),
  );
  expect(await item.status()).toBe(STATES.monitoring);
  expect(await item.commentIds()).toEqual([]);
  await tracker.close();

  const again: string[] = [];
  await (await openRealTracker(real, (line) => again.push(line))).close();
  expect(again).toEqual([]);
});

test('a held PATCH goes on to Plane when it is let go, though its caller is gone', async () => {
  const started = await startSimulatedPlane();
  plane = started;
  gate = await startPatchGate(started.url);
  const { id, projectId, stateId } = started.control.workItem('ORCH-1');
  const { id: wanted } = started.control.addState('ORCH', { name: 'Shown', group: 'started' });
  const path = `/api/v1/workspaces/acme/projects/${projectId}/work-items/${id}/`;
  const headers = { 'x-api-key': started.apiKey, 'content-type': 'application/json' };

  expect(await (await fetch(`${gate.url}${path}`, { headers })).json()).toMatchObject({ state: stateId });
  gate.holdNext();
  const gone = new AbortController();
  const write = fetch(`${gate.url}${path}`, {
    method: 'PATCH',
    headers,
    body: JSON.stringify({ state: wanted }),
    signal: gone.signal,
  });
  write.catch(() => {});
  await eventually(() => expect(gate?.held()).toBe(1));
  gone.abort();
  await expect(write).rejects.toThrow();
  expect(started.control.workItem('ORCH-1').state).not.toBe('Shown');
  await gate.letGo();
  expect(started.control.workItem('ORCH-1').state).toBe('Shown');
});

test('a real Plane is meant where all four variables are set, and a fault where only some are', () => {
  const all = {
    ORCH_PLANE_URL: 'https://plane.example.org',
    ORCH_PLANE_API_KEY: 'key',
    ORCH_PLANE_WORKSPACE: 'acme',
    ORCH_PLANE_PROJECT: 'SHOP',
  };
  expect(realPlane({})).toBeNull();
  expect(realPlane(all)).toMatchObject({ url: 'https://plane.example.org', project: 'SHOP' });
  expect(() => realPlane({ ...all, ORCH_PLANE_API_KEY: '' })).toThrow('ORCH_PLANE_API_KEY must be set too');
});
