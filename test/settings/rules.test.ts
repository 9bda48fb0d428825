import { describe, expect, test } from 'vitest';
import { applies, MAX_TICKS, mostTicks, type Scope } from '../../decisions/index.ts';
import { checkSettings, type Env, loadSettings } from '../../settings.ts';
import { described, environment, files, noFiles } from './builders.ts';

const faults = (more: Env, readFile = noFiles) => checkSettings(environment(more), readFile).faults;
const seconds = (times: Readonly<Record<string, string>>): Env =>
  Object.fromEntries(Object.entries(times).map(([name, value]) => [`ORCH_POST_DEPLOY_${name}_SECONDS`, value]));

test.each([
  [
    { CONFIRM: '40' },
    'ORCH_POST_DEPLOY_CONFIRM_SECONDS must be at most ORCH_POST_DEPLOY_INTERVAL_SECONDS (30), got 40',
  ],
  [
    { INTERVAL: '1000' },
    'ORCH_POST_DEPLOY_INTERVAL_SECONDS must be at most ORCH_POST_DEPLOY_WINDOW_SECONDS (900), got 1000',
  ],
  [
    { WINDOW: '900', MAX_WINDOW: '600' },
    'ORCH_POST_DEPLOY_WINDOW_SECONDS must be at most ORCH_POST_DEPLOY_MAX_WINDOW_SECONDS (600), got 900',
  ],
  [
    { INTERVAL: '1', CONFIRM: '0.2' },
    'ORCH_POST_DEPLOY_WINDOW_SECONDS must take at most 3000 looks, got 900, which may take 4500 (one every 1 s, or 0.2 s while health fails): make it shorter, or those longer',
  ],
  [
    { INTERVAL: '1', CONFIRM: '1', MAX_WINDOW: '3600' },
    'ORCH_POST_DEPLOY_MAX_WINDOW_SECONDS must take at most 3000 looks, got 3600, which may take 3600 (one every 1 s, or 1 s while health fails): make it shorter, or those longer',
  ],
  [
    { CONFIRM: '1', ROLLBACK_WATCH: '4000', MAX_WINDOW: '900' },
    'ORCH_POST_DEPLOY_ROLLBACK_WATCH_SECONDS must take at most 3000 looks, got 4000, which may take 4000 (one every 1 s, or 1 s while health fails): make it shorter, or those longer',
  ],
])('the times of a window, %o: a fault', (times, fault) => {
  expect(faults(seconds(times))).toEqual([fault]);
});

test.each([
  [{ WINDOW: '12', INTERVAL: '1', CONFIRM: '0.5' }],
  [{ WINDOW: '20' }],
  [{ INTERVAL: '2' }],
  [{ INTERVAL: '0.5', WINDOW: '8' }],
  [{ WINDOW: '7200' }],
  [{ WINDOW: '0.2' }],
  [{ WINDOW: '600', INTERVAL: '0.2' }],
])('a default makes way for the times that are set, %o', (times) => {
  const once = { ORCH_POST_DEPLOY_FAIL_THRESHOLD: '1' }; // some of these windows take one look only
  const { settings, faults: told } = checkSettings(environment({ ...seconds(times), ...once }), noFiles);
  expect(told).toEqual([]);
  const window = settings?.repositories.get('orchestrator')?.window;
  if (window === undefined) throw new Error('no window');
  expect(window.confirmMs).toBeLessThanOrEqual(window.intervalMs);
  expect(window.intervalMs).toBeLessThanOrEqual(window.windowMs);
  expect(window.windowMs).toBeLessThanOrEqual(window.maxWindowMs);
  expect(mostTicks({ ...window, windowMs: window.maxWindowMs })).toBeLessThanOrEqual(MAX_TICKS);
});

describe('a limit that its window cannot reach is a fault that says what to set', () => {
  const shop = (window: string, evidence = 'health: { url: http://shop/ }', more: Env = {}) =>
    checkSettings(
      ...described(
        `repositories:\n  shop:\n    deploy: { driver: external }\n    ${evidence}\n    watch: true\n    guard: true\n${window === '' ? '' : `    window: ${window}\n`}`,
        more,
      ),
    ).faults;

  test.each([
    [
      '{ seconds: 60, intervalSeconds: 30, confirmSeconds: 30 }',
      'window: can never prove a degradation: ORCH_POST_DEPLOY_FAIL_THRESHOLD is 3, but a window of 60 s takes at most 2 looks (one every 30 s, or 30 s while health fails); set window.failThreshold to at most 2, or window.seconds to at least 90',
    ],
    [
      '{ seconds: 16, intervalSeconds: 16 }',
      'window: can never prove a degradation: ORCH_POST_DEPLOY_FAIL_THRESHOLD is 3, but a window of 16 s takes at most 1 look (one every 16 s, or 5 s while health fails); set window.failThreshold to at most 1, or window.seconds to at least 26',
    ],
    [
      '{ seconds: 60, intervalSeconds: 30, failThreshold: 3000 }',
      'window.failThreshold: can never prove a degradation: failThreshold is 3000, but a window of 60 s takes at most 7 looks (one every 30 s, or 5 s while health fails); set window.failThreshold to at most 7',
    ],
  ])('failThreshold with health: %s', (window, fault) => {
    expect(shop(window)).toEqual([expect.stringMatching(/^repositories\.yaml:7:\d+ repositories\.shop\./)]);
    expect(shop(window).join()).toContain(fault);
    expect(shop(window, 'traffic: [http://a/, http://b/, http://c/, http://d/, http://e/]').join()).not.toContain(
      'FAIL',
    );
  });

  test.each([
    [
      '{ seconds: 300, intervalSeconds: 30 }',
      '[http://a/]',
      'window: can never prove a degradation: ORCH_POST_DEPLOY_MIN_REQUESTS is 20, but a window of 300 s makes 10 requests (10 looks, one every 30 s, at 1 URL); set window.minRequests to at most 10, or window.seconds to at least 600',
    ],
    [
      '{ seconds: 90, minRequests: 7 }',
      '[http://a/, http://b/]',
      'window.minRequests: can never prove a degradation: minRequests is 7, but a window of 90 s makes 6 requests (3 looks, one every 30 s, at 2 URLs); set window.minRequests to at most 6, or window.seconds to at least 120',
    ],
    [
      '{ seconds: 300, minRequests: 1000000000 }',
      '[http://a/]',
      'window.minRequests: can never prove a degradation: minRequests is 1000000000, but a window of 300 s makes 10 requests (10 looks, one every 30 s, at 1 URL); set window.minRequests to at most 10',
    ],
  ])('minRequests with traffic, whether or not there is health: %s', (window, urls, fault) => {
    for (const evidence of [`traffic: ${urls}`, `health: { url: http://shop/ }\n    traffic: ${urls}`]) {
      const told = shop(window, evidence);
      expect(told).toHaveLength(1);
      expect(told.join().replace(/^\S+ repositories\.shop\./, '')).toBe(fault);
    }
  });

  test('by the variables alone, for the self-hosting repository', () => {
    expect(faults(seconds({ WINDOW: '20' }))).toEqual([
      'ORCH_POST_DEPLOY_FAIL_THRESHOLD can never prove a degradation: ORCH_POST_DEPLOY_FAIL_THRESHOLD is 3, but a window of 20 s takes at most 1 look (one every 20 s, or 5 s while health fails); set ORCH_POST_DEPLOY_FAIL_THRESHOLD to at most 1, or ORCH_POST_DEPLOY_WINDOW_SECONDS to at least 30',
    ]);
  });

  test('is none where it is just reached, where nothing is watched, and where a time is faulty', () => {
    expect(shop('{ seconds: 40 }')).toEqual([]);
    expect(shop('{ seconds: 90, minRequests: 6 }', 'traffic: [http://a/, http://b/]')).toEqual([]);
    expect(shop('{ seconds: 16 }', undefined, { ORCH_POST_DEPLOY_ENABLED: 'false' })).toEqual([]);
    expect(shop('{ seconds: 60, intervalSeconds: 90, failThreshold: 30 }')).toHaveLength(1);
  });
});

test('a faulty time is told once: nothing that depends on it is', () => {
  expect(faults(seconds({ WINDOW: 'x', INTERVAL: '80000', CONFIRM: '70000' }))).toHaveLength(1);
});

test.each(['deploy', 'rollback'])('the self-hosting repository refuses the driver command for %s', (part) => {
  const other = part === 'deploy' ? '' : '    deploy: { driver: external }\n';
  const [env, readFile] = described(
    `repositories:\n  ORCHESTRATOR:\n${other}    ${part}:\n      driver: command\n      command: [make, deploy]\n`,
  );
  expect(checkSettings(env, readFile).faults).toEqual([
    expect.stringMatching(
      new RegExp(
        `^repositories.yaml:\\d:7 repositories.ORCHESTRATOR.${part}.driver: must not be command for the self-hosting repository, as it would kill its own worker: use webhook`,
      ),
    ),
  ]);
});

const running = (command: readonly string[]) =>
  checkSettings(
    ...described(
      `repositories:\n  shop:\n    deploy: { driver: external }\n    rollback: { driver: command, command: ${JSON.stringify(command)} }\n`,
    ),
  ).faults;

test.each([
  [['sh', '-c', 'deploy {version}'], 2, '{version}', 'sh', 'D2D_VERSION'],
  [['/bin/bash', '-lc', 'deploy {workItem}'], 2, '{workItem}', 'bash', 'D2D_WORK_ITEM'],
  [['zsh', '-e', '-c', "deploy '{repo}'"], 3, '{repo}', 'zsh', 'D2D_REPO'],
  [['bash', '-euo', 'pipefail', '-c', 'x {operationId}'], 4, '{operationId}', 'bash', 'D2D_OPERATION_ID'],
  [['dash', '-ec', 'x {previousVersion}', 'sh', 'y'], 2, '{previousVersion}', 'dash', 'D2D_PREVIOUS_VERSION'],
  [['env', 'A=b', '/usr/bin/sh', '-c', 'x {version}'], 4, '{version}', 'sh', 'D2D_VERSION'],
  [['sudo', '-n', 'busybox', 'ash', '-c', 'x {version}'], 5, '{version}', 'ash', 'D2D_VERSION'],
  [['env', '-S', 'deploy {version}'], 2, '{version}', 'env', 'D2D_VERSION'],
  [['python3', '-Ic', 'print("{version}")'], 2, '{version}', 'python3', 'D2D_VERSION'],
  [['node', '-e', 'go("{version}")'], 2, '{version}', 'node', 'D2D_VERSION'],
  [['bash', '-c', 'deploy $${version}'], 2, '{version}', 'bash', 'D2D_VERSION'],
  [['sh', '-cdeploy {version}'], 1, '{version}', 'sh', 'D2D_VERSION'],
  [['fish', '--command=deploy {version}'], 1, '{version}', 'fish', 'D2D_VERSION'],
  [['tcsh', '-c', 'deploy {version}'], 2, '{version}', 'tcsh', 'D2D_VERSION'],
  [['python3', '-X', 'dev', '-c', 'go("{version}")'], 4, '{version}', 'python3', 'D2D_VERSION'],
  [['python3.12', '-cgo("{version}")'], 1, '{version}', 'python3.12', 'D2D_VERSION'],
  [['node', '--eval=go("{version}")'], 1, '{version}', 'node', 'D2D_VERSION'],
  [['node', '-r', './setup.cjs', '-p', '"{version}"'], 4, '{version}', 'node', 'D2D_VERSION'],
  [['deno', 'eval', 'go("{version}")'], 2, '{version}', 'deno', 'D2D_VERSION'],
  [['perl', '-I', 'lib', '-e', 'go("{version}")'], 4, '{version}', 'perl', 'D2D_VERSION'],
  [['perl', '-lne', 'go("{version}")'], 2, '{version}', 'perl', 'D2D_VERSION'],
  [['ruby3.2', '-r', 'json', '-e', 'go("{version}")'], 4, '{version}', 'ruby3.2', 'D2D_VERSION'],
  [['php', '--run', 'go("{version}");'], 2, '{version}', 'php', 'D2D_VERSION'],
  [['php', '-d', 'display_errors=1', '-rgo("{version}");'], 3, '{version}', 'php', 'D2D_VERSION'],
  [['env', '-u', 'HOME', '-Sdeploy {version}'], 3, '{version}', 'env', 'D2D_VERSION'],
  [['su', '-', 'deploy', '-c', 'deploy {version}'], 4, '{version}', 'su', 'D2D_VERSION'],
  [['su', '-s', '/bin/sh', '--command=deploy {version}', 'deploy'], 3, '{version}', 'su', 'D2D_VERSION'],
  [['sudo', 'runuser', '-l', 'deploy', '-c', 'deploy {version}'], 5, '{version}', 'runuser', 'D2D_VERSION'],
  [['flock', '-w', '5', '/run/lock', '-c', 'deploy {version}'], 5, '{version}', 'flock', 'D2D_VERSION'],
  [['script', '-qec', 'deploy {version}', '/dev/null'], 2, '{version}', 'script', 'D2D_VERSION'],
] as const)('a placeholder in a script is a fault: %j', (command, index, placeholder, program, variable) => {
  expect(running(command)).toEqual([
    expect.stringMatching(
      new RegExp(
        `repositories\\.shop\\.rollback\\.command\\.${index}: must not put \\${placeholder} into a script that ${program} reads, .*: write "\\$${variable}" in the script instead, with the quotes$`,
      ),
    ),
  ]);
});

test.each([
  [['ssh', 'web1', 'deploy {version}'], 2],
  [['/usr/bin/ssh', '-p', '22', '-oBatchMode=yes', 'deploy@web1', 'deploy', '--to', '{version}'], 7],
  [['sshpass', '-e', 'ssh', '--', 'web1', 'deploy {version}'], 5],
] as const)('a placeholder in what ssh has run elsewhere is a fault: %j', (command, index) => {
  expect(running(command)).toEqual([
    expect.stringMatching(
      new RegExp(
        `repositories\\.shop\\.rollback\\.command\\.${index}: must not put \\{version} into a script that ssh reads, .*: write "\\$D2D_VERSION" in the script instead, with the quotes, and pass it on with -o SendEnv=D2D_VERSION \\(the server must accept it\\)$`,
      ),
    ),
  ]);
});

test.each([
  [['sh', '-c', 'deploy "$D2D_VERSION"']],
  [['python3', '-m', 'deploy', '-c', '{version}']],
  [['python3', '-u', './deploy.py', '-c', '{version}']],
  [['perl', '-w', './deploy.pl', '-e', '{version}']],
  [['flock', '/run/lock', './deploy', '-c', '{version}']],
  [['su', '-c', 'deploy "$1"', 'deploy', '--', 'deploy', '{version}']],
  [['ssh', '-i', '/keys/{repo}', 'deploy@{repo}.example.org', 'deploy']],
  [['env', '-u', 'HOME', './deploy', '-S', '{version}']],
  [['sh', '-c', 'deploy "$1"', 'sh', '{version}']],
  [['bash', '-c', 'deploy "$@"', '-c', '{version}']],
  [['bash', '-e', './deploy.sh', '{version}']],
  [['sh', './deploy.sh', '-c', '{version}']],
  [['./sh-deploy', '-c', '{version}']],
  [['sh', '-c', 'echo {other} {a,b}']],
  [['node', './deploy.mjs', '-e', '{version}']],
  [['make', 'deploy', 'VERSION={version}']],
])('a placeholder that is an argument of its own is fine: %j', (command) => {
  expect(running(command)).toEqual([]);
});

test('a placeholder that is not filled in where it stands is a fault, and one that is probably misspelled a warning', () => {
  const { faults, warnings } = checkSettings(
    ...described(`repositories:
  shop:
    watch: true
    guard: true
    deploy:
      driver: webhook
      url: https://ci.example/deploy?from=%7BpreviousVersion%7D
      headers: { X-Version: '{verion}' }
      body: { version: '{version}', notes: ['{other}', 'for {repo}'] }
    rollback: { driver: command, command: [make, rollback, 'TO={previousVersion}', 'BAD={Version}'] }
    health: { url: 'https://shop.example/health/{repo}', expectJson: { /version: '{version}' } }
    traffic: ['https://shop.example/{version}/{workItem}', 'https://shop.example/{operationId}']
`),
  );
  expect(faults).toEqual([
    'repositories.yaml:7:7 repositories.shop.deploy.url: must not hold {previousVersion}, which only a rollback has',
    'repositories.yaml:11:15 repositories.shop.health.url: must not hold {repo}, which only a deploy and a rollback have',
    'repositories.yaml:12:60 repositories.shop.traffic.1: must not hold {operationId}, which only a deploy and a rollback have',
  ]);
  expect(warnings).toEqual([
    'repositories.yaml:8:18 repositories.shop.deploy.headers.X-Version: holds {verion}, which is not filled in (did you mean version?)',
    'repositories.yaml:10:84 repositories.shop.rollback.command.3: holds {Version}, which is not filled in (did you mean version?)',
  ]);
});

test('a number that would be read as another one is a fault where it is sent or compared', () => {
  const { faults } = checkSettings(
    ...described(`repositories:
  shop:
    watch: true
    guard: true
    deploy: { driver: webhook, url: https://ci.example/, timeoutSeconds: 60.0, body: { build: 9007199254740993, tags: [7, "1.10", .inf] } }
    health: { url: https://shop.example/, expectJson: { /v: 9007199254740993, /w: 1.10, /x: 1.1, /y: "1.10", /z: -9007199254740992 } }
`),
  );
  expect(faults.map((fault) => fault.replace(/^\S+ repositories\.shop\./, ''))).toEqual([
    'deploy.body.build: must not be 9007199254740993, which is read as 9007199254740992: put it in quotes, or write 9007199254740992',
    'deploy.body.tags.2: must not be .inf, which is read as Infinity: put it in quotes, or write Infinity',
    'health.expectJson./v: must not be 9007199254740993, which is read as 9007199254740992: put it in quotes, or write 9007199254740992',
    'health.expectJson./w: must not be 1.10, which is read as 1.1: put it in quotes, or write 1.1',
    'health.expectJson./z: must not be -9007199254740992: beyond 2^53 other numbers are read as the same one',
  ]);
});

const passing = (passEnv: string, more: Env = {}) =>
  checkSettings(
    ...described(
      `repositories:
  shop:
    deploy: { driver: command, command: [make], env: { REGION: eu }, passEnv: ${passEnv} }
`,
      more,
    ),
  );

test('passEnv names variables of the worker; one that is not set is a warning', () => {
  const { settings, faults: told, warnings } = passing('[KUBECONFIG, AWS_PROFILE]', { KUBECONFIG: '/etc/kube' });
  expect(told).toEqual([]);
  expect(warnings).toEqual([
    expect.stringMatching(
      /^repositories\.yaml:3:\d+ repositories\.shop\.deploy\.passEnv\.1: names AWS_PROFILE, which is not set in the environment: the command runs without it$/,
    ),
  ]);
  expect(settings?.repositories.get('shop')?.deploy).toMatchObject({ passEnv: ['KUBECONFIG', 'AWS_PROFILE'] });
});

test.each([
  ['[DATABASE_URL]', 'must not be DATABASE_URL, a secret of the worker: give the command a secret of its own'],
  ['[ORCH_PLANE_API_KEY_FILE]', 'must not be ORCH_PLANE_API_KEY_FILE, a secret of the worker'],
  ['[TEMPORAL_API_KEY]', 'must not be TEMPORAL_API_KEY, a secret of the worker'],
  ['[D2D_VERSION]', 'must not be D2D_VERSION: the worker itself sets the variables D2D_…'],
  ['[REGION]', 'must not be REGION, which env sets already: remove it from one of the two'],
  ['["TOKEN=t0psecret"]', 'must be the name of an environment variable, got a value that is not (it is not shown)'],
  ["['$TOKEN']", 'the name alone, without $ and ='],
  ['TOKEN', 'must be a list of names of environment variables, got "TOKEN"'],
])('what passEnv cannot name is a fault: %s', (passEnv, why) => {
  const { faults: told } = passing(passEnv, { REGION: 'us' });
  expect(told).toEqual([expect.stringContaining(why)]);
  expect(told.join()).not.toContain('t0psecret');
});

test('BR-5: a rollback that is configured for the self-hosting repository is a warning, and its action is alert', () => {
  const yaml = (more: string) => `repositories:\n  orchestrator:\n    deploy: { driver: external }\n    ${more}\n`;
  const own = loadSettings(...described(yaml('window: { action: rollback }')));
  expect(own.repositories.get('orchestrator')?.window.action).toBe('alert');
  expect(own.warnings).toEqual([
    'repositories.yaml:4:15 repositories.orchestrator.window.action: has no effect: the self-hosting repository is never rolled back, a degradation of it is always an alert',
  ]);
  const block = loadSettings(...described(yaml('rollback: { driver: webhook, url: http://ci/ }')));
  expect(block.warnings.join()).toContain('repositories.orchestrator.rollback: has no effect');
  const shared = loadSettings(environment({ ORCH_POST_DEPLOY_ACTION: 'rollback' }), noFiles);
  expect(shared.repositories.get('orchestrator')?.window.action).toBe('alert');
  expect(shared.warnings.join()).toContain('ORCH_POST_DEPLOY_ACTION=rollback has no effect for "orchestrator"');
});

const LISTED = 'repositories:\n  shop:\n    deploy: { driver: external }\n    health: { url: http://shop/ }\n';
const SHOP = `${LISTED}    watch: true\n    guard: true\n`;
const UNWATCHED = `${LISTED}    watch: false\n`;

test('action rollback without a rollback driver is a fault', () => {
  expect(checkSettings(...described(`${SHOP}    window: { action: rollback }\n`)).faults).toEqual([
    'repositories.yaml:7:15 repositories.shop.window.action: must not be rollback without a rollback block: give the repository a rollback driver, or set window.action: alert',
  ]);
  const env = { ORCH_POST_DEPLOY_ACTION: 'rollback', ORCH_POST_DEPLOY_REPOS: 'Shop' };
  expect(checkSettings(...described(SHOP, env)).faults).toEqual([
    'repositories.yaml:2:3 repositories.shop: must have a rollback block, as ORCH_POST_DEPLOY_ACTION is rollback: give the repository a rollback driver, or set window.action: alert',
  ]);
  expect(checkSettings(...described(`${SHOP}    window: { action: alert }\n`, env)).faults).toEqual([]);
  expect(checkSettings(...described(UNWATCHED, { ORCH_POST_DEPLOY_ACTION: 'rollback' })).faults).toEqual([]);
  const driver = '    rollback: { driver: webhook, url: http://ci/ }\n';
  const { repositories } = loadSettings(...described(SHOP + driver, env));
  expect(repositories.get('shop')?.window.action).toBe('rollback');
  expect(repositories.get('shop')?.rollback).toMatchObject({ driver: 'webhook', idempotent: false });
});

test('a window that would see nothing is a fault; a switched-off one is none', () => {
  const blind = { ORCH_POST_DEPLOY_HEALTH_URL: '' };
  expect(faults(blind)).toEqual([
    expect.stringMatching(/^ORCH_POST_DEPLOY_HEALTH_URL must be set, .*a window of "orchestrator" would see nothing/),
  ]);
  expect(faults({ ...blind, ORCH_POST_DEPLOY_ENABLED: 'off' })).toEqual([]);
  expect(faults({ ...blind, ORCH_POST_DEPLOY_REPOS: 'other' })).toEqual([]);
  expect(faults({ ...blind, ORCH_POST_DEPLOY_TRAFFIC_URLS: 'http://a/' })).toEqual([]);

  const yaml = 'repositories:\n  shop:\n    deploy: { driver: external }\n';
  expect(checkSettings(...described(yaml, { ORCH_POST_DEPLOY_REPOS: 'shop' })).faults).toEqual([
    'repositories.yaml:2:3 repositories.shop: must have health or traffic: a window would see nothing (or set watch: false, and remove it from ORCH_POST_DEPLOY_REPOS)',
  ]);
  const beside = checkSettings(...described(yaml, blind)); // there by itself: the file is about others
  expect(beside.faults).toEqual([]);
  expect(beside.warnings).toHaveLength(1);
});

describe('a repository of the file is watched and guarded by a list or by its own keys', () => {
  const scopes = (yaml: string, env: Env = {}) => {
    const { guard, postDeploy, warnings } = loadSettings(...described(yaml, env));
    const on = (scope: Scope) => ['shop', 'orchestrator', 'billing'].filter((name) => applies(scope, name));
    return { watched: on(postDeploy), guarded: on(guard), warnings };
  };

  test('its keys add it to the lists, and an empty list still means the self-hosting repository', () => {
    const both = { watched: ['shop', 'orchestrator'], guarded: ['shop', 'orchestrator'], warnings: [] };
    expect(scopes(SHOP)).toEqual(both);
    const lists = {
      ORCH_POST_DEPLOY_REPOS: 'Shop, orchestrator',
      ORCH_DEPLOY_STATUS_GUARD_REPOS: 'Shop, orchestrator',
    };
    expect(scopes(LISTED, lists)).toEqual(both);
    expect(scopes(SHOP, lists)).toEqual(both);
  });

  test('a list that names only others does not watch the self-hosting repository', () => {
    const { watched, warnings } = scopes(SHOP, { ORCH_POST_DEPLOY_REPOS: 'shop' });
    expect(watched).toEqual(['shop']);
    expect(warnings).toEqual([
      '"orchestrator" is not watched after a deploy, although it has ORCH_POST_DEPLOY_HEALTH_URL: name it in ORCH_POST_DEPLOY_REPOS',
    ]);
  });

  test.each([
    ['ORCH_POST_DEPLOY_HEALTH_URL', {}],
    ['ORCH_POST_DEPLOY_TRAFFIC_URLS', { HEALTH_URL: '', TRAFFIC_URLS: 'http://localhost:8500/' }],
    ['ORCH_POST_DEPLOY_HEALTH_URL and ORCH_POST_DEPLOY_TRAFFIC_URLS', { TRAFFIC_URLS: 'http://localhost:8500/' }],
  ])('the self-hosting repository that has evidence by %s alone and is not watched is a warning', (given, urls) => {
    const own = Object.entries(urls).map(([name, value]) => [`ORCH_POST_DEPLOY_${name}`, value]);
    const env = { ORCH_POST_DEPLOY_REPOS: 'shop', ...Object.fromEntries(own) };
    const inFile = `${SHOP}  orchestrator:\n    deploy: { driver: external }\n`;
    expect(scopes(SHOP, env).warnings).toEqual([
      `"orchestrator" is not watched after a deploy, although it has ${given}: name it in ORCH_POST_DEPLOY_REPOS`,
    ]);
    expect(scopes(inFile, env).warnings).toEqual([
      `repositories.yaml:7:3 repositories.orchestrator: is not watched after a deploy, although it has ${given}: set watch: true, or name it in ORCH_POST_DEPLOY_REPOS (or watch: false, if intended)`,
    ]);
    expect(scopes(`${inFile}    watch: false\n`, env).warnings).toEqual([]);
  });

  test('a key that a kill-switch overrides is a warning', () => {
    const off = { ORCH_POST_DEPLOY_ENABLED: 'false', ORCH_DEPLOY_STATUS_GUARD_ENABLED: 'no' };
    const yaml = `${LISTED}    watch: true\n    guard: true\n`;
    expect(scopes(yaml, off)).toEqual({
      watched: [],
      guarded: [],
      warnings: [
        'repositories.yaml:5:5 repositories.shop.watch: has no effect, as ORCH_POST_DEPLOY_ENABLED is false: the repository is not watched after a deploy',
        'repositories.yaml:6:5 repositories.shop.guard: has no effect, as ORCH_DEPLOY_STATUS_GUARD_ENABLED is false: any caller can change the status of finished work',
      ],
    });
    expect(scopes(yaml.replaceAll('true', 'false'), off).warnings).toEqual([]);
  });

  test.each(['window: { seconds: 60 }', 'health: { url: http://shop/ }', 'traffic: [http://shop/]'])(
    'evidence without a word on whether it is watched is a fault: %s',
    (evidence) => {
      const yaml = `repositories:\n  shop:\n    deploy: { driver: external }\n    ${evidence}\n`;
      expect(checkSettings(...described(yaml)).faults).toEqual([
        `repositories.yaml:2:3 repositories.shop: has ${evidence.split(':')[0]}, but it is not watched after a deploy: set watch: true, or name it in ORCH_POST_DEPLOY_REPOS (or watch: false, if intended)`,
      ]);
      expect(checkSettings(...described(`${yaml}    watch: false\n`)).faults).toEqual([]);
    },
  );

  test('watch: false keeps the self-hosting repository unwatched, too', () => {
    const self =
      'repositories:\n  orchestrator:\n    deploy: { driver: external }\n    watch: false\n    guard: false\n';
    expect(scopes(self)).toMatchObject({ watched: [], guarded: [] });
    expect(scopes(`${self}${SHOP.replace('repositories:\n', '')}`)).toMatchObject({
      watched: ['shop'],
      guarded: ['shop'],
    });
  });

  test('a key that contradicts a list is a fault', () => {
    const lists = { ORCH_POST_DEPLOY_REPOS: 'SHOP', ORCH_DEPLOY_STATUS_GUARD_REPOS: 'SHOP' };
    expect(checkSettings(...described(`${LISTED}    watch: false\n    guard: false\n`, lists)).faults).toEqual([
      'repositories.yaml:5:5 repositories.shop.watch: must not be false, as ORCH_POST_DEPLOY_REPOS names "shop": remove it from that list, or set watch: true',
      'repositories.yaml:6:5 repositories.shop.guard: must not be false, as ORCH_DEPLOY_STATUS_GUARD_REPOS names "shop": remove it from that list, or set guard: true',
    ]);
  });

  test('a repository that is watched without the guard is a warning', () => {
    const watched = `${LISTED}    watch: true\n`;
    expect(scopes(watched).warnings).toEqual([
      'repositories.yaml:2:3 repositories.shop: is watched, but the guard is off for it, so that any caller can change the status of finished work: set guard: true, or name it in ORCH_DEPLOY_STATUS_GUARD_REPOS (or guard: false, if intended)',
    ]);
    expect(scopes(`${watched}    guard: false\n`).warnings).toEqual([]);
    expect(scopes(watched, { ORCH_DEPLOY_STATUS_GUARD_ENABLED: 'false' }).warnings).toEqual([]);
  });
});

test('a health check needs something to ask', () => {
  const yaml = 'repositories:\n  shop:\n    deploy: { driver: external }\n    healthCheck: { passes: 2 }\n';
  expect(checkSettings(...described(yaml)).faults).toEqual([
    'repositories.yaml:4:5 repositories.shop.healthCheck: has nothing to ask: give the repository a health block with a url',
  ]);
});

test('a time in the file that conflicts with one of all repositories is told at its place', () => {
  expect(
    checkSettings(...described(`${SHOP}    window: { intervalSeconds: 2 }\n`, seconds({ CONFIRM: '5' }))).faults,
  ).toEqual([
    'repositories.yaml:7:15 repositories.shop.window.intervalSeconds: must be at least ORCH_POST_DEPLOY_CONFIRM_SECONDS (5), got 2',
  ]);
  expect(checkSettings(...described(`${SHOP}    window: { seconds: 60, intervalSeconds: 90 }\n`)).faults).toEqual([
    'repositories.yaml:7:28 repositories.shop.window.intervalSeconds: must be at most window.seconds (60), got 90',
  ]);
});

describe('window.requireVersion', () => {
  const told = (health: string) =>
    checkSettings(
      ...described(
        `repositories: {shop: {watch: false, deploy: {driver: external}, ${health}window: {requireVersion: true}}}`,
      ),
    ).faults;

  test.each([
    '',
    'health: {url: "http://shop/healthz"}, ',
    'health: {url: "http://shop/", expectJson: {/version: v2}}, ',
  ])('is a fault where nothing could prove a version: %s', (health) => {
    expect(told(health)).toEqual([
      expect.stringMatching(
        /shop\.window\.requireVersion: has no effect: nothing proves a version; put \{version\} into/,
      ),
    ]);
  });

  test.each(['expectJson: {/version: "{version}"}', 'headers: {x-version: "{version}"}'])(
    'is none where something does: %s',
    (proof) => {
      expect(told(`health: {url: "http://shop/", ${proof}}, `)).toEqual([]);
    },
  );
});

test('the four states must be four, and that of degraded work another one', () => {
  expect(faults({ ORCH_PLANE_STATE_MONITORING: 'done' })).toEqual([
    'ORCH_PLANE_STATE_DONE must not be the same state as ORCH_PLANE_STATE_MONITORING, got "Done"',
  ]);
  expect(faults({ ORCH_PLANE_STATE_DEGRADED: 'DONE' })).toEqual([
    'ORCH_PLANE_STATE_DEGRADED must not be the same state as ORCH_PLANE_STATE_DONE, got "DONE"',
  ]);
  expect(loadSettings(environment({ ORCH_PLANE_STATE_DEGRADED: ' ' })).plane.states.degraded).toBeNull();
  expect(loadSettings(environment({ ORCH_PLANE_STATE_DEGRADED: 'Degraded' })).plane.states.degraded).toBe('Degraded');
});

test('a CA file goes with require and verify-full only, and holds a certificate', () => {
  const pem = files({ 'ca.pem': '-----BEGIN CERTIFICATE-----\n', 'other.pem': 'x' });
  const ca = { ORCH_DATABASE_CA_FILE: 'ca.pem', ORCH_DATABASE_TLS: 'verify-full' };
  expect(loadSettings(environment(ca), pem).database.ca).toContain('BEGIN CERTIFICATE');
  expect(faults({ ...ca, ORCH_DATABASE_TLS: 'disable' }, pem).join()).toMatch(/set require or verify-full$/);
  expect(faults({ ...ca, ORCH_DATABASE_TLS: '' }, pem)).toHaveLength(1);
  expect(faults({ ...ca, ORCH_DATABASE_CA_FILE: 'other.pem' }, pem).join()).toContain('which holds none');
  expect(faults({ ...ca, ORCH_DATABASE_CA_FILE: 'absent.pem' }, pem).join()).toContain('there is no such file');
});

test('what a status needs to stand for good: whoever gives that up is told', () => {
  const warnings = (env: Env) => loadSettings(environment(env), noFiles).warnings;
  expect(warnings({ ORCH_STATUS_SETTLE_SECONDS: '60', ORCH_SWEEP_SECONDS: '1' })).toEqual([]);
  expect(warnings({ ORCH_STATUS_SETTLE_SECONDS: '59' })).toEqual([
    'ORCH_STATUS_SETTLE_SECONDS is 59: a write that is on its way may be stored after its status was read back; 60 or more outlast it',
  ]);
  expect(warnings({ ORCH_SWEEP_SECONDS: '0' })).toEqual([
    'ORCH_SWEEP_SECONDS is 0 and ORCH_PLANE_WEBHOOK_PORT is not set: what somebody else brings back in Plane is corrected by nobody',
  ]);
  const listening = { ORCH_PLANE_WEBHOOK_PORT: '8080', ORCH_PLANE_WEBHOOK_SECRET: 'plane_wh_0123456789' };
  expect(warnings({ ORCH_SWEEP_SECONDS: '0', ...listening })).toEqual([]);
  const off = { ORCH_DEPLOY_STATUS_GUARD_ENABLED: 'false' };
  expect(warnings({ ORCH_SWEEP_SECONDS: '0', ORCH_STATUS_SETTLE_SECONDS: '0', ...off })).toEqual([]);
});

test('a name in a list that nothing describes is a warning', () => {
  expect(loadSettings(...described(SHOP, { ORCH_POST_DEPLOY_REPOS: 'shpo, SHOP, orchestrator' })).warnings).toEqual([
    'ORCH_POST_DEPLOY_REPOS names "shpo", which no settings describe (did you mean shop?)',
  ]);
  expect(loadSettings(environment({ ORCH_DEPLOY_STATUS_GUARD_REPOS: 'orchestartor' }), noFiles).warnings).toEqual([
    '"orchestrator" is watched, but the guard is off for it, so that any caller can change the status of finished work: name it in ORCH_DEPLOY_STATUS_GUARD_REPOS',
    'ORCH_DEPLOY_STATUS_GUARD_REPOS names "orchestartor", which no settings describe (did you mean orchestrator?)',
  ]);
});

test.each(['"shop"', "'shop'", '*', 'shop cart', 'shop;cart', '["shop"]', '{shop}', '/shop', 'shop,../x'])(
  'a list with what can never be the name of a repository is a fault: %s',
  (list) => {
    for (const name of ['ORCH_POST_DEPLOY_REPOS', 'ORCH_DEPLOY_STATUS_GUARD_REPOS']) {
      expect(checkSettings(environment({ [name]: list }), noFiles).faults).toEqual([
        expect.stringMatching(`^${name} must be names of repositories, separated by commas, got `),
      ]);
    }
  },
);

test.each([
  'postgres://u:12/34@db:5432/d2d',
  'postgres://u:12#34@db:5432/d2d',
  'postgres://u:12?34@db:5432/d2d',
  'postgres://u:pa#ss@db:5432/d2d',
])('a password that is not encoded is a fault that does not show it: %s', (url) => {
  const { faults: told } = checkSettings(environment({ DATABASE_URL: url }), noFiles);
  expect(told).toEqual([expect.stringContaining('%40 %2F %3F %23')]);
  expect(told.join()).not.toMatch(/12|34|pa#?ss@/);
});

test.each([
  ['postgres://u:p@db/d2d?sslmode=prefer', 'DATABASE_URL must not say sslmode=prefer, by which'],
  ['postgres://u:p@db/d2d?sslmode=allow', 'DATABASE_URL must not say sslmode=allow, by which'],
  ['postgres://u:p@db1,db2/d2d?target_session_attrs=read-write', 'DATABASE_URL must name one host'],
  [
    'postgres://u:p@db1:5432,db2:5432/d2d',
    'DATABASE_URL must name one host: the driver supports neither a list of hosts',
  ],
  [
    'postgres://u:p@[::1]:5432,[::2]:5432/d2d?target_session_attrs=read-write',
    'DATABASE_URL must name one host: the driver supports neither a list',
  ],
  ['postgres://db1:5432,db2/d2d', 'DATABASE_URL must name one host: the driver supports neither a list'],
  ['postgres:///d2d?host=db1,db2&port=5432,5433', 'must name one host: the driver supports neither a list'],
])('what libpq takes and is not kept here is a fault: %s', (url, fault) => {
  expect(checkSettings(environment({ DATABASE_URL: url }), noFiles).faults).toEqual([expect.stringContaining(fault)]);
});

test.each([
  'postgres://u@/d2d?host=/var/run/postgresql',
  'postgresql://u:p@%2Fvar%2Frun%2Fpostgresql/d2d',
  'postgres://u:p@db/d2d?sslmode=require',
])('a URL that libpq takes is no fault: %s', (url) => {
  expect(checkSettings(environment({ DATABASE_URL: url }), noFiles).faults).toEqual([]);
});

test.each(['postgres://u:p,w@db/d2d', 'postgres://u,v:p,w@db:5432/d,b?application_name=a,b'])(
  'a comma elsewhere names no second host: %s',
  (url) => {
    expect(checkSettings(environment({ DATABASE_URL: url }), noFiles).faults).toEqual([]);
  },
);

describe('variables of Postgres in the environment', () => {
  const faults = (more: Record<string, string>) => checkSettings(environment(more), noFiles).faults;

  test.each([
    ['PGSSLMODE', 'require', 'set ORCH_DATABASE_TLS, or sslmode in DATABASE_URL'],
    ['PGSSLMODE', 'no-verify', 'set ORCH_DATABASE_TLS, or sslmode in DATABASE_URL'],
    ['PGSSLNEGOTIATION', 'direct', 'set sslnegotiation in DATABASE_URL'],
    ['PGOPTIONS', '-c default_transaction_read_only=on', 'set options in DATABASE_URL'],
    ['PGREPLICATION', 'database', 'set replication in DATABASE_URL'],
    ['PGCLIENT_ENCODING', 'LATIN1', 'set client_encoding in DATABASE_URL'],
    ['PGBINARY', '1', 'set binary in DATABASE_URL'],
    ['PGPORT', '6432', 'set port in DATABASE_URL'],
    ['PGDATABASE', 'other', 'set dbname in DATABASE_URL'],
    ['PGHOST', 'other.example.org', 'set host in DATABASE_URL'],
  ])('%s=%s is a fault where it would count', (name, value, instead) => {
    const url = { DATABASE_URL: name === 'PGHOST' ? 'postgres:///d2d' : 'postgres://u:p@db' };
    expect(faults({ ...url, [name]: value })).toEqual([
      `${name} must not be set, got "${value}": it would change the connection where DATABASE_URL says nothing; ${instead}`,
    ]);
    const said =
      'postgres://u:p@db:5432/d2d?sslmode=require&sslnegotiation=postgres&options=-cx%3Dy&replication=false&client_encoding=UTF8&binary=0';
    expect(faults({ DATABASE_URL: said, [name]: value })).toEqual([]);
  });

  test('they are none where they change nothing, or say who connects', () => {
    const nothing = { PGSSLMODE: 'disable', PGPORT: '5432', PGOPTIONS: '', PGAPPNAME: 'x', PGCONNECT_TIMEOUT: '1' };
    expect(faults({ DATABASE_URL: 'postgres://db/d2d', ...nothing, PGUSER: 'u', PGPASSWORD: 'p' })).toEqual([]);
    expect(faults({ ORCH_DATABASE_TLS: 'verify-full', PGSSLMODE: 'no-verify' })).toEqual([]);
  });
});

test('ORCH_DATABASE_TLS outranks the sslmode of the URL', () => {
  const env = { DATABASE_URL: 'postgres://u:p@db/d2d?sslmode=prefer', ORCH_DATABASE_TLS: 'disable' };
  expect(checkSettings(environment(env), noFiles).faults).toEqual([]);
});
