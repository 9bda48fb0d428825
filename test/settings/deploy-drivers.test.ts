import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { DriverConfig, WebhookConfig } from '../../adapters/deploy/driver.ts';
import { checkSettings, loadSettings } from '../../settings.ts';
import { described } from './builders.ts';

const DOCUMENT = readFileSync(new URL('../../docs/deploy-drivers.md', import.meta.url), 'utf8');
const EXAMPLES = [...DOCUMENT.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = '']) => yaml);
const TOKENS = { GITHUB_DEPLOY_TOKEN: 'a', GITLAB_DEPLOY_TOKEN: 'b', JENKINS_BASIC: 'c', ARGOCD_TOKEN: 'd' };

const faultsOf = (yaml: string) => {
  const [env, readFile] = described(yaml);
  return checkSettings({ ...env, ...TOKENS }, readFile).faults;
};
const warningsOf = (yaml: string) => {
  const [env, readFile] = described(yaml);
  return checkSettings({ ...env, ...TOKENS }, readFile).warnings;
};
const deployOf = (yaml: string): DriverConfig | undefined => {
  const [env, readFile] = described(yaml);
  return loadSettings({ ...env, ...TOKENS }, readFile).repositories.get('shop')?.deploy;
};
const shop = (driver: string): string =>
  `repositories:\n  shop:\n    deploy: { driver: webhook, url: "https://ci/", ${driver} }\n    health: { url: "https://shop/" }\n    watch: true\n    guard: true\n`;

test('each example of docs/deploy-drivers.md is without fault', () => {
  expect(EXAMPLES).toHaveLength(5);
  for (const yaml of EXAMPLES) expect(faultsOf(yaml), yaml).toEqual([]);
});

test('names of variables are filled in in a body', () => {
  const deploy = deployOf(shop(`body: { token: "\${ARGOCD_TOKEN}", list: [1, true, null, "{version}"] }`));
  expect(deploy).toMatchObject({ body: { token: 'd', list: [1, true, null, '{version}'] } });
});

test('what an answer block leaves out is as in our own answers', () => {
  const deploy = deployOf(shop('answer: { status: /state }')) as WebhookConfig;
  expect(deploy.answer).toEqual({ status: '/state' });
});

describe('faults', () => {
  test.each([
    ['body: text', 'body: must be a map or a list, got "text"'],
    [`body: { a: "\${NOWHERE}" }`, `body: names \${NOWHERE}, which is not set in the environment`],
    ['answer: { status: state }', 'answer.status: must be a JSON pointer, such as /result/state, got "state"'],
    ['answer: { words: { ok: good } }', 'answer.words.ok: must be running, succeeded or failed, got "good"'],
    ['answer: { words: [ok] }', 'answer.words: must be a map, got'],
    ['statusUrl: "https://ci/{id}"', 'statusUrl: holds {id}: say in answer.id where'],
    ['answer: { id: /id }', 'answer.id: has no effect: put {id} into statusUrl'],
    ['answer: { words: {} }', 'answer.words: must have a word for succeeded and one for failed'],
    ['answer: { words: { ok: succeeded } }', 'answer.words: must have a word for succeeded and one for failed'],
    [
      'answer: { words: { Done: succeeded, " done ": failed } }',
      'answer.words." done ": must not be failed, as " done " is succeeded in another spelling',
    ],
  ])('%s', (driver, fault) => {
    expect(faultsOf(shop(driver))).toEqual([expect.stringContaining(fault)]);
  });

  test.each([
    ['statusUrl: "https://ci/latest"', true],
    ['statusUrl: "https://ci/latest", answer: { version: /release }', false],
    ['statusUrl: "https://ci/latest", answer: { operationId: /key }', false],
    ['statusUrl: "https://ci/{operationId}"', false],
    ['statusUrl: "https://ci/?v=%7Bversion%7D"', false],
    ['statusUrl: "https://ci/{id}", answer: { id: /id }', false],
    ['timeoutSeconds: 60', false],
  ])('%s may tell of the deploy before: %s', (driver, warned) => {
    const warnings = warningsOf(shop(driver)).filter((text) => text.includes('is the same for every deploy'));
    expect(warnings).toHaveLength(warned ? 1 : 0);
  });

  test('a body that contains itself', () => {
    const yaml =
      'repositories:\n  shop:\n    deploy:\n      driver: webhook\n      url: "https://ci/"\n      body: &b { b: *b }\n';
    expect(faultsOf(yaml).length).toBeGreaterThan(0);
  });
});
