import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { readEvent } from '../../../adapters/plane/webhook.ts';
import { dumpLikePython } from '../../../demo/simulated-plane/python-json.ts';
import { startSimulatedPlane } from '../../../demo/simulated-plane/simulated-plane.ts';
import { recordedDeliveries } from '../../adapters/plane/recordings.ts';
import { eventually } from '../../setup/eventually.ts';

// The simulated Plane's events are those of the recordings: the same keys in the same order, in the same bytes, signed alike.

async function receiving() {
  const got: { readonly body: string; readonly signature: string }[] = [];
  const server = createServer(async (incoming, response) => {
    let body = '';
    for await (const chunk of incoming) body += chunk;
    got.push({ body, signature: String(incoming.headers['x-plane-signature']) });
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const plane = await startSimulatedPlane({ jobDelayMs: 0 });
  onTestFinished(async () => {
    await plane.close();
    server.close();
  });
  plane.control.setWebhook({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    secret: 'plane_wh_test',
  });
  const patch = (key: string, values: object) => {
    const { id, projectId } = plane.control.workItem(key);
    return request(`${plane.url}/api/v1/workspaces/${plane.workspace}/projects/${projectId}/work-items/${id}/`, {
      method: 'PATCH',
      headers: { 'x-api-key': plane.apiKey, 'content-type': 'application/json' },
      body: JSON.stringify(values),
    }).then(({ body }) => body.dump());
  };
  return { plane, got, patch };
}

/** The keys of a body in their order, of all that is in it; the values are struck out. */
const shape = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.entries(value).map(([key, member]) => [key, shape(member)])
    : '_';

const shapeOf = (body: string): unknown => shape(JSON.parse(body));

const recorded = (prefix: string): string =>
  recordedDeliveries()
    .find(({ name }) => name.startsWith(prefix))
    ?.body.toString('utf8') ?? '';

test.each(recordedDeliveries())('the recorded bytes are written again: $name', ({ body }) => {
  const text = body.toString('utf8');
  expect(dumpLikePython(JSON.parse(text))).toBe(text);
});

test('a state changed by the API, and in the web app', async () => {
  const { plane, got, patch } = await receiving();
  plane.control.uiSetState('ORCH-61', 'Deploying');
  await eventually(() => expect(got).toHaveLength(1));
  expect(shapeOf(got[0]?.body ?? '')).toEqual(shapeOf(recorded('531-')));
  expect(JSON.parse(got[0]?.body ?? '')).toMatchObject({ action: 'updated', activity: { field: 'state_id' } });
  const { stateId } = plane.control.workItem('ORCH-61');
  plane.control.uiSetState('ORCH-61', 'Done');
  await patch('ORCH-61', { state: stateId });
  await eventually(() => expect(got).toHaveLength(3));
  expect(shapeOf(got[2]?.body ?? '')).toEqual(shapeOf(recorded('520-')));
  expect(JSON.parse(got[2]?.body ?? '')).toMatchObject({
    action: 'updated',
    activity: { field: 'state', new_value: stateId },
  });
  for (const { body, signature } of got) {
    expect(readEvent('plane_wh_test', signature, Buffer.from(body))).toMatchObject({ kind: 'work item' });
  }
});

test('the same state again sends nothing; two fields send two events', async () => {
  const { plane, got, patch } = await receiving();
  const { stateId } = plane.control.workItem('ORCH-61');
  await patch('ORCH-61', { state: stateId });
  await patch('ORCH-61', { name: 'Zażółć ✓ "quoted"', priority: 'low' });
  await eventually(() => expect(got).toHaveLength(2));
  expect(got[0]?.body).toContain('"name": "Za\\u017c\\u00f3\\u0142\\u0107 \\u2713 \\"quoted\\""');
});
