import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import { createHealthCheck } from '../../activities/health-check.ts';
import { createHttpProbe, type HttpProbeConfig } from '../../adapters/http-probe/http-probe.ts';
import { activityEnvironment, inActivity } from '../adapters/deploy/in-activity.ts';
import { refusingUrl, serve } from '../adapters/http-probe/server.ts';
import { type HeldTime, holdTime } from '../setup/hold-time.ts';

let time: HeldTime;
beforeEach(() => {
  time = holdTime();
});

interface Check {
  readonly deadlineMs?: number;
  readonly passes?: number;
}

function activity(url: string, { deadlineMs = 10_000, passes = 1 }: Check = {}) {
  const probe = { url, expectStatus: [], expectJson: {}, timeoutMs: 2_000, headers: {} };
  return createHealthCheck({
    repository: () => ({ healthCheck: { probe, deadlineMs, passes } }),
    http: createHttpProbe(),
  }).checkHealth;
}

const REQUEST = { repo: 'shop', workItem: 'ORCH-61', version: 'v2' };

/** A production that gives one status after the other, the last one again and again. */
async function production(...statuses: readonly number[]): Promise<string> {
  let asked = 0;
  return serve((_, response) => {
    response.writeHead(statuses[Math.min(asked, statuses.length - 1)] ?? 500).end();
    asked += 1;
  });
}

/** The surroundings of a check: time passes between its looks alone, and only as long as it waits then. */
function waiting({ deadlineMs = 10_000 }: Check = {}) {
  const environment = activityEnvironment();
  environment.on('heartbeat', () => setImmediate(() => time.pass(Math.min(1_000, deadlineMs / 20))));
  return environment;
}

async function check(url: string, options: Check = {}) {
  const result = await inActivity(() => activity(url, options)(REQUEST), waiting(options));
  await turn(); // of its last heartbeat
  return result;
}

test('a production that passes at once is healthy', async () => {
  expect(await check(await production(200))).toEqual({ ok: true, detail: 'healthy: at the first look', attempts: 1 });
});

test('it is waited for until it passes', async () => {
  expect(await check(await production(503, 503, 200), { deadlineMs: 2_000 })).toEqual({
    ok: true,
    detail: 'healthy: 3 looks',
    attempts: 3,
  });
});

test('passes count in a row: a failure begins it anew, a look that broke on our side does not', async () => {
  const url = await production(200, 503, 200, 429, 200);
  expect(await check(url, { deadlineMs: 2_000, passes: 2 })).toMatchObject({ ok: true, attempts: 5 });
});

test('a production that does not pass in time is not healthy, and it is said why', async () => {
  const failing = await check(await production(503), { deadlineMs: 200 });
  expect(failing).toMatchObject({ ok: false });
  expect(failing.detail).toMatch(/^not healthy within 200 ms \(\d+ looks\): answered 503, expected any 2xx$/);
  const seldom = await check(await production(200), { deadlineMs: 200, passes: 1_000 });
  expect(seldom.detail).toMatch(/^not healthy 1000 times in a row within 200 ms \(\d+ looks\): it passed, but/);
  expect((await check(await refusingUrl(), { deadlineMs: 100 })).detail).toContain('the connection was refused');
});

test('each look is a heartbeat', async () => {
  const environment = waiting({ deadlineMs: 2_000 });
  const heard: unknown[] = [];
  const check = activity(await production(503, 200), { deadlineMs: 2_000 });
  environment.on('heartbeat', (detail) => heard.push(detail));
  await inActivity(async () => check(REQUEST), environment);
  expect(heard).toEqual(['look 1: answered 503, expected any 2xx', 'look 2: pass']);
});

test('a cancel ends it, during a look and between two', async () => {
  for (const status of [null, 503]) {
    const environment = activityEnvironment();
    const url = await serve((_, response) => {
      if (status !== null) response.writeHead(status).end();
      environment.cancel('CANCELLED');
    });
    await expect(inActivity(() => activity(url)(REQUEST), environment)).rejects.toMatchObject({
      name: 'CancelledFailure',
    });
  }
});

test('without a health check it is healthy; an unknown repository is not', async () => {
  const http = createHttpProbe();
  const none = createHealthCheck({ repository: () => ({ healthCheck: null }), http });
  expect(await inActivity(() => none.checkHealth(REQUEST))).toEqual({
    ok: true,
    detail: 'no health check is configured',
    attempts: 0,
  });
  const unknown = createHealthCheck({ repository: () => undefined, http });
  expect(await inActivity(() => unknown.checkHealth(REQUEST))).toMatchObject({ ok: false });
});

test('it says whether production failed, or only our own looks broke', async () => {
  expect(await check(await production(503), { deadlineMs: 200 })).toMatchObject({ ok: false, seen: 'fail' });
  expect(await check(await production(429), { deadlineMs: 200 })).toMatchObject({ ok: false, seen: 'unknown' });
});

test.each([
  ['42', '42', true],
  ['42', '"42"', true],
  ['1.10', '1.10', true],
  ['1.1', '1.10', false],
  ['9007199254740992', '9007199254740993', false],
  ['42', '[42]', false],
])('it proves the version %s by %s, digit for digit: %j', async (version, answered, ok) => {
  const url = await serve((_, response) => void response.end(`{"version": ${answered}, "build": "7"}`));
  const probe: HttpProbeConfig = {
    url,
    expectStatus: [],
    expectJson: { '/version': '{version}', '/build': '7' },
    timeoutMs: 2_000,
    headers: {},
  };
  const { checkHealth } = createHealthCheck({
    repository: () => ({ healthCheck: { probe, deadlineMs: 200, passes: 1 } }),
    http: createHttpProbe(),
  });
  expect(await inActivity(() => checkHealth({ ...REQUEST, version }), waiting())).toMatchObject({ ok });
});

test('what is written out in expectJson is of that type: the text "7" is not the number', async () => {
  const url = await serve((_, response) => void response.end('{"build": 7}'));
  const look = createHttpProbe().health(
    { url, expectStatus: [], expectJson: { '/build': '7' }, timeoutMs: 2_000, headers: {} },
    new AbortController().signal,
  );
  expect(await look).toEqual({ health: 'fail', detail: '/build is 7, expected "7"' });
});

test('it proves the version: an old instance that still answers does not pass', async () => {
  const asked: (string | undefined)[] = [];
  let running = 'v1';
  const url = await serve((request, response) => {
    asked.push(`${request.url} ${request.headers['x-item']}`);
    response.end(JSON.stringify({ version: running }));
    running = asked.length === 2 ? 'v2' : running;
  });
  const probe: HttpProbeConfig = {
    url: `${url}/{version}/health`,
    expectStatus: [],
    expectJson: { '/version': '{version}' },
    timeoutMs: 2_000,
    headers: { 'x-item': '{workItem}' },
  };
  const { checkHealth } = createHealthCheck({
    repository: () => ({ healthCheck: { probe, deadlineMs: 10_000, passes: 1 } }),
    http: createHttpProbe(),
  });
  expect(await inActivity(() => checkHealth(REQUEST), waiting())).toMatchObject({ ok: true, attempts: 3 });
  expect(asked).toEqual(Array(3).fill('/v2/health ORCH-61'));
  await turn(); // of its last heartbeat
  expect(await inActivity(() => checkHealth({ ...REQUEST, version: null }), waiting())).toEqual({
    ok: false,
    detail: 'the health check cannot be made: it needs {version}, but the start named no version: start with one',
    attempts: 0,
    seen: 'unknown',
  });
});

test('a worker whose settings do not describe the repository has seen nothing', async () => {
  const { checkHealth } = createHealthCheck({ repository: () => undefined, http: createHttpProbe() });
  expect(await inActivity(() => checkHealth(REQUEST))).toEqual({
    ok: false,
    detail:
      'the health check cannot be made: repository "shop" is not described in the settings of the worker that took it',
    attempts: 0,
    seen: 'unknown',
  });
});
