import { describe, expect, test } from 'vitest';
import { VARIABLE_NAMES, VARIABLES } from '../../settings/schema.ts';
import { checkSettings, loadSettings, SettingsError } from '../../settings.ts';
import { environment, files, noFiles } from './builders.ts';

const faults = (more: Readonly<Record<string, string | undefined>>, readFile = noFiles) =>
  checkSettings(environment(more), readFile).faults;

test('without a file the self-hosting repository is the only one, deployed by others', () => {
  const settings = loadSettings(
    environment({ ORCH_SELF_HOSTING_REPO: 'Orchestrator', ORCH_POST_DEPLOY_TRAFFIC_URLS: 'http://a/, http://b/ ,' }),
    noFiles,
  );
  expect([...settings.repositories.keys()]).toEqual(['orchestrator']);
  expect(settings.repositories.get('orchestrator')).toEqual({
    name: 'Orchestrator',
    selfHosting: true,
    planeProject: 'ORCH',
    deploy: { driver: 'external', timeoutMs: 3_600_000 },
    rollback: null,
    healthCheck: {
      probe: expect.objectContaining({ url: 'http://localhost:8500/health', expectStatus: [], timeoutMs: 2_000 }),
      deadlineMs: 120_000,
      passes: 1,
    },
    probe: {
      health: expect.objectContaining({ url: 'http://localhost:8500/health' }),
      traffic: ['http://a/', 'http://b/'],
      requireVersion: false,
    },
    window: {
      windowMs: 900_000,
      intervalMs: 30_000,
      confirmMs: 5_000,
      maxWindowMs: 3_600_000,
      rollbackWatchMs: 300_000,
      failThreshold: 3,
      errorRatioThreshold: 0.05,
      minRequests: 20,
      action: 'alert',
    },
    approval: { required: true, timeoutMs: 86_400_000 },
  });
  expect(settings.settleMs).toBe(60_000);
  expect(settings.guard).toEqual({ enabled: true, repos: ['Orchestrator'], selfHostingRepo: 'Orchestrator' });
});

test('nothing set: every variable that must be set is told, and nothing else', () => {
  const told = checkSettings({}, noFiles).faults;
  expect(told.map((fault) => fault.split(' ')[0])).toEqual([
    'DATABASE_URL',
    'ORCH_PLANE_URL',
    'ORCH_PLANE_API_KEY',
    'ORCH_PLANE_WORKSPACE',
    'ORCH_PLANE_PROJECT',
    'ORCH_SELF_HOSTING_REPO',
  ]);
  expect(told.every((fault) => fault.includes('must be set'))).toBe(true);
});

test('all faults are told at once, one a line, in a SettingsError', () => {
  const load = () =>
    loadSettings(
      environment({
        ORCH_PLANE_URL: 'plane.example.org',
        ORCH_POST_DEPLOY_5XX_THRESHOLD: '5',
        ORCH_POST_DEPLOY_WINDOW_SECONDS: '15m',
        ORCH_APPROVAL: 'maybe\nnot',
        ORCH_REPOSITORIES_FILE: 'absent.yaml',
      }),
      noFiles,
    );
  expect(load).toThrow(SettingsError);
  expect(load).toThrow(
    [
      'ORCH_PLANE_URL must be an http(s) URL without a query, got "plane.example.org" (write http://plane.example.org)',
      'ORCH_POST_DEPLOY_WINDOW_SECONDS must be a number of seconds within 0.2..604800, got "15m" (without a unit: write 900)',
      'ORCH_POST_DEPLOY_5XX_THRESHOLD must be within 0..1, got "5" (a ratio: write 0.05)',
      String.raw`ORCH_APPROVAL must be required or none, got "maybe\nnot"`,
      'ORCH_REPOSITORIES_FILE must name a readable file, got "absent.yaml" (there is no such file)',
    ].join('\n'),
  );
});

test.each([
  ['ORCH_STATUS_SETTLE_SECONDS', '-1'],
  ['ORCH_STATUS_SETTLE_SECONDS', '1e9'],
  ['ORCH_STATUS_SETTLE_SECONDS', 'NaN'],
  ['ORCH_STATUS_SETTLE_SECONDS', '0x10'],
  ['ORCH_POST_DEPLOY_WINDOW_SECONDS', '0'],
  ['ORCH_POST_DEPLOY_INTERVAL_SECONDS', '0.1'],
  ['ORCH_POST_DEPLOY_FAIL_THRESHOLD', '0'],
  ['ORCH_POST_DEPLOY_FAIL_THRESHOLD', '2.5'],
  ['ORCH_POST_DEPLOY_MIN_REQUESTS', '0'],
  ['ORCH_POST_DEPLOY_5XX_THRESHOLD', '-0.1'],
  ['ORCH_POST_DEPLOY_ACTION', 'restart'],
  ['ORCH_POST_DEPLOY_ENABLED', 'maybe'],
  ['ORCH_POST_DEPLOY_HEALTH_URL', 'ftp://host/'],
  ['ORCH_POST_DEPLOY_TRAFFIC_URLS', 'http://a/,b'],
  ['ORCH_PLANE_URL', 'https://plane.example.org?x=1'],
  ['ORCH_PLANE_WORKSPACE', 'a/b'],
  ['ORCH_SELF_HOSTING_REPO', '../up'],
  ['ORCH_DATABASE_POOL_SIZE', '0'],
  ['ORCH_DATABASE_TLS', 'prefer'],
  ['ORCH_LOG_LEVEL', 'loud'],
  ['ORCH_SHUTDOWN_SECONDS', ''.padEnd(400, '9')],
])('%s=%s is refused, once, by its name', (name, value) => {
  const told = faults({ [name]: value });
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(new RegExp(`^${name} must be .*, got `));
  expect(told[0]?.length).toBeLessThan(300);
});

test.each([
  ['true', true],
  ['1', true],
  ['ON', true],
  ['Yes', true],
  ['FALSE', false],
  ['0', false],
  ['off', false],
  [' no ', false],
  ['', true],
])('a switch reads %j as %s', (written, read) => {
  expect(loadSettings(environment({ ORCH_POST_DEPLOY_ENABLED: written }), noFiles).postDeploy.enabled).toBe(read);
});

test('seconds may be fractions and become whole milliseconds; settle may be 0', () => {
  const settings = loadSettings(
    environment({
      ORCH_APPROVAL_TIMEOUT_SECONDS: '1.5',
      ORCH_STATUS_SETTLE_SECONDS: '0',
      ORCH_SHUTDOWN_SECONDS: '.1239',
    }),
    noFiles,
  );
  expect([settings.approval.timeoutMs, settings.settleMs, settings.worker.shutdownMs]).toEqual([1_500, 0, 124]);
});

test('the webhooks of Plane need their secret, and nobody listens without a port', () => {
  expect(faults({ ORCH_PLANE_WEBHOOK_PORT: '9000' })).toEqual([
    'ORCH_PLANE_WEBHOOK_SECRET must be set with ORCH_PLANE_WEBHOOK_PORT: without it anybody could send events',
  ]);
  expect(checkSettings(environment({ ORCH_PLANE_WEBHOOK_SECRET: 's' }), noFiles).settings?.planeWebhook).toBeNull();
  const both = environment({ ORCH_PLANE_WEBHOOK_PORT: '9000', ORCH_PLANE_WEBHOOK_SECRET: 's' });
  expect(checkSettings(both, noFiles).settings?.planeWebhook).toEqual({ host: '127.0.0.1', port: 9_000, secret: 's' });
});

describe('secrets', () => {
  const secrets = VARIABLE_NAMES.filter((name) => VARIABLES[name].secret);

  test.each(secrets)('%s may come from a file', (name) => {
    const value = name === 'DATABASE_URL' ? 'postgres://u:p@h/d' : 'https://hooks.example.org/t0ken';
    const { settings } = checkSettings(
      environment({
        ORCH_PLANE_WEBHOOK_PORT: '9000',
        ORCH_PLANE_WEBHOOK_SECRET: 's',
        [name]: undefined,
        [`${name}_FILE`]: '/run/secret',
      }),
      files({ '/run/secret': `${value}\n` }),
    );
    const { database, plane, alertWebhookUrl, planeWebhook } = settings ?? {};
    expect([database?.url, plane?.apiKey, alertWebhookUrl, planeWebhook?.secret]).toContain(value);
  });

  test.each(secrets)('%s from both places, from an absent file or an empty one is a fault', (name) => {
    const path = `${name}_FILE`;
    expect(faults({ [name]: 'x', [path]: '/f' }, files({ '/f': 'y' }))).toEqual([
      `${name} and ${path} are both set: unset one of them`,
    ]);
    expect(faults({ [name]: '', [path]: '/f' })).toEqual([
      `${path} must name a readable file, got "/f" (there is no such file)`,
    ]);
    expect(faults({ [name]: '', [path]: '/f' }, files({ '/f': ' \n' }))).toEqual([
      `${path} must name a file that holds the value, got "/f", which is empty`,
    ]);
  });

  test('a faulty one is never repeated', () => {
    expect(faults({ DATABASE_URL: 'mysql://root:s3cret@db/x', ORCH_PLANE_API_KEY: 's3cret key' }).join()).toBe(
      'DATABASE_URL must be like postgres://user:password@host:5432/database (@ / ? # in a password as %40 %2F %3F %23), got a value that is not (it is not shown),' +
        'ORCH_PLANE_API_KEY must be one word of printable ASCII characters, got a value that is not (it is not shown)',
    );
  });

  test('neither is a password in a URL that must have none', () => {
    expect(faults({ ORCH_PLANE_URL: 'https://bot:s3cret@plane.example.org' }).join()).toMatch(
      /^ORCH_PLANE_URL must be .* got a value that is not shown.*\(without a user and a password/,
    );
  });
});

test('an unknown ORCH_ variable is a warning that names the nearest known one, and no fault', () => {
  const { warnings, faults: told } = checkSettings(
    environment({ ORCH_POST_DEPLOY_ACTOIN: 'rollback', ORCH_XYZZY: '1', ORCH_TEMPORAL_CLI: '/bin/x', OTHER: '1' }),
    noFiles,
  );
  expect(told).toEqual([]);
  expect(warnings).toEqual([
    'ORCH_POST_DEPLOY_ACTOIN is not a known variable (did you mean ORCH_POST_DEPLOY_ACTION?); it is ignored',
    'ORCH_XYZZY is not a known variable; it is ignored',
  ]);
});

test('settings are frozen all the way down, the map of repositories too', () => {
  const settings = loadSettings(environment(), noFiles);
  const open = (value: unknown, path: string): string[] => {
    if (typeof value !== 'object' || value === null) return [];
    const inner = value instanceof Map ? [...value] : Object.entries(value);
    return [
      ...(Object.isFrozen(value) ? [] : [path]),
      ...inner.flatMap(([key, below]: [unknown, unknown]) => open(below, `${path}.${String(key)}`)),
    ];
  };
  expect(open(settings, 'settings')).toEqual([]);
  const { repositories } = settings;
  expect(() => repositories instanceof Map && repositories.clear()).toThrow('settings are fixed');
  expect(repositories.size).toBe(1);
});
