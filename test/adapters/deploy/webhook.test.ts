import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { DeployOutcomeUnknown, type WebhookConfig } from '../../../adapters/deploy/driver.ts';
import { createWebhookDriver } from '../../../adapters/deploy/webhook.ts';
import { PATIENCE_MS } from '../../setup/patience.ts';
import { bodyOf, refusingUrl, serve, serveTcp } from '../http-probe/server.ts';
import { observedRun, operation } from './operation.ts';

const driver = (url: string, change: Partial<WebhookConfig> = {}) =>
  createWebhookDriver({
    driver: 'webhook',
    url,
    headers: { Authorization: 'Bearer abc' },
    statusUrl: null,
    pollMs: 10,
    timeoutMs: PATIENCE_MS,
    idempotent: false,
    ...change,
  });

/** Lets the test say when a time-out of so many ms is over. */
function holdAbortTimeout(ms: number): () => void {
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  const held = new AbortController();
  const spy = vi.spyOn(AbortSignal, 'timeout').mockImplementation((of) => (of === ms ? held.signal : timeout(of)));
  onTestFinished(() => spy.mockRestore());
  return () => held.abort(new DOMException('the time is over', 'TimeoutError'));
}

interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A deployer that gives one answer after the other, the last one again and again. */
async function deployer(...answers: readonly Answer[]) {
  const asked: Asked[] = [];
  const url = await serve(async (request, response) => {
    const { method, headers } = request;
    asked.push({ method, url: request.url, headers, body: await bodyOf(request) });
    (answers[asked.length - 1] ?? answers.at(-1))?.(response, request);
  });
  return { url, asked };
}

const says =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(typeof body === 'string' ? body : JSON.stringify(body));

const running = (statusUrl?: string): Answer => says({ status: 'running', detail: 'half-way', statusUrl }, 202);
const succeeded = says({ status: 'succeeded', detail: 'all pods are up', version: 'v2.0.1' });

test('one POST tells the deployer all about the operation, and its answer is the result', async () => {
  const { url, asked } = await deployer(succeeded);
  expect(await driver(url).run(operation(), observedRun().run)).toEqual({
    ok: true,
    detail: 'all pods are up',
    version: 'v2.0.1',
  });
  expect(asked).toHaveLength(1);
  expect(asked[0]).toMatchObject({
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: 'Bearer abc',
      'd2d-operation-id': 'run-1:deploy',
      'idempotency-key': 'run-1:deploy',
    },
  });
  expect(JSON.parse(asked[0]?.body ?? '')).toEqual({
    operation: 'deploy',
    operationId: 'run-1:deploy',
    repo: 'org/shop',
    workItem: 'ORCH-61',
    version: 'v2',
  });
});

test('a deployer that says that it failed is believed', async () => {
  const { url } = await deployer(says({ status: 'failed', detail: 'image not found' }));
  expect(await driver(url).run(operation(), observedRun().run)).toEqual({ ok: false, detail: 'image not found' });
});

describe('what runs is polled', () => {
  test('at the status URL of the answer, with the headers, until it has ended', async () => {
    const { url, asked } = await deployer(running('/status/7'), running(), succeeded);
    expect((await driver(url).run(operation(), observedRun().run)).ok).toBe(true);
    expect(asked.map((each) => `${each.method} ${each.url} ${each.headers.authorization}`)).toEqual([
      'POST / Bearer abc',
      'GET /status/7 Bearer abc',
      'GET /status/7 Bearer abc',
    ]);
    expect(asked[1]?.headers['d2d-operation-id']).toBe('run-1:deploy');
  });

  test('at the Location of a 202 without a body', async () => {
    const { url, asked } = await deployer(says('', 202, { location: '/status/8' }), succeeded);
    expect((await driver(url).run(operation(), observedRun().run)).ok).toBe(true);
    expect(asked[1]?.url).toBe('/status/8');
  });

  test('at the configured status URL before any other, with the operation filled in', async () => {
    const { url, asked } = await deployer(running('/status/9'), succeeded);
    const statusUrl = `${url}/operations/{operationId}?v={version}`;
    expect((await driver(url, { statusUrl }).run(operation({ version: 'v 2' }), observedRun().run)).ok).toBe(true);
    expect(asked[1]?.url).toBe('/operations/run-1%3Adeploy?v=v%202');
  });

  test('but not at another origin that the answer names', async () => {
    const other = await deployer(succeeded);
    const { url } = await deployer(running(`${other.url}/status?token=x`));
    expect(await driver(url).run(operation(), observedRun().run)).toEqual({
      ok: false,
      detail: `the deployer has begun, but nobody will know how it ends: it gave a status URL of another origin (${other.url}), which is refused: configure statusUrl`,
    });
    expect(other.asked).toEqual([]);
  });

  test('and where there is no status URL, that is said', async () => {
    const { url } = await deployer(running());
    expect((await driver(url).run(operation(), observedRun().run)).detail).toContain('gave no status URL');
  });

  test('again where a poll fails: by a reset, an error, a redirect, a page, garbage', async () => {
    const { url, asked } = await deployer(
      running('/status'),
      (response) => response.destroy(),
      says('oops', 503),
      says('', 302, { location: 'http://127.0.0.1:1/' }),
      says('<html>proxy</html>', 200, { 'content-type': 'text/html' }),
      says({ status: 'dancing' }),
      succeeded,
    );
    const { run, entries } = observedRun();
    expect((await driver(url).run(operation(), run)).ok).toBe(true);
    expect(asked).toHaveLength(7);
    expect(entries.filter(({ level }) => level === 'warn')).toHaveLength(5);
  });

  test('until the time is over', async () => {
    const timeOut = holdAbortTimeout(300);
    const { url, asked } = await deployer(running('/status'), (response, request) => {
      if (asked.length === 3) timeOut(); // the answer before this poll has been read
      says('oops', 503)(response, request);
    });
    expect(await driver(url, { timeoutMs: 300 }).run(operation(), observedRun().run)).toEqual({
      ok: false,
      detail:
        "timed out after 300 ms, and the deployer may still be at it: the deployer's status URL cannot be read, it is asked again: it answered 503: oops",
    });
  });

  test('until it is stopped', async () => {
    const { run, abort } = observedRun();
    const { url } = await deployer(running('/status'), (response, request) => {
      abort.abort(new Error('stopped by the test'));
      running()(response, request);
    });
    await expect(driver(url).run(operation(), run)).rejects.toThrow('stopped by the test');
  });
});

const WANTED = '{"status": "succeeded" | "failed" | "running", "detail"?, "version"?, "statusUrl"?}';

test.each<[string, Answer, string]>([
  [
    'a redirect',
    says('', 307, { location: '/there' }),
    'the deployer answered 307, a redirect, which is not followed: configure the URL that it leads to',
  ],
  ['an error', says({ detail: 'no such repo' }, 404), 'the deployer answered 404: no such repo'],
  ['an error in HTML', says('<!doctype html><p>x', 500), 'the deployer answered 500 with an HTML page'],
  [
    'a page',
    says('<html></html>', 200, { 'content-type': 'text/html; charset=utf-8' }),
    `the deployer answered 200 with an HTML page instead of ${WANTED}: is the URL that of the deployer?`,
  ],
  ['no JSON', says('ok'), `the deployer answered 200 without ${WANTED}`],
  ['other JSON', says({ status: 'ok' }), `the deployer answered 200 without ${WANTED} (wrong at status)`],
  [
    'far too much',
    says(`{"status":"succeeded","more":"${'x'.repeat(70_000)}"}`),
    'the deployer answered 200 with more than 65536 characters',
  ],
])('an answer that is not understood is a failure in clear words: %s', async (_, answer, detail) => {
  const { url, asked } = await deployer(answer);
  expect(await driver(url).run(operation(), observedRun().run)).toEqual({ ok: false, detail });
  expect(asked).toHaveLength(1);
});

test('what was never sent is a failure; its URL is not shown', async () => {
  const url = `${await refusingUrl()}/hook?token=secret`;
  expect(await driver(url).run(operation(), observedRun().run)).toEqual({
    ok: false,
    detail: `nothing was sent to the deployer at ${new URL(url).origin}: the connection was refused: is the deployer running?`,
  });
  const unfilled = driver(url, { statusUrl: `${url}/{version}` });
  expect((await unfilled.run(operation({ version: null }), observedRun().run)).detail).toContain('nothing was sent');
});

test('what was sent and not answered may have begun: nobody knows, and it is not sent again', async () => {
  let posts = 0;
  const url = await serveTcp((socket) => {
    socket.once('data', () => {
      posts += 1;
      socket.resetAndDestroy();
    });
  });
  await expect(driver(url).run(operation(), observedRun().run)).rejects.toThrow(DeployOutcomeUnknown);
  expect(posts).toBe(1);
});

test.each([502, 504])(
  'a gateway that answers %i for the deployer may have passed it on: nobody knows',
  async (status) => {
    const { url, asked } = await deployer(says('<html>bad gateway</html>', status));
    await expect(driver(url).run(operation(), observedRun().run)).rejects.toThrow(
      new DeployOutcomeUnknown(
        `nobody knows whether the deploy has begun: the deployer answered ${status} with an HTML page`,
      ),
    );
    expect(asked).toHaveLength(1);
  },
);

test('a deployer that does not answer in time is a result, and stopping does not wait for it', async () => {
  const timeOut = holdAbortTimeout(100);
  const silent = await serveTcp((socket) => void socket.once('data', timeOut));
  expect(await driver(silent, { timeoutMs: 100 }).run(operation(), observedRun().run)).toEqual({
    ok: false,
    detail: `timed out after 100 ms, and the deployer may still be at it: the deployer at ${silent} was asked and has not answered`,
  });
  const { run, abort } = observedRun();
  const url = await serveTcp(() => abort.abort(new Error('stopped by the test')));
  await expect(driver(url).run(operation(), run)).rejects.toThrow('stopped by the test');
});

test('heartbeats come while it waits, with what the deployer last said', async () => {
  const heard: string[] = [];
  const { url } = await deployer(running('/status'), (response, request) =>
    (heard.length > 0 ? succeeded : running())(response, request),
  );
  const { run } = observedRun();
  await driver(url).run(operation(), { ...run, heartbeat: (detail) => heard.push(detail) });
  expect(heard).toEqual(['the deployer says: half-way']);
});
