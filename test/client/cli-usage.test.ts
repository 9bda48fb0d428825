import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { environment } from '../settings/builders.ts';
import { runHere, runProcess, startCli } from './run-cli.ts';

// Nothing here gets as far as a Temporal that answers.

/** Nobody listens there. */
const NOWHERE = { TEMPORAL_ADDRESS: '127.0.0.1:1' };

test.each([
  [['status'], "error: missing required argument 'repoOrWorkItem'; see d2d help status\n"],
  [['stauts', 'X'], /^error: unknown command 'stauts'/],
  [['status', 'X', '--nope'], "error: unknown option '--nope'; see d2d help status\n"],
  [['status', 'shop', 'X', 'Y'], /too many arguments/],
  [['watch', 'shop', 'X', '--repo', 'web'], 'error: two repositories are named, shop and --repo web; name one\n'],
  [['close', 'X'], "error: required option '--reason <text>' not specified; see d2d help close\n"],
  [['close', 'X', '--reason', ' '], /It must not be empty/],
  [['start', 'shop', 'X', '--approval', 'maybe'], /Allowed choices are required, none/],
  [
    ['start', 'shop', 'X', '--version', 'v2; rm -rf /'],
    /^error: option '--version <version>' argument 'v2; rm -rf \/' is invalid\. version must begin with a letter or digit .*; see d2d help start\n$/,
  ],
  [['finished', 'X', '--ok', '--version', '$(x)'], /version must begin with a letter or digit/],
  [['resolve', 'X', '--deployed', '--reason', 'r', '--version=-v2'], /version must begin with a letter or digit/],
  [['list', '--limit', '0'], /an integer within 1\.\.10000/],
  [['list', '--outcome', 'nope'], /'nope' is invalid\. Allowed choices are done, already_done, .*healthy/],
  [['list', '--since', 'yesterday'], /--since must be a duration \(90s, .*, got "yesterday"/],
  [['list', '--since', '2999-01-01'], /--since must be in the past/],
  [
    ['extend', 'X', '0', '--reason', 'r'],
    /^error: minutes must be a number greater than 0 and at most 10080 \(a week\), got "0"/,
  ],
  [['extend', 'X', '15m', '--reason', 'r'], /got "15m" \(write it without a unit\)/],
  [['extend', 'X', '1e9', '--reason', 'r'], /got "1e9"/],
  [['extend', 'X', 'Infinity', '--reason', 'r'], /got "Infinity"/],
  [
    ['status', 'OR\u001b[31mCH-1'],
    'error: an argument holds control characters: "OR\\u{1b}[31mCH-1"; leave them out\n',
  ],
  [['sta\u001b[2Jrt', 'X'], 'error: an argument holds control characters: "sta\\u{1b}[2Jrt"; leave them out\n'],
  [
    ['close', 'X', '--reason', 'a\u009b2Jb'],
    'error: an argument holds control characters: "a\\u{9b}2Jb"; leave them out\n',
  ],
  [['help', 'nonsense'], 'error: there is no help on nonsense; d2d help lists the commands\n'],
  [[], /error: a command must be named; see d2d help\n$/],
])('bad usage: d2d %j is refused before anything is sent', async (args, says) => {
  const { code, stdout, stderr } = await runHere(NOWHERE, ...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  if (typeof says === 'string') expect(stderr).toBe(says);
  else expect(stderr).toMatch(says);
});

test('no error steers a terminal, whatever it repeats', async () => {
  for (const more of [[], ['--debug']]) {
    const { stderr } = await runHere({ TEMPORAL_ADDRESS: '127.0.0.1:1\u001b[31m\u0007x' }, 'list', ...more);
    expect(stderr).toMatch(/^error: .*127\.0\.0\.1:1/);
    expect(stderr).not.toMatch(/[^\P{Cc}\n]/u);
  }
});

test('settings say of each repository whether it is watched and guarded, by the lists and its own keys together', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'd2d-in-force-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'repositories.yaml');
  await writeFile(
    file,
    `repositories:
  shop:
    deploy: { driver: external }
    health: { url: http://shop/ }
    watch: true
    guard: true
    approval: none
  docs:
    deploy: { driver: external }
`,
  );
  const { stdout } = await runHere(environment({ ORCH_REPOSITORIES_FILE: file }) as Record<string, string>, 'settings');
  const rows = stdout.split('\n\n')[1]?.trimEnd().split('\n');
  expect(rows?.map((row) => row.trim().split(/ {2,}/))).toEqual([
    ['REPOSITORY', 'WATCHED', 'GUARDED', 'APPROVAL', 'ACTION', 'WINDOW'],
    ['shop', 'yes', 'yes', 'none', 'alert', '900 s'],
    ['docs', 'no', 'no', 'required', '–', '–'],
    ['orchestrator', 'yes', 'yes', 'required', 'alert', '900 s'],
  ]);
});

test('an unreachable Temporal is reported, in JSON too', async () => {
  const { code, stdout, stderr } = await runProcess(NOWHERE, 'status', 'ORCH-61', '--json');
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  expect(JSON.parse(stderr)).toEqual({
    error: {
      message: expect.stringContaining('Temporal at 127.0.0.1:1 does not answer'),
      hint: expect.stringContaining('TEMPORAL_ADDRESS'),
    },
  });
});

test('an option outranks the environment, and --debug shows the stack', async () => {
  const { code, stderr } = await runHere(NOWHERE, 'list', '--address', 'not an address', '--debug');
  expect(code).toBe(78);
  expect(stderr).toMatch(
    /^error: TEMPORAL_ADDRESS must be host:port without a scheme, got "not an address"\n.*\n {4}at /,
  );
});

test('settings are shown with secrets masked, faults on stderr, exit 78', async () => {
  const env = { DATABASE_URL: 'postgres://d2d:hunter2@db:5432/d2d', ORCH_POST_DEPLOY_5XX_THRESHOLD: '5' };
  const { code, stdout, stderr } = await runProcess(env, 'settings');
  expect(code).toBe(78);
  expect(stdout).toMatch(/\nDATABASE_URL +postgres:\/\/\*\*\*@db:5432\/d2d +environment\n/);
  expect(stderr).toContain('fault: ORCH_POST_DEPLOY_5XX_THRESHOLD must be within 0..1, got "5"');
  expect(stdout + stderr).not.toContain('hunter2');
  const { settings, faults } = JSON.parse((await runHere(env, 'settings', '--json')).stdout);
  expect(settings[0]).toEqual({
    name: expect.any(String),
    value: expect.any(String),
    source: expect.any(String),
    help: expect.any(String),
    type: expect.any(String),
    default: settings[0].default,
  });
  expect(faults.length).toBeGreaterThan(0);
});

test('the help tells every command, exit code and JSON shape', async () => {
  const { code, stdout } = await runHere({}, '--help');
  expect(code).toBe(0);
  for (const name of [
    'start',
    'approve',
    'reject',
    'status',
    'list',
    'watch',
    'cancel',
    'extend',
    'close',
    'settings',
    'doctor',
  ]) {
    expect(stdout).toMatch(new RegExp(`\n  ${name} `));
  }
  expect(stdout).toContain('\n  status [repo] <workItem> ');
  expect((await runHere({}, 'help', 'exit-codes')).stdout).toContain(
    ' 21  production degraded after the deploy; it was rolled back',
  );
  const { stdout: shapes } = await runHere({}, 'help', 'json');
  expect(shapes).toContain('close            {repo, workItem, workflowId, runId, report, logPath}');
  expect(shapes).toContain('reopen           {repo, workItem, workflowId, runId, by, reason, stage}');
  expect((await runProcess({}, '--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'd2d-env-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

test('.env of the current folder is read, and settings and doctor say so', async () => {
  const cwd = await folder();
  const file = join(cwd, '.env');
  await writeFile(file, 'ORCH_PLANE_WORKSPACE=acme\r\nORCH_PLANE_PROJECT=ORCH\r\nTEMPORAL_ADDRESS=127.0.0.1:1\r\n');
  const settings = await startCli({ ORCH_PLANE_PROJECT: 'SHOP' }, ['settings'], cwd).ended;
  expect(settings.stdout).toMatch(new RegExp(`\nORCH_PLANE_WORKSPACE +acme +file ${file}\n`));
  expect(settings.stdout).toMatch(/\nORCH_PLANE_PROJECT +SHOP +environment\n/);
  const doctor = await startCli({ ORCH_PLANE_PROJECT: 'SHOP' }, ['doctor'], cwd).ended;
  expect(doctor.stdout).toContain(`settings: 2 variables from ${file}; the environment wins`);
  expect((await startCli({}, ['list'], cwd).ended).stderr).toContain('Temporal at 127.0.0.1:1 does not answer');
});

test('a .env that is not understood, or cannot be read, stops what needs it', async () => {
  const broken = await folder();
  await writeFile(join(broken, '.env'), 'TEMPORAL_ADDRESS 127.0.0.1:1\n');
  const why = `${join(broken, '.env')}:1 must be NAME=value, or a comment that begins with #`;
  for (const command of ['list', 'migrate'])
    expect(await startCli({}, [command], broken).ended).toMatchObject({
      code: 78,
      stderr: `error: a setting is wrong: ${why}; d2d settings shows all of them\n`,
    });
  expect(await startCli({}, ['settings'], broken).ended).toMatchObject({ code: 78, stderr: `fault: ${why}\n` });
  expect((await startCli({}, ['doctor'], broken).ended).stdout).toContain(`FAULT    settings: ${why}`);
  expect(await startCli({}, ['--version'], broken).ended).toMatchObject({ code: 0, stderr: '' });
});
