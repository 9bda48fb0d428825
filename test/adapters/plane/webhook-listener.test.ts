import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import type { PlaneEvent } from '../../../adapters/plane/webhook.ts';
import { listenForEvents } from '../../../adapters/plane/webhook-listener.ts';

const SECRET = 'plane_wh_test';
const EVENT: PlaneEvent = {
  id: 'b952a458-0e97-4224-a739-cde74abc8cac',
  project: '72dfeea9-fcae-43ea-8fb4-4b2bedce1321',
};
const body = (data: object = EVENT): string => JSON.stringify({ event: 'issue', action: 'updated', data });
const sign = (text: string): string => createHmac('sha256', SECRET).update(text).digest('hex');

async function listening(onWorkItem: (event: PlaneEvent) => Promise<void> = async () => {}) {
  const taken: PlaneEvent[] = [];
  const warned: string[] = [];
  const listener = await listenForEvents({
    host: '127.0.0.1',
    port: 0,
    secret: SECRET,
    onWorkItem: async (event) => {
      taken.push(event);
      await onWorkItem(event);
    },
    log: { warn: (_fields, message) => void warned.push(message) },
  });
  onTestFinished(() => listener.close());
  const post = async (text: string, { signature = sign(text), url = listener.url, method = 'POST' } = {}) => {
    const answer = await request(url, {
      method: method as 'POST',
      headers: { 'x-plane-signature': signature },
      ...(method === 'GET' ? {} : { body: text }),
    });
    await answer.body.dump();
    return answer.statusCode;
  };
  return { listener, taken, warned, post };
}

test('a good event of a work item is taken on', async () => {
  const { taken, post } = await listening();
  expect(await post(body())).toBe(200);
  expect(taken).toEqual([EVENT]);
});

test('whatever else is refused, and leads to nothing', async () => {
  const { listener, taken, warned, post } = await listening();
  expect(await post(body(), { signature: sign('something else') })).toBe(401);
  expect(await post(body(), { signature: '' })).toBe(401);
  expect(await post('not json')).toBe(400);
  expect(await post('{"event":"issue_comment","action":"created","data":{}}')).toBe(200);
  expect(await post(body({ id: '../../x', project: EVENT.project }))).toBe(200);
  expect(await post(body(), { url: `${listener.url}/more` })).toBe(404);
  expect(await post('', { method: 'GET' })).toBe(405);
  expect(await post('x'.repeat(2 * 1024 * 1024 + 1))).toBe(413);
  expect(taken).toEqual([]);
  expect(warned).toEqual(Array.from({ length: 2 }, () => 'a webhook event with a wrong signature was refused'));
});

/** A connection that speaks for itself, and the first that it is answered. */
function connected(url: string) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const answered = new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())));
  socket.on('error', () => {});
  return { socket, answered };
}

test('a body that says no length and does not end is cut off', async () => {
  const { listener, taken } = await listening();
  const { socket, answered } = connected(listener.url);
  socket.write('POST /plane HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n');
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
  for (let sent = 0; sent < 40 && !socket.destroyed; sent += 1) {
    socket.write(chunk);
    await delay(1);
  }
  expect(await answered).toMatch(/^HTTP\/1.1 413 /);
  expect(taken).toEqual([]);
  socket.destroy();
});

test('whoever sends slowly is cut off, and does not keep Plane out', async () => {
  const { listener, taken } = await listening();
  const { socket, answered } = connected(listener.url);
  socket.write('POST /plane HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n');
  const dribble = setInterval(() => socket.write('x'), 500);
  expect(await answered).toMatch(/^HTTP\/1.1 408 /);
  clearInterval(dribble);
  expect(taken).toEqual([]);
  socket.destroy();
});

test('what cannot be taken on is answered with 503 and logged; what takes too long is answered all the same', async () => {
  const failing = await listening(() => Promise.reject(new Error('Temporal is away')));
  expect(await failing.post(body())).toBe(503);
  expect(failing.warned).toEqual(['a webhook event could not be taken on']);
  const slow = await listening(() => new Promise(() => {}));
  expect(await slow.post(body())).toBe(202);
});

test('a port that is taken says so', async () => {
  const { listener } = await listening();
  const port = Number(new URL(listener.url).port);
  const again = listenForEvents({
    ...{ host: '127.0.0.1', port, secret: SECRET, onWorkItem: async () => {} },
    log: { warn: () => {} },
  });
  await expect(again).rejects.toThrow(
    /^The webhook listener cannot use 127\.0\.0\.1:\d+ \(.*EADDRINUSE.*\): change ORCH_PLANE_WEBHOOK_HOST or ORCH_PLANE_WEBHOOK_PORT$/,
  );
});
