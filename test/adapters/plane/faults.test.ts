/** Each way in which an exchange breaks: what the client reports, against what the simulated Plane really did. */
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createPlaneClient, type PlaneTimeouts } from '../../../adapters/plane/plane-client.ts';
import type { Mode } from '../../../demo/simulated-plane/faults.ts';
import { holdTime } from '../../setup/hold-time.ts';
import { failure, simulated } from './support.ts';

/** It is over once Plane has the request, and not before. */
const SHORT_MS = 1_000;

interface Row {
  readonly fault: Mode;
  readonly error: string;
  /** What the client says. */
  readonly mayHaveApplied: boolean;
  /** What happened. */
  readonly applied: boolean;
  readonly message: RegExp;
  readonly timeouts?: Partial<PlaneTimeouts>;
}

const ROWS: readonly Row[] = [
  {
    fault: { mode: 'resetBefore' },
    error: 'PlaneUnavailable',
    mayHaveApplied: true,
    applied: false,
    message: /connection failed/,
  },
  {
    fault: { mode: 'applyThenReset' },
    error: 'PlaneUnavailable',
    mayHaveApplied: true,
    applied: true,
    message: /connection failed/,
  },
  {
    fault: { mode: 'applyThenStatus', status: 500 },
    error: 'PlaneUnavailable',
    mayHaveApplied: true,
    applied: true,
    message: /Plane answered 500 .*Something went wrong/,
  },
  {
    fault: { mode: 'status', status: 500 },
    error: 'PlaneUnavailable',
    mayHaveApplied: true,
    applied: false,
    message: /may have been applied: read it back/,
  },
  {
    fault: { mode: 'status', status: 502, body: '<html>Bad Gateway</html>' },
    error: 'PlaneUnavailable',
    mayHaveApplied: true,
    applied: false,
    message: /Plane answered 502 <html>/,
  },
  {
    fault: { mode: 'applyThenStatus', status: 400, body: { error: 'The required key does not exist.' } },
    error: 'PlaneRejected',
    mayHaveApplied: true,
    applied: true,
    message: /The required key does not exist/,
  },
  {
    fault: { mode: 'applyThenPartial' },
    error: 'PlaneUnavailable',
    mayHaveApplied: true,
    applied: true,
    message: /connection failed/,
  },
  {
    fault: { mode: 'badJson' },
    error: 'PlaneUnavailable',
    mayHaveApplied: true,
    applied: true,
    message: /not with whole JSON/,
  },
  {
    fault: { mode: 'emptyBody' },
    error: 'PlaneUnavailable',
    mayHaveApplied: true,
    applied: true,
    message: /not with whole JSON: \(empty\)/,
  },
  {
    fault: { mode: 'stateIgnored' },
    error: 'PlaneUnavailable',
    mayHaveApplied: true,
    applied: true,
    message: /the answer shows .*: Plane did not take it/,
  },
  {
    fault: { mode: 'hang' },
    error: 'PlaneUnavailable',
    mayHaveApplied: true,
    applied: false,
    message: /no answer within 1000 ms/,
    timeouts: { headersMs: SHORT_MS },
  },
  {
    fault: { mode: 'hang', phase: 'after' },
    error: 'PlaneUnavailable',
    mayHaveApplied: true,
    applied: true,
    message: /no whole answer within 1000 ms/,
    timeouts: { callMs: SHORT_MS },
  },
  {
    fault: { mode: 'trickle', everyMs: 20 },
    error: 'PlaneUnavailable',
    mayHaveApplied: true,
    applied: true,
    message: /no whole answer within 1000 ms/,
    timeouts: { callMs: SHORT_MS },
  },
  {
    fault: { mode: 'html200' },
    error: 'PlaneMisconfigured',
    mayHaveApplied: false,
    applied: false,
    message: /web page instead of JSON/,
  },
  {
    fault: { mode: 'redirect', location: 'https://login.example.test/?next=secret' },
    error: 'PlaneMisconfigured',
    mayHaveApplied: false,
    applied: false,
    message: /redirect to https:\/\/login\.example\.test\/, which is never followed/,
  },
  {
    fault: { mode: 'status', status: 429, body: { error_code: 5900 }, headers: { 'retry-after': '7' } },
    error: 'PlaneRateLimited',
    mayHaveApplied: false,
    applied: false,
    message: /Try again in 7 s/,
  },
];

test.each(ROWS)('PATCH meets $fault: $error', async ({ fault, error, mayHaveApplied, applied, message, timeouts }) => {
  const time = timeouts === undefined ? null : holdTime();
  const { plane, client } = await simulated(timeouts);
  const item = plane.control.workItem('ORCH-61');
  const target = await client.stateNamed(item.projectId, 'Deploying');
  plane.control.clearRequests();
  plane.control.fault(fault);
  const failing = failure(client.setState(item, target.id));
  if (time !== null) {
    while (!plane.control.requests().some((request) => request.applied === applied)) await delay(5);
    time.pass(SHORT_MS);
  }
  const caught = await failing;
  expect(caught).toMatchObject({
    name: error,
    writeMayHaveApplied: mayHaveApplied,
    message: expect.stringMatching(message),
  });
  expect(caught.message).toMatch(/^PATCH \/api\/v1\/workspaces\/acme\/projects\/\S+\/work-items\/\S+\/: /);
  expect(plane.control.requests()).toMatchObject([{ method: 'PATCH', applied, fault: fault.mode }]);
  const moved = applied && fault.mode !== 'stateIgnored';
  expect(plane.control.statusHistory('ORCH-61')).toHaveLength(moved ? 1 : 0);
});

const PROMPT = ROWS.filter(({ fault, timeouts }) => fault.mode !== 'stateIgnored' && timeouts === undefined);

test.each(PROMPT)('GET meets $fault: $error, and nothing can have been written', async ({ fault, error }) => {
  const { plane, client } = await simulated();
  plane.control.fault(fault);
  expect(await failure(client.workItem('ORCH-61', 'ORCH'))).toMatchObject({ name: error, writeMayHaveApplied: false });
});

test('a refused connection: not applied, because nothing was sent', async () => {
  const { plane, client } = await simulated();
  const item = plane.control.workItem('ORCH-61');
  await plane.control.refuseConnections();
  expect(await failure(client.setState(item, item.stateId))).toMatchObject({
    name: 'PlaneUnavailable',
    writeMayHaveApplied: false,
    status: null,
    message: expect.stringContaining('the connection was refused. Is Plane running'),
  });
  await plane.control.acceptConnections();
  await client.setState(item, item.stateId);
});

test.each([
  { timeouts: { connectMs: 100 }, says: /no connection within 100 ms/ },
  { timeouts: { callMs: 100 }, says: /no whole answer within 100 ms/ },
])(
  'a connection that never comes about ($timeouts): not applied, because nothing was sent',
  async ({ timeouts, says }) => {
    const { plane } = await simulated();
    const silent = createServer(); // takes connections, and never answers the TLS greeting
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const client = createPlaneClient({ url: `https://127.0.0.1:${port}`, apiKey: 'k', workspace: 'acme', timeouts });
    onTestFinished(async () => {
      silent.close();
      await client.close();
    });
    const item = plane.control.workItem('ORCH-61');
    const error = await failure(client.setState(item, item.stateId));
    expect(error).toMatchObject({
      name: 'PlaneUnavailable',
      writeMayHaveApplied: false,
      message: expect.stringMatching(says),
    });
  },
);

test('a host that does not exist: not applied', async () => {
  const client = createPlaneClient({ url: 'http://plane.invalid', apiKey: 'k', workspace: 'acme' });
  onTestFinished(() => client.close());
  const [id, projectId] = ['b1162ed8-d407-423a-a6a4-3f9531d8d648', '72dfeea9-fcae-43ea-8fb4-4b2bedce1321'];
  const error = await failure(client.setState({ id, projectId }, id));
  expect(error).toMatchObject({
    name: 'PlaneUnavailable',
    writeMayHaveApplied: false,
    message: expect.stringContaining('host name'),
  });
});

/** A client all of whose connections are taken, by writes that are held. */
async function busy() {
  const { plane, client } = await simulated();
  const item = plane.control.workItem('ORCH-61');
  plane.control.fault({ mode: 'hold', phase: 'before' });
  const held = Array.from({ length: 8 }, () => client.setState(item, item.stateId));
  await plane.control.whenHeld(8);
  return { plane, client, item, held };
}

test('a call that waits for a free connection ends with its own time, and was not sent', async () => {
  const { plane, client, item, held } = await busy();
  const abort = new AbortController();
  const queued = client.setState(item, item.stateId, { signal: abort.signal });
  abort.abort(new Error('given up'));
  await expect(queued).rejects.toThrow('given up');
  plane.control.clearFaults();
  plane.control.release();
  await Promise.all(held);
  await client.me();
  expect(plane.control.requests().filter(({ method }) => method === 'PATCH')).toHaveLength(8);
});

test('what is told when a request begins to be sent may stop it: also one that waited for a free connection', async () => {
  const { plane, client, item, held } = await busy();
  let old = false;
  const beforeSending = (): void => {
    if (old) throw new Error('the evidence is old');
  };
  const queued = client.setState(item, item.stateId, { beforeSending });
  old = true;
  plane.control.clearFaults();
  plane.control.release();
  await expect(queued).rejects.toThrow('the evidence is old');
  await Promise.all(held);
  old = false;
  await client.setState(item, item.stateId, { beforeSending });
  expect(plane.control.requests().filter(({ method }) => method === 'PATCH')).toHaveLength(9);
});

test('the real rate limit: the 61st request of a minute is refused with the time to wait, and not applied', async () => {
  vi.useFakeTimers({ toFake: ['Date'] }); // all of it is within one minute
  onTestFinished(() => void vi.useRealTimers());
  const { plane, client } = await simulated();
  const item = plane.control.workItem('ORCH-61');
  const other = createPlaneClient({ url: plane.url, apiKey: plane.apiKey, workspace: plane.workspace });
  onTestFinished(() => other.close());
  for (let asked = 0; asked < 60; asked += 1) await other.me(); // of which our own client hears nothing
  const error = await failure(client.setState(item, item.stateId));
  expect(error).toMatchObject({ name: 'PlaneRateLimited', writeMayHaveApplied: false });
  expect(error).toHaveProperty('retryAfterMs', expect.any(Number));
  expect(plane.control.requests().at(-1)).toMatchObject({ status: 429, applied: false });
});
