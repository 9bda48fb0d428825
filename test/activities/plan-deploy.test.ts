import { describe, expect, test } from 'vitest';
import { createPlanActivity } from '../../activities/plan-deploy.ts';
import { normaliseRepo } from '../../decisions/index.ts';
import { type Env, loadSettings } from '../../settings.ts';
import { described } from '../settings/builders.ts';

const REPOSITORIES = `
repositories:
  Team/Shop:
    deploy: { driver: command, command: [./deploy.sh], timeoutSeconds: 60, idempotent: true }
    rollback: { driver: command, command: [./rollback.sh] }
    health: { url: 'http://localhost:8600/health' }
`;

function planner(env: Env = {}, key = 'watch: false') {
  const settings = loadSettings(...described(`${REPOSITORIES}    ${key}\n`, env));
  return createPlanActivity({
    repository: (name) => settings.repositories.get(normaliseRepo(name)),
    repositoryNames: () => [...settings.repositories.values()].map(({ name }) => name),
    guard: settings.guard,
    postDeploy: settings.postDeploy,
    settleMs: settings.settleMs,
    outageMs: settings.worker.outageMs,
  });
}

test('however it is asked for, the plan has the name as the settings spell it', async () => {
  expect(await planner().planDeploy({ repo: ' team/SHOP ' })).toMatchObject({
    repo: 'Team/Shop',
    selfHosting: false,
    driver: { kind: 'command', idempotent: true, timeoutMs: 60_000, outageMs: 300_000 },
    rollback: { idempotent: false, outageMs: 300_000 },
    healthCheck: { deadlineMs: expect.any(Number) },
    settleMs: 60_000,
  });
});

test('the self-hosting repository is reported by the signal: external, never idempotent, never rolled back', async () => {
  expect(await planner().planDeploy({ repo: 'orchestrator' })).toMatchObject({
    selfHosting: true,
    driver: { kind: 'external', idempotent: false },
    rollback: null,
  });
});

test.each([
  ['deploy: { driver: command, command: [./deploy.sh] }', null],
  ['deploy: { driver: command, command: [./deploy.sh, "{version}"] }', 'deploy driver'],
  ['deploy: { driver: webhook, url: "http://ci/", body: { to: "{version}" } }', 'deploy driver'],
  [
    'deploy: { driver: command, command: [a] }\n    rollback: { driver: command, command: [b, "{version}"] }',
    'rollback driver',
  ],
  [
    'deploy: { driver: command, command: [a] }\n    health: { url: "http://shop/", expectJson: { /v: "{version}" } }\n    watch: false',
    'health.expectJson',
  ],
  [
    'deploy: { driver: command, command: [a] }\n    health: { url: "http://shop/{version}" }\n    watch: true',
    'health.url',
  ],
  ['deploy: { driver: command, command: [a] }\n    traffic: ["http://shop/{version}/"]\n    watch: true', 'traffic'],
  // Its report may still name one.
  ['deploy: { driver: external }\n    health: { url: "http://shop/{version}" }\n    watch: true', null],
])('what needs a version: %s', async (yaml, needsVersion) => {
  const settings = loadSettings(...described(`repositories:\n  shop:\n    ${yaml}\n`));
  const { planDeploy } = createPlanActivity({
    repository: (name) => settings.repositories.get(normaliseRepo(name)),
    repositoryNames: () => [],
    guard: settings.guard,
    postDeploy: settings.postDeploy,
    settleMs: settings.settleMs,
    outageMs: settings.worker.outageMs,
  });
  expect(await planDeploy({ repo: 'shop' })).toMatchObject({ needsVersion });
});

test('a plan holds no secret: neither command nor environment', async () => {
  const plan = await planner().planDeploy({ repo: 'Team/Shop' });
  expect(JSON.stringify(plan)).not.toContain('deploy.sh');
});

describe('scopes: the guard and the window, each by its own switch, list and key', () => {
  test.each([
    { env: {}, shop: [false, false], self: [true, true] },
    { env: { ORCH_DEPLOY_STATUS_GUARD_REPOS: ' TEAM/shop ' }, shop: [true, false], self: [false, true] },
    { env: { ORCH_POST_DEPLOY_REPOS: 'team/shop,' }, key: 'watch: true', shop: [false, true], self: [true, false] },
    { env: { ORCH_DEPLOY_STATUS_GUARD_ENABLED: 'false' }, shop: [false, false], self: [false, true] },
    { env: { ORCH_POST_DEPLOY_ENABLED: 'false' }, shop: [false, false], self: [true, false] },
    { env: {}, key: 'watch: true', shop: [false, true], self: [true, true] },
    { env: { ORCH_POST_DEPLOY_ENABLED: 'false' }, key: 'watch: true', shop: [false, false], self: [true, false] },
  ])('$env $key', async ({ env, key, shop, self }) => {
    const { planDeploy } = planner(env, key);
    for (const [repo, expected] of [
      ['Team/Shop', shop],
      ['orchestrator', self],
    ] as const) {
      const { guarded, window } = await planDeploy({ repo });
      expect([guarded, window !== null]).toEqual(expected);
    }
  });
});

test('a repository that nobody has described: refused for good, with the known ones', async () => {
  await expect(planner().planDeploy({ repo: 'shpo' })).rejects.toMatchObject({
    type: 'UnknownRepository',
    nonRetryable: true,
    message:
      'repository "shpo" is not described in the settings (known: Team/Shop, orchestrator); add it to ORCH_REPOSITORIES_FILE and restart the worker',
  });
});
