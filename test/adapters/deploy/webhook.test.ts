import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
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

/** Ends a wait of so many ms as soon as it begins. */
function holdAnswer(ms: number): void {
  const { setTimeout } = globalThis;
  const spy = vi
    .spyOn(globalThis, 'setTimeout')
    .mockImplementation(((run: () => void, after?: number) =>
      setTimeout(run, after === ms ? 0 : after)) as typeof setTimeout);
  onTestFinished(() => spy.mockRestore());
}

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
const succeeded = says({ status: 'succeeded', detail: 'all pods are up', version: 'v2' });

test('one POST tells the deployer all about the operation, and its answer is the result', async () => {
  const { url, asked } = await deployer(succeeded);
  expect(await driver(url).run(operation(), observedRun().run)).toEqual({
    ok: true,
    detail: 'all pods are up',
    version: 'v2',
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
    expect((await driver(url, { statusUrl }).run(operation({ version: 'v2' }), observedRun().run)).ok).toBe(true);
    expect(asked[1]?.url).toBe('/operations/run-1%3Adeploy?v=v2');
  });

  test('but not at another origin that the answer names', async () => {
    const other = await deployer(succeeded);
    const { url } = await deployer(running(`${other.url}/status?token=x`));
    await expect(driver(url).run(operation(), observedRun().run)).rejects.toThrow(
      new DeployOutcomeUnknown(
        `the deploy has begun, and nobody knows how it ends: the deployer says: half-way; it gave a status URL of another origin (${other.url}), which is refused: configure statusUrl`,
      ),
    );
    expect(other.asked).toEqual([]);
  });

  test('and where there is no status URL, nobody knows how it ends', async () => {
    const { url } = await deployer(running());
    await expect(driver(url).run(operation(), observedRun().run)).rejects.toThrow(/it gave no status URL/);
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
    const end = driver(url, { timeoutMs: 300 }).run(operation(), observedRun().run);
    await expect(end).rejects.toMatchObject({
      name: 'DeployOutcomeUnknown',
      retryable: false, // a second run would take as long
      message:
        "timed out after 300 ms, and nobody knows how the deploy ended: the deployer's status URL cannot be read, it is asked again: it answered 503: oops",
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

describe('a status URL that refuses for good', () => {
  /** Answers, each at a time of its own, ms. */
  const timed = (...answers: readonly (readonly [number, Answer])[]): Answer[] => {
    let now = 0;
    const spy = vi.spyOn(performance, 'now').mockImplementation(() => now);
    onTestFinished(() => spy.mockRestore());
    return answers.map(([at, answer]) => (response, request) => {
      now = at;
      answer(response, request);
    });
  };

  test.each([301, 302, 400, 401, 403, 404, 410])(
    '%i: somebody is called once, before a minute is over; it is asked on, and heals',
    async (status) => {
      const refused = says({ detail: 'no' }, status);
      const { url, asked } = await deployer(
        running('/status'),
        ...timed([1_000, refused], [40_000, refused], [40_990, refused], [90_000, refused], [91_000, succeeded]),
      );
      const { run, calls, entries } = observedRun();
      const onAsked: number[] = [];
      const callSomebody = async (text: string) => {
        onAsked.push(asked.length);
        await run.callSomebody(text);
      };
      expect(await driver(url).run(operation(), { ...run, callSomebody })).toMatchObject({ ok: true });
      expect(calls).toEqual([
        expect.stringContaining(`the deployer's status URL cannot be read, it is asked again: it answered ${status}`),
      ]);
      expect(onAsked).toEqual([4]);
      expect(entries.filter(({ level }) => level === 'warn')).toHaveLength(1);
    },
  );

  test('what heals in between, and what may heal by itself, calls nobody', async () => {
    const refused = says('', 404);
    const { url } = await deployer(
      running('/status'),
      ...timed([0, refused], [39_000, running()], [60_000, refused], [70_000, says('', 503)], [71_000, says('', 429)]),
      ...timed([200_000, says('', 429)], [200_001, succeeded]),
    );
    const { run, calls } = observedRun();
    expect(await driver(url).run(operation(), run)).toMatchObject({ ok: true });
    expect(calls).toEqual([]);
  });

  test('an outage in between is no answer: the refusal lasts on', async () => {
    const refused = says('', 404);
    const { url } = await deployer(
      running('/status'),
      ...timed([0, refused], [20_000, says('', 503)], [40_000, refused], [40_001, succeeded]),
    );
    const { run, calls } = observedRun();
    expect(await driver(url).run(operation(), run)).toMatchObject({ ok: true });
    expect(calls).toHaveLength(1);
  });

  test('somebody who could not be called is called at the next look', async () => {
    const refused = says('', 404);
    const { url } = await deployer(
      running('/status'),
      ...timed([0, refused], [40_000, refused], [41_000, refused], [42_000, refused], [43_000, succeeded]),
    );
    const { run, calls } = observedRun();
    let tries = 0;
    const callSomebody = async (text: string) => {
      tries += 1;
      if (tries === 1) throw new Error('Temporal is away');
      await run.callSomebody(text);
    };
    expect(await driver(url).run(operation(), { ...run, callSomebody })).toMatchObject({ ok: true });
    expect(calls).toHaveLength(1);
    expect(tries).toBe(2);
  });
});

test.each([429, 503])('%i with Retry-After is not asked before that, nor beyond the time-out', async (status) => {
  const timeOut = holdAbortTimeout(5_000);
  const { url, asked } = await deployer(running('/status'), (response, request) => {
    setTimeout(timeOut, 200);
    says('', status, { 'retry-after': '99999999' })(response, request);
  });
  await expect(driver(url, { timeoutMs: 5_000 }).run(operation(), observedRun().run)).rejects.toThrow(
    DeployOutcomeUnknown,
  );
  expect(asked).toHaveLength(2);
});

test.each<[string, Answer, string]>([
  [
    'a redirect',
    says('', 307, { location: '/there' }),
    'the deployer answered 307, a redirect, which is not followed: configure the URL that it leads to',
  ],
  ['an error', says({ detail: 'no such repo' }, 404), 'the deployer answered 404: no such repo'],
  ['an error in HTML', says('<!doctype html><p>x', 501), 'the deployer answered 501 with an HTML page'],
  ['a pause', says('busy', 503, { 'retry-after': '5' }), 'the deployer answered 503: busy'],
  [
    'an error in a coding that is not read',
    says('no token', 401, { 'content-encoding': 'compress' }),
    'the deployer answered 401 (its body cannot be read: its coding "compress" is not one that is read here)',
  ],
  [
    'an error in a coding that it is not',
    says('no token', 403, { 'content-encoding': 'gzip' }),
    'the deployer answered 403 (its body cannot be read: it is not the gzip that its Content-Encoding names)',
  ],
  [
    'an error that breaks off',
    (response) => {
      response.writeHead(401, { 'content-length': 100 }).write('x', () => response.destroy());
    },
    'the deployer answered 401 (its body cannot be read: it broke off)',
  ],
  ['an error that is too long', says('x'.repeat(70_000), 403), `the deployer answered 403: ${'x'.repeat(200)}`],
])('an answer that refuses is a failure in clear words: %s', async (_, answer, detail) => {
  const { url, asked } = await deployer(answer);
  expect(await driver(url).run(operation(), observedRun().run)).toEqual({ ok: false, detail, begun: false });
  expect(asked).toHaveLength(1);
});

test('an error whose body does not end is told by its status', async () => {
  const { url } = await deployer((response) => void response.writeHead(401).write('x'));
  holdAnswer(5_000);
  expect(await driver(url).run(operation(), observedRun().run)).toMatchObject({
    detail: 'the deployer answered 401 (its body cannot be read: it does not end)',
  });
});

const TAKEN: readonly (readonly [string, Answer, string])[] = [
  ['204', says('', 204), 'answered 204 with no JSON'],
  ['a page', says('<html></html>', 200, { 'content-type': 'text/html; charset=utf-8' }), 'with an HTML page'],
  ['no JSON', says('ok'), 'answered 200 with no JSON, where one of these is understood: succeeded, failed, running'],
  ['another word', says({ status: 'queued' }), 'answered 200 with "queued", where one of these is understood'],
  ['other JSON', says({ ok: true }), 'answered 200 with nothing at /status'],
  [
    'far too much',
    says(`{"status":"succeeded","more":"${'x'.repeat(70_000)}"}`),
    'answered 200 with more than 65536 characters',
  ],
  ['a coding that is not read', says('x', 200, { 'content-encoding': 'compress' }), 'its coding "compress"'],
];

describe('a 2xx that is not understood says that the deployer has begun', () => {
  test.each(TAKEN)('%s: nobody knows how it ends, and it is not sent again', async (_, answer, why) => {
    const { url, asked } = await deployer(answer);
    const end = await driver(url)
      .run(operation(), observedRun().run)
      .catch((error: unknown) => error);
    expect(end).toBeInstanceOf(DeployOutcomeUnknown);
    expect(String(end)).toContain(why);
    expect(asked).toHaveLength(1);
  });

  test.each(TAKEN)('%s: the configured status URL tells the end', async (_, answer) => {
    const { url } = await deployer(answer, succeeded);
    expect(await driver(url, { statusUrl: url }).run(operation(), observedRun().run)).toMatchObject({ ok: true });
  });

  test('201 with a Location: that tells the end', async () => {
    const { url, asked } = await deployer(says('', 201, { location: '/runs/7' }), succeeded);
    expect(await driver(url).run(operation(), observedRun().run)).toMatchObject({ ok: true });
    expect(asked[1]?.url).toBe('/runs/7');
  });
});

describe('a redirect after the POST may say that it was performed', () => {
  test.each([303, 302])('%i leads to the status of the run', async (status) => {
    const { url, asked } = await deployer(says('', status, { location: '/runs/7' }), succeeded);
    expect(await driver(url).run(operation(), observedRun().run)).toMatchObject({ ok: true });
    expect(asked.map((each) => `${each.method} ${each.url}`)).toEqual(['POST /', 'GET /runs/7']);
  });

  test.each([
    [303, undefined],
    [303, 'https://other.example/'],
    [302, '/runs/7'],
  ])('%i with the Location %s: the configured status URL tells the end', async (status, location) => {
    const { url, asked } = await deployer(says('', status, location === undefined ? {} : { location }), succeeded);
    const following = driver(url, { statusUrl: `${url}/state` });
    expect(await following.run(operation(), observedRun().run)).toMatchObject({ ok: true });
    expect(asked.map((each) => `${each.method} ${each.url}`)).toEqual(['POST /', 'GET /state']);
  });

  test.each([
    [303, undefined],
    [303, 'https://other.example/'],
    [302, 'https://other.example/'],
    [301, '/'],
    [300, '/'],
  ])('%i with the Location %s: nobody knows', async (status, location) => {
    const { url, asked } = await deployer(says('', status, location === undefined ? {} : { location }));
    await expect(driver(url).run(operation(), observedRun().run)).rejects.toThrow(
      new DeployOutcomeUnknown(
        `nobody knows whether the deploy has begun: the deployer answered ${status}, a redirect, which is not followed: configure the URL that it leads to`,
      ),
    );
    expect(asked).toHaveLength(1);
  });

  test('302 to a login page elsewhere: no former deploy is taken for this one', async () => {
    const { url, asked } = await deployer(says('', 302, { location: 'https://login.example/' }), succeeded);
    const end = driver(url, { statusUrl: `${url}/state` }).run(operation(), observedRun().run);
    await expect(end).rejects.toThrow(DeployOutcomeUnknown);
    expect(asked).toHaveLength(1);
  });
});

describe('gzip and byte order marks', () => {
  const gzipped: Answer = (response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('\ufeff{"status":"succeeded"}'));

  test('are read in the answer to the POST, and in those of the status URL', async () => {
    const { url, asked } = await deployer(gzipped);
    expect(await driver(url).run(operation(), observedRun().run)).toMatchObject({ ok: true });
    expect(asked[0]?.headers['accept-encoding']).toContain('gzip');
    const polled = await deployer(running('/status'), gzipped);
    expect(await driver(polled.url).run(operation(), observedRun().run)).toMatchObject({ ok: true });
  });
});

describe('an answer about another deploy', () => {
  const former = says({ status: 'succeeded', version: 'v1' });
  const formerFailed = says({ status: 'failed', operationId: 'run-0:deploy' });

  test('is not the end of this one: its status URL is asked again, and that is said', async () => {
    const { url } = await deployer(says('', 202), former, formerFailed, former, succeeded);
    const { run, entries } = observedRun();
    const result = await driver(url, { statusUrl: url }).run(operation(), run);
    expect(result).toEqual({ ok: true, detail: 'all pods are up', version: 'v2' });
    expect(entries.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
      "the deployer's answer is not the end of this deploy, it is asked again: it is about version v1, not v2",
      "the deployer's answer is not the end of this deploy, it is asked again: it is about operation run-0:deploy, not run-1:deploy",
      "the deployer's answer is not the end of this deploy, it is asked again: it is about version v1, not v2",
    ]);
  });

  test.each([
    ['operationId', ['other:deploy'], '["other:deploy"]'],
    ['operationId', { id: 'other:deploy' }, '{"id":"other:deploy"}'],
    ['version', ['v8'], '["v8"]'],
    ['version', { number: 'v8' }, '{"number":"v8"}'],
    ['version', true, 'true'],
  ])('may be one whose %s is %j: it is asked again, and that is said', async (part, value, shown) => {
    const { url } = await deployer(says('', 202), says({ status: 'failed', [part]: value }), succeeded);
    const { run, entries } = observedRun();
    expect(await driver(url, { statusUrl: url }).run(operation(), run)).toMatchObject({ ok: true });
    expect(entries.map(({ message }) => message)).toEqual([
      `the deployer's answer is not the end of this deploy, it is asked again: what it has at /${part} is neither text nor a number: ${shown} (check answer.${part})`,
    ]);
  });

  test('to the POST itself, without a status URL: nobody knows', async () => {
    const { url } = await deployer(former);
    await expect(driver(url).run(operation(), observedRun().run)).rejects.toThrow(/about version v1, not v2/);
  });

  test('until the time is over: nobody knows, and the last answer is named', async () => {
    const timeOut = holdAbortTimeout(300);
    const { url, asked } = await deployer(says('', 202), (response, request) => {
      if (asked.length === 4) timeOut();
      former(response, request);
    });
    await expect(
      driver(url, { statusUrl: url, timeoutMs: 300 }).run(operation(), observedRun().run),
    ).rejects.toMatchObject({ name: 'DeployOutcomeUnknown', message: expect.stringContaining('about version v1') });
  });

  test('is none where it echoes our operation id, or where the start named no version', async () => {
    const echo = await deployer(says({ status: 'succeeded', operationId: 'deploy shop (run-1:deploy)' }));
    expect(await driver(echo.url).run(operation(), observedRun().run)).toMatchObject({ ok: true });
    const unnamed = await deployer(former);
    expect(await driver(unnamed.url).run(operation({ version: null }), observedRun().run)).toMatchObject({
      ok: true,
      version: 'v1',
    });
  });

  test('of a rollback is one about the version that it leaves: so its deploy ended', async () => {
    const { url } = await deployer(says('', 202), succeeded, former);
    const rollback = operation({ kind: 'rollback' });
    const { run, entries } = observedRun();
    expect(await driver(url, { statusUrl: url }).run(rollback, run)).toMatchObject({ ok: true, version: 'v1' });
    expect(entries.at(0)?.message).toContain('it is about version v2, which is being rolled back');
  });

  test('is none for want of a whole body: the status URL tells the end', async () => {
    const { url } = await deployer((response) => {
      response.writeHead(202, { 'content-length': '100' }).write('x');
      setImmediate(() => response.destroy());
    }, succeeded);
    expect(await driver(url, { statusUrl: url }).run(operation(), observedRun().run)).toMatchObject({ ok: true });
  });
});

describe('a number is what the deployer wrote, digit for digit', () => {
  test('as the id of a run: beyond 2^53 another run would be asked', async () => {
    const { url, asked } = await deployer(says('{"id": 1234567890123456789}', 201), succeeded);
    const following = driver(url, { statusUrl: `${url}/runs/{id}`, answer: { id: '/id' } });
    expect(await following.run(operation(), observedRun().run)).toMatchObject({ ok: true });
    expect(asked[1]?.url).toBe('/runs/1234567890123456789');
  });

  test.each([
    ['9007199254740992', '9007199254740993'],
    ['1.1', '1.10'],
    ['1000', '1e3'],
  ])('as the version: of %s, %s is another one', async (version, other) => {
    const { url } = await deployer(
      says('', 202),
      says(`{"status": "succeeded", "version": ${other}, "detail": "\\"${version}"}`),
      says(`{"status": "succeeded", "version": ${version}, "detail": "[1.10, \\"1.10\\"]"}`),
    );
    const { run, entries } = observedRun();
    expect(await driver(url, { statusUrl: url }).run(operation({ version }), run)).toEqual({
      ok: true,
      version,
      detail: '[1.10, "1.10"]',
    });
    expect(entries.at(0)?.message).toContain(`it is about version ${other}, not ${version}`);
  });

  test('as the version 1.10, which a number may be', async () => {
    const { url } = await deployer(says('{"status": "succeeded", "version": 1.10}'));
    expect(await driver(url).run(operation({ version: '1.10' }), observedRun().run)).toMatchObject({ version: '1.10' });
  });

  test('as the operation id', async () => {
    const operationId = '1234567890123456789';
    const { url } = await deployer(
      says('', 202),
      says('{"status": "failed", "operationId": 1234567890123456788}'),
      says('{"status": "succeeded", "operationId": 1234567890123456789}'),
    );
    expect(await driver(url, { statusUrl: url }).run(operation({ operationId }), observedRun().run)).toMatchObject({
      ok: true,
    });
  });
});

describe('the API of a deployer that is not ours', () => {
  test('gets its own body, headers and URL, and is read by pointers and in its words', async () => {
    const { url, asked } = await deployer(
      says({ workflow_run_id: 30433642 }),
      says({ status: 'in_progress', conclusion: null, display_title: 'deploy run-1:deploy' }),
      says({
        status: 'completed',
        conclusion: 'SUCCESS',
        html_url: 'https://ci/7',
        display_title: 'deploy run-1:deploy',
      }),
    );
    const result = await driver(`${url}/dispatches?ref={version}`, {
      headers: { Authorization: 'Bearer abc', 'X-Title': 'deploy {version} of {repo}' },
      body: { ref: 'main', inputs: { version: '{version}', count: 1, tags: ['{workItem}', '{other}'] } },
      statusUrl: `${url}/runs/{id}`,
      answer: {
        id: '/workflow_run_id',
        status: '/conclusion',
        detail: '/html_url',
        operationId: '/display_title',
        words: { success: 'succeeded', failure: 'failed' },
      },
    }).run(operation(), observedRun().run);
    expect(result).toEqual({ ok: true, detail: 'https://ci/7' });
    expect(asked.map((each) => each.url)).toEqual(['/dispatches?ref=v2', '/runs/30433642', '/runs/30433642']);
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({
      ref: 'main',
      inputs: { version: 'v2', count: 1, tags: ['ORCH-61', '{other}'] },
    });
    expect(asked[0]?.headers).toMatchObject({
      'x-title': 'deploy v2 of org/shop',
      'd2d-operation-id': 'run-1:deploy',
      authorization: 'Bearer abc',
    });
  });

  test('is understood in its words without the blanks around them', async () => {
    const { url } = await deployer(says({ status: ' OK' }));
    const words = driver(url, { answer: { words: { ' ok ': 'succeeded', ko: 'failed' } } });
    expect(await words.run(operation(), observedRun().run)).toMatchObject({ ok: true });
  });

  test.each(['.', '..'])('whose id %j would lead to another URL: nobody knows', async (id) => {
    const { url, asked } = await deployer(says({ id }), succeeded);
    const following = driver(url, { statusUrl: `${url}/runs/{id}/state`, answer: { id: '/id' } });
    await expect(following.run(operation(), observedRun().run)).rejects.toThrow(
      'its status URL: it needs {id}, whose value would lead to another place: it cannot stand there',
    );
    expect(asked).toHaveLength(1);
  });

  test('whose answer has no id where it should: nobody knows', async () => {
    const { url } = await deployer(says({}));
    const unanswered = driver(url, { statusUrl: `${url}/{id}`, answer: { id: '/id' } });
    await expect(unanswered.run(operation(), observedRun().run)).rejects.toThrow(/has none where `answer.id` points/);
  });

  test('gets nothing where a value that it needs is not known', async () => {
    const { url, asked } = await deployer(succeeded);
    for (const change of [
      { body: ['{version}'] },
      { headers: { x: '{version}' } },
      { statusUrl: `${url}/{version}` },
    ]) {
      expect(await driver(url, change).run(operation({ version: null }), observedRun().run)).toEqual({
        ok: false,
        begun: false,
        detail: expect.stringMatching(/^nothing was sent: .*it needs \{version\}, but the start named no version/),
      });
    }
    expect(asked).toEqual([]);
  });
});

test('gets nothing where a value cannot stand in a URL', async () => {
  const { url, asked } = await deployer(succeeded);
  for (const change of [{ url: `${url}/{version}` }, { statusUrl: `${url}/{version}` }]) {
    expect(await driver(url, change).run(operation({ version: 'v\ud800' }), observedRun().run)).toMatchObject({
      ok: false,
      detail: expect.stringContaining('it needs {version}, whose value is not valid Unicode text'),
    });
  }
  expect(asked).toEqual([]);
});

test('an id that cannot stand in the status URL leaves the end unknown', async () => {
  const { url } = await deployer(says('{"status":"running","id":"\\ud800"}', 202));
  const following = driver(url, { statusUrl: `${url}/{id}`, answer: { id: '/id' } });
  await expect(following.run(operation(), observedRun().run)).rejects.toThrow(/has begun, .*not valid Unicode text/);
});

test('what was never sent is a failure; its URL is not shown', async () => {
  const url = `${await refusingUrl()}/hook?token=secret`;
  expect(await driver(url).run(operation(), observedRun().run)).toEqual({
    ok: false,
    begun: false,
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

test.each([500, 502, 503, 504, 520])(
  'a server error %i may come from half-way, or from a gateway: nobody knows',
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

test('nobody knows about a deployer that does not answer in time, and stopping does not wait for it', async () => {
  const timeOut = holdAbortTimeout(100);
  const silent = await serveTcp((socket) => void socket.once('data', timeOut));
  await expect(driver(silent, { timeoutMs: 100 }).run(operation(), observedRun().run)).rejects.toMatchObject({
    name: 'DeployOutcomeUnknown',
    message: `timed out after 100 ms, and nobody knows how the deploy ended: the deployer at ${silent} was asked and has not answered`,
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

test('what an answer repeats of the request and of other secrets is masked', async () => {
  const echo =
    (status: number, state: string): Answer =>
    (response, request) =>
      says({ status: state, detail: `${'x'.repeat(990)}${request.headers.authorization} w0rkers-own` }, status)(
        response,
        request,
      );
  const secretive = (url: string, change: Partial<WebhookConfig> = {}) =>
    createWebhookDriver(
      {
        driver: 'webhook',
        url,
        headers: { Authorization: 'Bearer t0psecret-value' },
        statusUrl: null,
        pollMs: 10,
        timeoutMs: PATIENCE_MS,
        idempotent: false,
        ...change,
      },
      { secrets: ['w0rkers-own'] },
    );
  const { run, entries } = observedRun();
  const told: unknown[] = [entries];
  const { url } = await deployer(echo(200, 'succeeded'));
  told.push(await secretive(url).run(operation(), run));
  for (const status of [400, 500]) {
    const refuses = await deployer(says(`{"detail": "Bearer t0psecret-value is not known, w0rkers-own"}`, status));
    told.push(
      await secretive(refuses.url)
        .run(operation(), run)
        .catch((error: Error) => error.message),
    );
  }
  const follows = await deployer(
    running(),
    says({ status: 'running', detail: 'with t0psecret-value' }),
    says({ status: `t0psecret-value` }),
    succeeded,
  );
  await secretive(follows.url, { statusUrl: follows.url }).run(operation(), run);
  const all = JSON.stringify(told);
  expect(all).toContain('with ***');
  expect(all).toContain('*** is not known, ***');
  for (const secret of ['t0psecret', 'w0rkers']) expect(all).not.toContain(secret);
});

test('a version in an answer that is none names none: it could become an argument of a rollback', async () => {
  const { url } = await deployer(says({ status: 'succeeded', version: '--force' }));
  const result = await driver(url).run(operation({ version: null }), observedRun().run);
  expect(result).toEqual({ ok: true, detail: 'the deployer says that it succeeded' });
});
