import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { applies } from '../../decisions/index.ts';
import { renderEnvExample, renderReference } from '../../settings/render.ts';
import { VARIABLE_NAMES, VARIABLES } from '../../settings/schema.ts';
import { checkSettings, loadSettings } from '../../settings.ts';
import { described, environment } from './builders.ts';

// `npx vitest run test/settings -u` writes what these tests hold the documents against.

const root = new URL('../../', import.meta.url);
const document = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const fileOf = (path: string): string => fileURLToPath(new URL(path, root));

test('.env.example holds every variable, its help and its default, and no other', async () => {
  const names = [...document('.env.example').matchAll(/^([A-Z0-9_]+)=/gm)].map(([, name]) => name);
  expect(names).toEqual(VARIABLE_NAMES);
  await expect(renderEnvExample()).toMatchFileSnapshot(fileOf('.env.example'));
});

test('.env.example works as it is, but for what must be set', () => {
  const env = Object.fromEntries(
    [...document('.env.example').matchAll(/^([A-Z0-9_]+)="?(.*?)"?$/gm)].map(([, name = '', value]) => [name, value]),
  );
  const required = VARIABLE_NAMES.filter((name) => VARIABLES[name].unset === undefined);
  expect(checkSettings(env).faults.map((fault) => fault.split(' ')[0])).toEqual(required);
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  expect(loadSettings(environment(set))).toEqual(loadSettings(environment()));
});

test('the variables in docs/settings.md are those of the schema', async () => {
  const text = document('docs/settings.md').replace(
    /(<!-- variables: .*? -->\n)[\s\S]*(\n<!-- \/variables -->)/,
    (_whole, begin: string, end: string) => `${begin}\n${renderReference()}\n${end}`,
  );
  await expect(text).toMatchFileSnapshot(fileOf('docs/settings.md'));
});

test('docs/settings.md names every key of the repositories file', () => {
  const unknown = `repositories:
  a: { deploy: { driver: command, x: 1 }, health: { x: 1 }, healthCheck: { x: 1 }, plane: { x: 1 }, window: { x: 1 }, x: 1 }
  b: { deploy: { driver: webhook, x: 1 } }
  c: { deploy: { driver: external, x: 1 } }
`;
  const keys = checkSettings(...described(unknown)).faults.flatMap(
    (fault) => fault.split('known: ')[1]?.split(', ') ?? [],
  );
  expect(new Set(keys).size).toBeGreaterThan(30);
  const text = document('docs/settings.md');
  expect(keys.filter((key) => !new RegExp(`[\`.]${key}[\`.]`).test(text))).toEqual([]);
});

test('the example of a repositories file is without fault', () => {
  const env = environment({
    ORCH_REPOSITORIES_FILE: fileOf('docs/repositories.example.yaml'),
    SHOP_DEPLOY_TOKEN: 'a',
    CI_TOKEN: 'b',
  });
  const { repositories, warnings, postDeploy, guard } = loadSettings(env);
  expect(warnings).toEqual([]);
  expect([...repositories.keys()]).toEqual(['shop', 'billing', 'orchestrator']);
  for (const name of repositories.keys())
    expect([name, applies(postDeploy, name), applies(guard, name)]).toEqual([name, true, true]);
  expect(repositories.get('shop')?.window.action).toBe('rollback');
});
