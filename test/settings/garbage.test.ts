import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VARIABLE_NAMES, VARIABLES } from '../../settings/schema.ts';
import { checkSettings, describeRepositories, describeSettings, loadSettings, SettingsError } from '../../settings.ts';
import { codePoint } from '../setup/code-points.ts';
import { environment, files } from './builders.ts';

/** Stands in every secret, so that it is found wherever one is shown. */
const MARK = 's3cr3t';

const garbage = fc.oneof(
  fc.string(),
  fc.string({ unit: codePoint, maxLength: 40 }),
  fc.double().map(String),
  fc.webUrl({ withQueryParameters: true }),
  fc.constantFrom(
    '',
    ' ',
    '0',
    '-1',
    '1e400',
    'true',
    '__proto__',
    'a,b',
    'http://',
    'http://u:p@h',
    '\0',
    '{}',
    '5 m',
  ),
);
const secretGarbage = fc.oneof(
  garbage.map((text) => `${text}${MARK}`),
  garbage.map((text) => `postgres://u:${text}${MARK}@h/d`),
  garbage.map((text) => `postgres://${MARK}${text}`),
  garbage.map((text) => `postgres://u:1?${text}${MARK}@h`),
  garbage.map((text) => `https://h/${MARK}?${text}`),
);

const secrets = VARIABLE_NAMES.filter((name) => VARIABLES[name].secret);
const others = VARIABLE_NAMES.filter((name) => !VARIABLES[name].secret);

const sound = environment({
  DATABASE_URL: `postgres://u:${MARK}@h/d`,
  ORCH_PLANE_API_KEY: MARK,
  ORCH_ALERT_WEBHOOK_URL: `https://h/${MARK}`,
});
const fileNames = secrets.map((name) => `${name}_FILE`);

const env = fc
  .tuple(
    fc.dictionary(fc.constantFrom(...others), garbage, { maxKeys: 3 }),
    fc.dictionary(fc.constantFrom(...secrets), secretGarbage, { maxKeys: 1 }),
    fc.dictionary(fc.constantFrom('ORCH_X', 'ORCH_', 'orch_y', '__proto__', ...fileNames), garbage, { maxKeys: 1 }),
  )
  .map(([plain, secret, unknown]) => ({ ...sound, ...plain, ...secret, ...unknown }));

const yaml = fc.oneof(
  fc.constant(
    `repositories: { shop: { deploy: { driver: webhook, url: "http://ci/\${S}", headers: { A: "\${S}" } } } }`,
  ),
  garbage,
  fc.json(),
  fc.anything().map((value) => `repositories: ${JSON.stringify(value)}`),
  fc
    .dictionary(fc.constantFrom('deploy', 'rollback', 'health', 'window', 'traffic', 'plane', 'x'), fc.jsonValue())
    .map((entry) => `repositories: ${JSON.stringify({ shop: entry })}`),
  garbage.map(
    (text) =>
      `repositories:\n  shop:\n    deploy: { driver: webhook, url: ${text}\${S}, headers: { A: \${S}${text} } }`,
  ),
);

test('whatever the environment and the file: a SettingsError or settings, no secret shown, one line a fault', () => {
  const endings = { sound: 0, faulty: 0 };
  fc.assert(
    fc.property(env, fc.option(yaml), (variables, text) => {
      const given = text === null ? variables : { ...variables, ORCH_REPOSITORIES_FILE: 'r.yaml', S: MARK };
      const readFile = files({ 'r.yaml': text ?? '' });
      const told: string[] = [];
      try {
        told.push(...loadSettings(given, readFile).warnings);
        endings.sound += 1;
      } catch (error) {
        if (!(error instanceof SettingsError)) throw error;
        expect(error.message.split('\n')).toEqual(error.faults);
        expect(error.faults.length).toBeGreaterThan(0);
        told.push(error.message);
        endings.faulty += 1;
      }
      const rows = [...describeSettings(given, readFile), ...describeRepositories(given, readFile)];
      const shown = JSON.stringify([told, rows, checkSettings(given, readFile).faults]);
      // A host is no secret, so a password that was written in its place is shown; nothing else is.
      expect(shown.replaceAll(/postgres:\/\/\*\*\*@[^"]*/g, '')).not.toContain(MARK);
    }),
    { numRuns: 800 },
  );
  expect(Math.min(endings.sound, endings.faulty)).toBeGreaterThan(20); // else it proves nothing about one of them
});

test('the description says where each value comes from, with secrets masked', () => {
  const rows = describeSettings(
    environment({
      ORCH_PLANE_API_KEY: '',
      ORCH_PLANE_API_KEY_FILE: '/run/key',
      ORCH_PLANE_PROJECT: '',
      ORCH_POST_DEPLOY_WINDOW_SECONDS: '3',
    }),
    files({ '/run/key': 'k3y' }),
  );
  const row = (name: string) => {
    const { value, source } = rows.find((one) => one.name === name) ?? {};
    return { value, source };
  };
  expect(rows.map(({ name }) => name)).toEqual(VARIABLE_NAMES);
  expect(row('DATABASE_URL')).toEqual({ value: 'postgres://***@db.example.org:5432/orch', source: 'environment' });
  expect(row('ORCH_PLANE_API_KEY')).toEqual({ value: '***', source: 'file /run/key' });
  expect(row('ORCH_PLANE_PROJECT')).toEqual({ value: '', source: 'missing' });
  expect(row('ORCH_POST_DEPLOY_INTERVAL_SECONDS')).toEqual({ value: '3', source: 'default' });
  expect(row('ORCH_ALERT_WEBHOOK_URL')).toEqual({ value: '', source: 'default' });
});
