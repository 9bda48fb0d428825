import fc from 'fast-check';
import { beforeEach, expect, test, vi } from 'vitest';
import { createProbes, type ProbesDeps } from '../../activities/probes.ts';
import { createHttpProbe } from '../../adapters/http-probe/http-probe.ts';
import { activityEnvironment, inActivity } from '../adapters/deploy/in-activity.ts';
import { recordingLog } from '../adapters/deploy/operation.ts';
import { refusingUrl, serve, serveTcp } from '../adapters/http-probe/server.ts';
import { type HeldTime, holdTime } from '../setup/hold-time.ts';

let time: HeldTime;
beforeEach(() => {
  time = holdTime();
});

const target = { repo: 'shop', workItem: 'ORCH-61' };

const answering = (status: number) =>
  serve((_, response) => {
    response.writeHead(status).end();
  });

interface Production {
  readonly health?: string | null;
  readonly timeoutMs?: number;
  readonly traffic?: readonly string[];
}

function probes({ health = null, timeoutMs = 2_000, traffic = [] }: Production, deps: Partial<ProbesDeps> = {}) {
  const log = recordingLog();
  const probe = health === null ? null : { url: health, expectStatus: [], expectJson: {}, timeoutMs, headers: {} };
  const { observe } = createProbes({
    repository: () => ({ probe: { health: probe, traffic } }),
    http: createHttpProbe(),
    stageOf: async () => 'done',
    log,
    ...deps,
  });
  return { observe, log };
}

const look = (production: Production, deps: Partial<ProbesDeps> = {}) =>
  inActivity(() => probes(production, deps).observe(target));

test('a look sees health, traffic and the stage', async () => {
  const traffic = await Promise.all([200, 404, 500, 503, 429].map(answering));
  const seen = await look({ health: await answering(200), traffic: [...traffic, await refusingUrl()] });
  expect(seen).toEqual({
    at: expect.any(Number),
    health: 'pass',
    requests: 5,
    errors5xx: 3,
    detail: 'traffic: 3 of 5 requests failed, 1 of 6 not counted: answered 500',
    stage: 'done',
    ms: expect.any(Number),
  });
});

test.each([
  ['behind', 90_000, true],
  ['a little behind', 500, false],
  ['a little ahead', -500, false],
  ['ahead', -90_000, true],
])('a look is no earlier than it was asked for: the clock is %s', async (_, behindMs, told) => {
  const now = Date.now() + behindMs;
  const { at, aheadMs } = await inActivity(() => probes({}).observe({ ...target, now }));
  expect(at).toBeGreaterThanOrEqual(Math.max(now, now - behindMs));
  if (told) expect(Math.sign(aheadMs ?? 0)).toBe(Math.sign(-behindMs));
  else expect(aheadMs).toBeUndefined();
});

test('it says why health did not pass', async () => {
  expect(await look({ health: await answering(503) })).toMatchObject({
    health: 'fail',
    detail: 'answered 503, expected any 2xx',
  });
  expect(await look({ health: await refusingUrl() })).toMatchObject({ health: 'fail' });
});

test('a window proves the version only where it is told to, and after a rollback that one', async () => {
  const url = await serve((request, response) => {
    response.end(JSON.stringify({ version: 'v1', asked: request.url }));
  });
  const health = {
    url: `${url}/{version}/{workItem}`,
    expectStatus: [],
    expectJson: { '/version': '{version}', '/asked': '/v2/{workItem}' },
    timeoutMs: 2_000,
    headers: {},
  };
  const seen = (requireVersion: boolean, change: object = {}) =>
    inActivity(() =>
      probes({}, { repository: () => ({ probe: { health, traffic: [], requireVersion } }) }).observe({
        ...target,
        version: 'v2',
        ...change,
      }),
    );
  expect(await seen(false)).toMatchObject({ health: 'pass' });
  expect(await seen(true)).toMatchObject({ health: 'fail', detail: '/version is "v1", expected "v2"' });
  expect(await seen(true, { rolledBack: true })).toMatchObject({ health: 'fail' });
  expect(await seen(true, { rolledBack: true, version: null })).toMatchObject({
    health: 'unknown',
    detail: 'the probe cannot be made: nobody knows which version runs after the rollback',
  });
  expect(await seen(false, { version: null })).toMatchObject({
    health: 'unknown',
    detail: expect.stringContaining('it needs {version}'),
  });
});

test('a request to a URL with {version} and {workItem} goes to that of the version which should run', async () => {
  const asked: (string | undefined)[] = [];
  const url = await serve((request, response) => {
    asked.push(request.url);
    response.end();
  });
  const seen = (change: object) =>
    inActivity(() => probes({ traffic: [`${url}/{version}/{workItem}`] }).observe({ ...target, ...change }));
  expect(await seen({ version: 'v2' })).toMatchObject({ requests: 1, errors5xx: 0 });
  expect(asked).toEqual([`/v2/${target.workItem}`]);
  expect(await seen({ version: null, rolledBack: true })).toMatchObject({ requests: 0, errors5xx: 0 });
  expect(asked).toHaveLength(1);
});

test('a request that cannot be made is not counted, and it is said why', async () => {
  const production = { health: await answering(200), traffic: [await answering(200), 'http://127.0.0.1/{version}'] };
  expect(await inActivity(() => probes(production).observe({ ...target, version: null }))).toMatchObject({
    requests: 1,
    detail: expect.stringMatching(/^traffic: 1 of 2 not counted: it cannot be made: it needs \{version\}/),
  });
});

test('what there is nothing to ask for is unknown', async () => {
  expect(await look({})).toMatchObject({ health: 'unknown', detail: 'no health probe is configured' });
  expect(await look({}, { repository: () => undefined })).toMatchObject({
    health: 'unknown',
    requests: 0,
    detail: 'repository "shop" is not described in the settings',
  });
});

test('a task that is missing has no stage; a stage that cannot be read is absent, and voids nothing', async () => {
  expect(await look({ health: await answering(200) }, { stageOf: async () => null })).toMatchObject({ stage: null });
  const { observe, log } = probes(
    { health: await answering(200) },
    { stageOf: () => Promise.reject(new Error('Postgres is away')) },
  );
  const seen = await inActivity(() => observe(target));
  expect(seen).toMatchObject({ health: 'pass' });
  expect(seen).not.toHaveProperty('stage');
  expect(log.entries).toMatchObject([{ level: 'warn', fields: { work_item: 'ORCH-61' } }]);
});

test('everything is asked side by side: nothing is answered before all of it was asked', async () => {
  let asked = 0;
  let everything = (): void => {};
  const all = new Promise<void>((resolve) => {
    everything = resolve;
  });
  const arrive = (): Promise<void> => {
    asked += 1;
    if (asked === 4) everything();
    return all;
  };
  const url = await serve(async (_, response) => {
    await arrive();
    response.end();
  });
  const stageOf = async (): Promise<string> => {
    await arrive();
    return 'done';
  };
  expect(await look({ health: url, traffic: [url, url] }, { stageOf })).toMatchObject({
    health: 'pass',
    requests: 2,
    stage: 'done',
  });
});

test('why traffic fails is said where there is no health probe, and beside why health fails', async () => {
  const refused = 'http://127.0.0.1:1/';
  const why = 'traffic: 1 of 1 requests failed: the connection was refused (ECONNREFUSED)';
  expect(await look({ traffic: [refused] })).toMatchObject({ health: 'unknown', errors5xx: 1, detail: why });
  expect(await look({ health: refused, traffic: [refused] })).toMatchObject({
    health: 'fail',
    detail: `the connection was refused (ECONNREFUSED); ${why}`,
  });
});

test('what does not answer is not waited for longer than its time', async () => {
  let connections = 0;
  const silent = await serveTcp(() => {
    connections += 1;
    if (connections === 2) time.pass(100); // both are asked
  });
  const { health, traffic } = createHttpProbe();
  const http = {
    traffic,
    async health(...asked: Parameters<typeof health>) {
      const seen = await health(...asked);
      setImmediate(() => time.pass(100));
      return seen;
    },
  };
  const seen = await look(
    { health: silent, timeoutMs: 100, traffic: [silent] },
    { http, partMs: 200, stageOf: () => new Promise(() => {}) },
  );
  expect(seen).toEqual({
    at: expect.any(Number),
    health: 'fail',
    detail: 'no answer within 100 ms; traffic: 1 of 1 not counted: the probe broke: the request did not answer within',
    requests: 0, // this worker gave up before the request did
    errors5xx: 0,
    ms: expect.any(Number),
  });
});

test('the cancellation of the activity is the one thing that is thrown', async () => {
  const environment = activityEnvironment();
  const url = await serve(() => environment.cancel('CANCELLED'));
  const { observe } = probes({ health: url, traffic: [url] });
  await expect(inActivity(() => observe(target), environment)).rejects.toMatchObject({ name: 'CancelledFailure' });
});

type Break = 'works' | 'throws' | 'rejects' | 'never answers';
const breaks = fc.constantFrom<Break[]>('works', 'throws', 'rejects', 'never answers');

test('never raises, whatever is broken, and its answer is always a look', async () => {
  vi.useRealTimers();
  const broken =
    <T>(how: Break, value: T, thrown: unknown) =>
    (): Promise<T> => {
      if (how === 'throws') throw thrown;
      if (how === 'rejects') return Promise.reject(thrown);
      return how === 'works' ? Promise.resolve(value) : new Promise(() => {});
    };
  await fc.assert(
    fc.asyncProperty(
      fc.record({ repository: fc.boolean(), log: fc.boolean(), health: breaks, traffic: breaks, stage: breaks }),
      fc.anything(),
      async (is, thrown) => {
        const fail = (): never => {
          throw thrown;
        };
        const seen = await look(
          { health: 'http://shop.example/', traffic: ['http://shop.example/'] },
          {
            http: {
              health: broken(is.health, { health: 'pass' as const }, thrown),
              traffic: broken(is.traffic, { requests: 1, errors5xx: 1 }, thrown),
            },
            stageOf: broken(is.stage, 'done', thrown),
            partMs: 2,
            ...(is.repository ? {} : { repository: fail }),
            ...(is.log ? {} : { log: { warn: fail } }),
          },
        );
        expect(['pass', 'fail', 'unknown']).toContain(seen.health);
        expect(seen.health === 'pass').toBe(is.repository && is.health === 'works');
        expect(seen.requests).toBe(is.repository && is.traffic === 'works' ? 1 : 0);
        expect('stage' in seen).toBe(is.stage === 'works');
        expect(seen.detail?.length ?? 0).toBeLessThanOrEqual(160);
        expect(JSON.parse(JSON.stringify(seen))).toEqual(seen);
      },
    ),
    { numRuns: 300 },
  );
});
