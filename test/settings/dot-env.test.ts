import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadDotEnv, NO_DOT_ENV } from '../../settings/dot-env.ts';
import { describeSettings } from '../../settings.ts';
import { files, noFiles } from './builders.ts';

const load = (text: string, env: Record<string, string | undefined> = {}) => ({
  env,
  read: loadDotEnv(env, files({ '.env': text })),
});

test('it sets what the environment does not; what is set there, even empty, wins', () => {
  const { env, read } = load('ORCH_A=1\nORCH_B=2\nORCH_C=3\n', { ORCH_B: 'mine', ORCH_C: '' });
  expect(env).toEqual({ ORCH_A: '1', ORCH_B: 'mine', ORCH_C: '' });
  expect(read).toEqual({ file: resolve('.env'), names: new Set(['ORCH_A']), fault: null });
});

test('without the file nothing happens', () => {
  const env = { ORCH_A: '1' };
  expect(loadDotEnv(env, noFiles)).toEqual({ file: null, names: new Set(), fault: null });
  expect(env).toEqual({ ORCH_A: '1' });
});

test.each([
  ['ORCH_A=1\r\nORCH_B="2 # 3"\r\n'],
  ['\uFEFFORCH_A=1\nORCH_B=2 # 3\n'.replace('2 # 3', '"2 # 3" # a comment')],
  ["# a comment\n\nexport ORCH_A = 1\nORCH_B='2 # 3'"],
])('line ends of Windows, a byte order mark, comments and quotes are read: %j', (text) => {
  expect(load(text).env).toEqual({ ORCH_A: '1', ORCH_B: '2 # 3' });
});

test('a value in quotes may have several lines, and what is in them is no line of its own', () => {
  const { env, read } = load('ORCH_A="-----BEGIN\nno assignment\n-----END"\nORCH_B=\nORCH_C=it\'s\n');
  expect(read.fault).toBeNull();
  expect(env).toEqual({ ORCH_A: '-----BEGIN\nno assignment\n-----END', ORCH_B: '', ORCH_C: "it's" });
});

test.each([
  'ORCH_A=1 # 2',
  'ORCH_A=1\t#2',
  'ORCH_A="1"#2',
  "ORCH_A='1' # 2",
  '  export ORCH_A = 1',
  'export  ORCH_A=1',
  'export\tORCH_A=1',
  '\u00a0ORCH_A=1',
  '\tORCH_A\t=\t"1"\t# 2',
  '# 2#3\n   \nORCH_A=1',
  '\t# a comment\n\t\nORCH_A=1',
])('a comment, and blanks of any kind, are part neither of a name nor of a value: %j', (text) => {
  expect(load(text)).toMatchObject({ env: { ORCH_A: '1' }, read: { names: new Set(['ORCH_A']), fault: null } });
});

test('whatever is read without a fault has the names that are written', () => {
  const piece = fc.constantFrom('"', "'", '`', 'x', ' ', '#', '\\n', '=', '\t', '\r', '\u00a0', 'export ', '\n');
  const value = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(value, value, (before, given) => {
      const { env, read } = load(`${before}ORCH_A=${given}\nORCH_B=1\n`);
      if (read.fault !== null) return;
      expect(env['ORCH_B']).toBe('1');
      for (const name of Object.keys(env)) expect(name).toMatch(/^[A-Za-z_]\w*$/);
    }),
    { numRuns: 2_000 },
  );
});

describe('what is not understood is a fault, nothing is set, and no value is shown', () => {
  test.each([
    ['ORCH_A=1\nORCH_B hunter2\nORCH_C=3', ':2 must be NAME=value, or a comment that begins with #'],
    ['ORCH_A: hunter2', ':1 must be NAME=value'],
    ['=hunter2', ':1 must be NAME=value'],
    ['my-key=hunter2', ':1 must be NAME=value'],
    ['\n\nORCH_A="hunter2\nORCH_B=2', ':3 begins a value with " that does not end'],
    ['ORCH_A=1\rORCH_B=hunter2\r', ':1 must end with LF or CRLF, not with CR alone'],
    ['ORCH_A="1\n2\r3"\nORCH_B=hunter2', ':2 must end with LF or CRLF, not with CR alone'],
    ['ORCH_A=12#hunter2\n', ':1 has # in a value, where a comment would begin: put the value in quotes'],
    ['ORCH_A=#hunter2\n', ':1 has # in a value, where a comment would begin: put the value in quotes'],
    ["ORCH_A=it's#hunter2", ':1 has # in a value, where a comment would begin: put the value in quotes'],
    ['ORCH_A="12"hunter2"\n', ':1 goes on after the quote " that ends its value: put the value in other quotes'],
    ["ORCH_A='1\n2'hunter2\n", ":2 goes on after the quote ' that ends its value: put the value in other quotes"],
  ])('%j', (text, fault) => {
    const { env, read } = load(text);
    expect(read.fault).toContain(`${resolve('.env')}${fault}`);
    expect(read.fault).not.toContain('hunter2');
    expect(env).toEqual({});
  });

  const withCode = (code: string) => () => {
    throw Object.assign(new Error('closed'), { code });
  };

  test('a file that cannot be read', () => {
    expect(loadDotEnv({}, withCode('EACCES')).fault).toBe(
      '.env cannot be read (permission denied): correct or remove it',
    );
  });

  test('a folder of that name is no file of settings', () => {
    expect(loadDotEnv({}, withCode('EISDIR'))).toEqual(NO_DOT_ENV);
  });
});

test('the settings say which values come from it', () => {
  const { env, read } = load('ORCH_PLANE_WORKSPACE=acme\nORCH_PLANE_PROJECT=ORCH\n', { ORCH_PLANE_PROJECT: 'SHOP' });
  const rows = describeSettings(env, noFiles, read);
  const row = (name: string) => rows.find((each) => each.name === name);
  expect(row('ORCH_PLANE_WORKSPACE')).toMatchObject({ value: 'acme', source: `file ${resolve('.env')}` });
  expect(row('ORCH_PLANE_PROJECT')).toMatchObject({ value: 'SHOP', source: 'environment' });
  expect(row('ORCH_APPROVAL')).toMatchObject({ source: 'default' });
});
