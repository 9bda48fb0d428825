import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { checkSettings, describeRepositories, loadSettings } from '../../settings.ts';
import { described, environment, files } from './builders.ts';

const faults = (...given: Parameters<typeof described>) => checkSettings(...described(...given)).faults;

test('a repository is read whole; a relative cwd is meant from the folder of the file', () => {
  const yaml = `repositories:
  " Shop ":
    plane: { project: SHOP }
    deploy:
      driver: command
      command: [make, "VERSION=\${VERSION}", "$\${literal}"]
      cwd: ../shop
      env: { TOKEN: '\${SHOP_TOKEN}' }
      timeoutSeconds: 2.5
      idempotent: true
    rollback: { driver: webhook, url: 'https://\${CI_HOST}/back', headers: { Authorization: 'Bearer \${SHOP_TOKEN}' } }
    health: { url: http://shop/, expectStatus: 204, expectJson: { /db: ok, '': null }, timeoutSeconds: 1, headers: { X-Probe: d2d } }
    healthCheck: { deadlineSeconds: 10, passes: 2 }
    traffic: [http://shop/a, http://shop/b]
    watch: true
    guard: true
    approval: none
    approvalTimeoutSeconds: 60
    window: { seconds: 60, failThreshold: 5, errorRatioThreshold: 0.5, minRequests: 1, action: rollback }
`;
  const env = { VERSION: '7', SHOP_TOKEN_FILE: '/run/token', CI_HOST: 'ci.example.org' };
  const readFile = files({ '/etc/d2d/repositories.yaml': yaml, '/run/token': 't0ken\n' });
  const settings = loadSettings(
    environment({ ORCH_REPOSITORIES_FILE: '/etc/d2d/repositories.yaml', ...env }),
    readFile,
  );
  const health = {
    url: 'http://shop/',
    expectStatus: [204],
    expectJson: { '/db': 'ok', '': null },
    timeoutMs: 1_000,
    headers: { 'X-Probe': 'd2d' },
  };
  expect(settings.repositories.get('shop')).toEqual({
    name: 'Shop',
    selfHosting: false,
    planeProject: 'SHOP',
    deploy: {
      driver: 'command',
      command: ['make', 'VERSION=7', `\${literal}`],
      cwd: resolve('/etc/shop'),
      env: { TOKEN: 't0ken' },
      timeoutMs: 2_500,
      idempotent: true,
    },
    rollback: {
      driver: 'webhook',
      url: 'https://ci.example.org/back',
      headers: { Authorization: 'Bearer t0ken' },
      statusUrl: null,
      pollMs: 5_000,
      timeoutMs: 1_800_000,
      idempotent: false,
    },
    healthCheck: { probe: health, deadlineMs: 10_000, passes: 2 },
    probe: { health, traffic: ['http://shop/a', 'http://shop/b'], requireVersion: false },
    window: {
      windowMs: 60_000,
      intervalMs: 30_000,
      confirmMs: 5_000,
      maxWindowMs: 3_600_000,
      rollbackWatchMs: 300_000,
      failThreshold: 5,
      errorRatioThreshold: 0.5,
      minRequests: 1,
      action: 'rollback',
    },
    approval: { required: false, timeoutMs: 60_000 },
  });
  expect([...settings.repositories.keys()]).toEqual(['shop', 'orchestrator']);
});

test('the self-hosting repository in the file is watched as the variables say, where the file does not', () => {
  const { repositories } = loadSettings(
    ...described('repositories:\n  Orchestrator:\n    deploy: { driver: external, timeoutSeconds: 9 }\n'),
  );
  expect([...repositories.keys()]).toEqual(['orchestrator']);
  expect(repositories.get('orchestrator')).toMatchObject({
    selfHosting: true,
    deploy: { timeoutMs: 9_000 },
    probe: { health: { url: 'http://localhost:8500/health' } },
  });
});

test('every fault has its line, its column and its path', () => {
  expect(
    faults(`repositories:
  shop:
    plan: { project: SHOP }
    deploy:
      driver: command
      command: make deploy
    rollback: { driver: external }
    health:
      url: https://u:p@shop/
      expectStatus: [200, 700]
      expectJson: { db: ok, /a: [1] }
      headers: { "X Y": a, Authorization: "a\\nb" }
    traffic: http://shop/
    window:
      seconds: 10m
      errorRatioThreshold: 5
      intervalsSeconds: 1
  bad name: { deploy: { driver: webhok } }
  empty:
`),
  ).toEqual([
    'repositories.yaml:6:7 repositories.shop.deploy.command: must be a list, such as [make, deploy], got "make deploy" (no shell runs it, so nothing would split it into words)',
    'repositories.yaml:7:17 repositories.shop.rollback.driver: must be command or webhook, got "external" (external cannot roll back: nobody would be told to)',
    'repositories.yaml:9:7 repositories.shop.health.url: must be an http(s) URL, got a value that is not shown, as a password may be in it (without a user and a password: send those in a header)',
    'repositories.yaml:10:27 repositories.shop.health.expectStatus.1: must be an integer within 100..599, got 700',
    'repositories.yaml:11:21 repositories.shop.health.expectJson.db: is not a JSON pointer, such as /checks/database',
    'repositories.yaml:11:29 repositories.shop.health.expectJson./a: must be text, a number, true, false or null: a pointer leads to one value',
    'repositories.yaml:12:18 repositories.shop.health.headers."X Y": is not the name of a header',
    'repositories.yaml:12:28 repositories.shop.health.headers.Authorization: must be one line of printable characters, got a value that is not (it is not shown)',
    'repositories.yaml:13:5 repositories.shop.traffic: must be a list of URLs, got "http://shop/"',
    'repositories.yaml:15:7 repositories.shop.window.seconds: must be a number of seconds within 0.2..604800, got "10m" (without a unit: write 600)',
    'repositories.yaml:16:7 repositories.shop.window.errorRatioThreshold: must be within 0..1, got 5 (a ratio: write 0.05)',
    'repositories.yaml:17:7 repositories.shop.window.intervalsSeconds: is not a known key (did you mean intervalSeconds?); known: seconds, intervalSeconds, confirmSeconds, failThreshold, errorRatioThreshold, minRequests, action, maxSeconds, rollbackWatchSeconds, requireVersion',
    'repositories.yaml:3:5 repositories.shop.plan: is not a known key (did you mean plane?); known: plane, deploy, rollback, health, healthCheck, traffic, watch, guard, approval, approvalTimeoutSeconds, window',
    'repositories.yaml:18:3 repositories."bad name": must be the name of a repository (letters, digits and . _ - /, beginning with a letter or digit)',
    'repositories.yaml:18:25 repositories."bad name".deploy.driver: must be command, webhook or external, got "webhok"',
    'repositories.yaml:19:3 repositories.empty: must be a map with plane, deploy, rollback, health, healthCheck, traffic, watch, guard, approval, approvalTimeoutSeconds or window, got nothing',
  ]);
});

test.each([
  ['', 'repositories.yaml:1:1 must be a map with the key repositories, got an empty file'],
  ['# nothing\n', 'repositories.yaml:1:1 must be a map with the key repositories, got an empty file'],
  ['- shop\n', 'repositories.yaml:1:1 must be a map with the key repositories, got a list'],
  ['shop\n', 'repositories.yaml:1:1 must be a map with the key repositories, got "shop"'],
  [
    'repositories: {}\n',
    'repositories.yaml:1:1 repositories must be a map of repositories by their names, got an empty one',
  ],
  ['repositories:\n', 'repositories.yaml:1:1 repositories must be a map of repositories by their names, got nothing'],
  [
    'repositories: [shop]\n',
    'repositories.yaml:1:1 repositories must be a map of repositories by their names, got a list',
  ],
  ['repositories:\n  shop: [\n', 'repositories.yaml:3:1 is not the YAML that is read here'],
  [
    'repositories:\n\tshop: {}\n',
    'repositories.yaml:2:1 is not the YAML that is read here: Tabs are not allowed as indentation',
  ],
  [
    'repositories:\n  shop: !secret s3cret\n',
    'repositories.yaml:2:9 is not the YAML that is read here: Unresolved tag',
  ],
  ['repositories:\n  shop: *s3cret\n', 'repositories.yaml:1:1 has aliases that cannot be resolved'],
  [
    'repositories:\n  a: {}\n  a: {}\n',
    'repositories.yaml:3:3 is not the YAML that is read here: Map keys must be unique',
  ],
  ['a: 1\n---\nb: 2\n', 'repositories.yaml:2:1 is not the YAML that is read here: Source contains multiple documents'],
])('%j is refused', (yaml, fault) => {
  const told = faults(yaml);
  expect(told.some((one) => one.startsWith(fault))).toBe(true);
  expect(told.join()).not.toContain('s3cret');
});

test.each([
  ['1.10', '2:3'],
  ['42', '2:3'],
  ['true', '2:3'],
  ['null', '2:3'],
])('a repository whose name YAML does not read as text is a fault: %s', (name, place) => {
  expect(faults(`repositories:\n  ${name}: { deploy: { driver: external } }\n`)).toEqual([
    `repositories.yaml:${place} is a key that YAML does not read as text: put it in quotes`,
  ]);
  expect(faults(`repositories:\n  "${name}": { deploy: { driver: external } }\n`)).toEqual([]);
});

test('an unknown key beside repositories is named', () => {
  expect(faults('repositries:\n  shop: {}\n')).toEqual([
    'repositories.yaml:1:1 repositries: is not a known key (did you mean repositories?); known: repositories',
    'repositories.yaml:1:1 repositories must be a map of repositories by their names, got nothing',
  ]);
});

test('two names that differ in case only are one repository', () => {
  expect(
    faults('repositories:\n  shop: { deploy: { driver: external } }\n  " SHOP": { deploy: { driver: external } }\n'),
  ).toEqual([
    'repositories.yaml:3:3 repositories." SHOP": is the same repository as "shop": names are compared trimmed, in any case',
  ]);
});

test('a name that is filled in must be set, and what it holds is never shown', () => {
  const yaml = (url: string) =>
    `repositories:\n  shop:\n    deploy: { driver: webhook, url: "${url}", headers: { A: "\${TOKEN}" } }\n`;
  expect(faults(yaml('https://ci/'))).toEqual([
    `repositories.yaml:3:63 repositories.shop.deploy.headers.A: names \${TOKEN}, which is not set in the environment: set TOKEN or TOKEN_FILE`,
  ]);
  expect(faults(yaml(`https://ci/\${not a name}`), { TOKEN: 't' }).join()).toContain(
    `begins no name such as \${DEPLOY_TOKEN}`,
  );
  expect(faults(yaml(`\${BASE}/x`), { TOKEN: 't', BASE: 's3cret' })).toEqual([
    `repositories.yaml:3:32 repositories.shop.deploy.url: must be an http(s) URL, got "\${BASE}/x" with its names filled in`,
  ]);
  expect(faults(yaml('https://ci/'), { TOKEN: 's3cret\nline' }).join()).not.toContain('s3cret');
});

test('what is filled in, the secrets of the worker and the headers of health checks are masked wherever they come back', () => {
  const yaml = `repositories:
  shop:
    deploy: { driver: command, command: [make, "\${REGION}"], env: { TOKEN: "\${SHOP_TOKEN}" } }
    health: { url: "http://shop/", headers: { Authorization: Bearer h3ader-token } }
    watch: false
`;
  const [env, readFile] = described(yaml, {
    REGION: 'eu-west-1',
    SHOP_TOKEN: 't0ken-value',
    TEMPORAL_API_KEY: 'temporal-key',
  });
  expect(loadSettings(env, readFile).secrets).toEqual([
    'eu-west-1',
    't0ken-value',
    'postgres://orch:pa55word@db.example.org:5432/orch',
    'plane_api_0123456789',
    'temporal-key',
    'Bearer h3ader-token',
    'h3ader-token',
  ]);
});

test('what the file says is described as it is written, secrets masked', () => {
  const [env, readFile] = described(
    `repositories:\n  shop:\n    deploy: { driver: webhook, url: "https://ci/\${T}", headers: { A: "Bearer \${T}", B: s3cret } }\n    health: { url: http://u:s3cret@h/ }\n`,
    { T: 's3cret' },
  );
  const rows = describeRepositories(env, readFile);
  expect(rows).toContainEqual({
    name: 'repositories.shop.deploy.url',
    value: `https://ci/\${T}`,
    source: 'file repositories.yaml:3:32',
  });
  expect(rows.map(({ value }) => value)).toEqual(['webhook', `https://ci/\${T}`, `Bearer \${T}`, '***', '***']);
});
