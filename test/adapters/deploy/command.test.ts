import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type CommandDeps, createCommandDriver } from '../../../adapters/deploy/command.ts';
import { type CommandConfig, type DeployOperation, DeployOutcomeUnknown } from '../../../adapters/deploy/driver.ts';
import { MAX_LINE } from '../../../adapters/deploy/lines.ts';
import { holdTimers } from '../../setup/hold-time.ts';
import { PATIENCE_MS } from '../../setup/patience.ts';
import { observedRun, operation as operationOf } from './operation.ts';
import { isAlive, STUBBORN_FAMILY } from './processes.ts';

/** Its own: what still runs of a command is found by it, on the whole machine. */
const OPERATION_ID = `${randomUUID()}:deploy`;
const operation = (change: Partial<DeployOperation> = {}) => operationOf({ operationId: OPERATION_ID, ...change });

const environment = {
  PATH: process.env['PATH'],
  LANG: 'C.UTF-8',
  ORCH_PLANE_API_KEY: 'secret',
  DATABASE_URL: 'secret',
};

const driver = (
  command: readonly [string, ...string[]],
  change: Partial<CommandConfig> = {},
  limits: Pick<CommandDeps, 'graceMs' | 'drainMs'> = {},
) =>
  createCommandDriver(
    { driver: 'command', command, cwd: null, env: {}, timeoutMs: PATIENCE_MS, idempotent: false, ...change },
    { environment, graceMs: PATIENCE_MS, drainMs: PATIENCE_MS, ...limits },
  );

/** For a command that ignores SIGTERM. */
const SHORT_GRACE = { graceMs: 200 };

const node = (script: string, ...args: string[]): [string, ...string[]] => [process.execPath, '-e', script, ...args];

/** The pids that a line names. */
const pidsIn = (line: string): number[] => line.match(/\d+/g)?.map(Number) ?? [];

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'd2d-command-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

test('a command gets the operation and what is configured, and none of the secrets of the worker', async () => {
  const { run, lines } = observedRun();
  const script = `console.log(JSON.stringify(process.env))`;
  const result = await driver(node(script), { env: { TOKEN: 'abc' } }).run(operation(), run);
  expect(result.ok).toBe(true);
  expect(JSON.parse(String(lines()[0]))).toEqual({
    PATH: process.env['PATH'],
    LANG: 'C.UTF-8',
    TOKEN: 'abc',
    D2D_OPERATION: 'deploy',
    D2D_OPERATION_ID: OPERATION_ID,
    D2D_REPO: 'org/shop',
    D2D_WORK_ITEM: 'ORCH-61',
    D2D_VERSION: 'v2',
  });
});

test('a command gets what reaches the network, and of the rest of the environment what passEnv names', async () => {
  const { run, lines } = observedRun();
  const network = {
    HTTPS_PROXY: 'http://proxy:3128',
    no_proxy: 'localhost',
    SSL_CERT_FILE: '/etc/ssl/ca.pem',
    SSH_AUTH_SOCK: '/run/agent',
  };
  const worker = {
    ...environment,
    ...network,
    KUBECONFIG: '/etc/kube',
    AWS_PROFILE: 'shop',
    NODE_OPTIONS: '--no-warnings',
  };
  const command = createCommandDriver(
    {
      driver: 'command',
      command: ['env'],
      cwd: null,
      env: { LANG: 'de_DE.UTF-8' },
      passEnv: ['KUBECONFIG', 'NOT_SET'],
      timeoutMs: PATIENCE_MS,
      idempotent: false,
    },
    { environment: worker },
  );
  expect((await command.run(operation(), run)).ok).toBe(true);
  const got = Object.fromEntries(lines().map((line) => String(line).split(/=(.*)/s)));
  expect(got).toMatchObject({ ...network, PATH: process.env['PATH'], LANG: 'de_DE.UTF-8' });
  expect(Object.keys(got)).toContain('KUBECONFIG');
  for (const name of ['AWS_PROFILE', 'NODE_OPTIONS', 'ORCH_PLANE_API_KEY', 'DATABASE_URL', 'NOT_SET'])
    expect(Object.keys(got)).not.toContain(name);
});

test('what is configured is masked in the log, heartbeats and results of a command that prints it', async () => {
  const file = join(await folder(), 'heard');
  const { run, lines, beats, entries } = observedRun();
  const heartbeat = (detail: string): void => {
    run.heartbeat(detail);
    if (detail.startsWith('half')) void writeFile(file, '');
  };
  const command = createCommandDriver(
    {
      driver: 'command',
      command: node(
        `const { TOKEN, KUBECONFIG, HTTPS_PROXY } = process.env;
console.log('token ' + TOKEN); console.error('config', KUBECONFIG); console.log('via', HTTPS_PROXY);
process.stdout.write('x'.repeat(${MAX_LINE - 4}) + TOKEN + '\\n');
process.stdout.write('half ' + TOKEN.slice(0, 5));
setTimeout(() => process.stdout.write(TOKEN.slice(5) + ' and w0rkers-own\\n'), 50);
setInterval(() => require('node:fs').existsSync(${JSON.stringify(file)}) && process.exit(1), 20);`,
      ),
      cwd: null,
      env: { TOKEN: 't0ken-0123456789' },
      passEnv: ['KUBECONFIG'],
      timeoutMs: PATIENCE_MS,
      idempotent: false,
    },
    {
      environment: { ...environment, KUBECONFIG: 'kube-0123', HTTPS_PROXY: 'http://me:pr0xy-pass@proxy:3128' },
      secrets: ['w0rkers-own'],
    },
  );
  const result = await command.run(operation(), { ...run, heartbeat });
  expect(result.detail).toContain('half *** and ***');
  expect(beats).toContain('half *** and ***');
  expect(lines().toSorted()).toEqual(
    ['config ***', 'half *** and ***', 'token ***', 'via ***', `${'x'.repeat(MAX_LINE - 4)}***…`].toSorted(),
  );
  const told = JSON.stringify([result, beats, entries]);
  for (const secret of ['t0ken', 'kube-0123', 'pr0xy-pass', 'w0rkers-own']) expect(told).not.toContain(secret);
});

test('a secret argument is masked where the command cannot be run', async () => {
  const { run } = observedRun();
  const command = driver(['./t0ken-0123456789'], { env: { TOKEN: 't0ken-0123456789' } });
  expect((await command.run(operation(), run)).detail).toContain('the program ./*** was not found');
});

test('without a version D2D_VERSION is empty, and a rollback says that it is one', async () => {
  const { run } = observedRun();
  const script = `console.log(process.env.D2D_OPERATION + ':' + process.env.D2D_VERSION)`;
  const rollback = operation({ kind: 'rollback', version: null });
  expect(await driver(node(script)).run(rollback, run)).toEqual({ ok: true, detail: 'rollback:' });
});

test('placeholders are filled in within one argument, and no shell reads them', async () => {
  const { run } = observedRun();
  const show = `console.log(JSON.stringify(process.argv.slice(1)))`;
  const given = operation({ version: 'v2; $(touch x) "y" z' });
  const command = node(show, '--', 'shop@{version}', '{repo}/{workItem}', '{operationId}', '{other}');
  expect(await driver(command).run(given, run)).toEqual({
    ok: true,
    detail: JSON.stringify(['shop@v2; $(touch x) "y" z', 'org/shop/ORCH-61', OPERATION_ID, '{other}']),
  });
});

test('an exit code that is not 0 is a failure with the last lines', async () => {
  const { run } = observedRun();
  const script = `console.log('building'); console.error('no such tag'); process.exitCode = 3`;
  const result = await driver(node(script)).run(operation(), run);
  expect(result.ok).toBe(false);
  expect(result.detail).toMatch(/^the command ended with code 3; the last lines:\n/);
  expect(result.detail.split('\n').slice(1).sort()).toEqual(['building', 'no such tag']);
});

/** What is thrown where nobody knows how a command ended. */
const unknownEnd = (running: Promise<unknown>) =>
  running.then(
    (result) => expect.fail(`it has a result: ${JSON.stringify(result)}`),
    (error: unknown) => {
      expect(error).toBeInstanceOf(DeployOutcomeUnknown);
      return error as DeployOutcomeUnknown;
    },
  );

test.each([
  [`process.kill(process.pid, 'SIGKILL')`, 'the command ended by SIGKILL, not by this worker'],
  [`process.kill(process.pid, 'SIGTERM')`, 'the command ended by SIGTERM, not by this worker'],
  ['process.exitCode = 137', 'the command ended with code 137, which means SIGKILL'],
  ['process.exitCode = 143', 'the command ended with code 143, which means SIGTERM'],
])('of a command that a signal ended nobody knows how far it came: %s', async (script, how) => {
  const { message, retryable } = await unknownEnd(driver(node(script)).run(operation(), observedRun().run));
  expect(message).toBe(`${how}: nobody knows how far it came; it wrote nothing`);
  expect(retryable).toBe(true);
});

/** A program that starts another one, which ends by itself after some seconds, and then runs `then`. */
const leavesBehind = (options: string, then: string) =>
  node(
    `const child = require('node:child_process').spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio: 'ignore', ${options} });
child.unref(); require('node:fs').writeSync(1, 'left ' + child.pid + '\\n'); ${then}`,
  );

/** Ends what a command has left behind, and was named by it. */
const endLeft = (line: string): void => {
  const [pid] = pidsIn(line);
  if (pid !== undefined) onTestFinished(() => void process.kill(pid, 'SIGKILL'));
};

describe('a command of which something still runs is unknown, and not run again', () => {
  const LIMITS = { drainMs: 200, graceMs: 200 };

  test.each([
    ['it failed', 'process.exit(3)', 'the command ended with code 3'],
    ['it was killed', `process.kill(process.pid, 'SIGKILL')`, 'the command ended by SIGKILL'],
  ])('in its group: %s', async (_, then, how) => {
    const { run, lines } = observedRun(endLeft);
    const { message, retryable } = await unknownEnd(driver(leavesBehind('', then), {}, LIMITS).run(operation(), run));
    expect(message).toContain(how);
    if (process.platform === 'linux')
      expect(message).toContain(`but its process ${pidsIn(String(lines()[0]))[0]} still runs`);
    expect(message).toContain('nobody knows what that still does');
    expect(retryable).toBe(false);
  });

  test.skipIf(process.platform !== 'linux').each([
    ['it failed', 'process.exit(3)', 'the command ended with code 3'],
    ['it took too long', 'setInterval(() => {}, 1_000)', 'timed out after 3 s'],
  ])('in a session of its own: %s', async (_, then, how) => {
    const time = holdTimers();
    const { run, lines } = observedRun((line) => {
      endLeft(line);
      if (how.startsWith('timed out')) time.pass(3_000);
    });
    const command = driver(leavesBehind('detached: true', then), { timeoutMs: 3_000 }, LIMITS);
    const { message } = await unknownEnd(command.run(operation(), run));
    expect(message).toContain(`${how}, but its process ${pidsIn(String(lines()[0]))[0]} still runs`);
  });

  test('it holds the output open', async () => {
    const { run } = observedRun(endLeft);
    const script = `const child = require('node:child_process').spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio: 'inherit', detached: true, env: {} });
child.unref(); require('node:fs').writeSync(1, 'left ' + child.pid + '\\n'); process.exit(3)`;
    const { message } = await unknownEnd(driver(node(script), {}, LIMITS).run(operation(), run));
    expect(message).toContain('the command ended with code 3, but something that it started holds its output open');
  });

  test.skipIf(process.platform !== 'linux')('it was stopped', async () => {
    const { run, abort } = observedRun((line) => {
      endLeft(line);
      abort.abort(new Error('stopped'));
    });
    const command = driver(leavesBehind('detached: true', 'setInterval(() => {}, 1_000)'), {}, LIMITS);
    expect((await unknownEnd(command.run(operation(), run))).message).toContain('it was stopped, but its process ');
  });
});

test('a command that ends with code 0 after its time-out may have finished', async () => {
  const time = holdTimers();
  const { run } = observedRun((line) => {
    if (line === 'ready') time.pass(3_000);
  });
  const script = `process.on('SIGTERM', () => { console.log('deployed'); process.exit(0) }); setInterval(() => {}, 1000); console.log('ready')`;
  const { message, retryable } = await unknownEnd(driver(node(script), { timeoutMs: 3_000 }).run(operation(), run));
  expect(message).toBe(
    'timed out after 3 s, and then ended with code 0: nobody knows how far it came; the last lines:\nready\ndeployed',
  );
  expect(retryable).toBe(false);
});

test.each([
  [
    '#!/bin/bash\r\necho hi\r\n',
    String.raw`the interpreter /bin/bash\r of the script ./deploy.sh does not exist: the script has CRLF line ends, write it with LF`,
  ],
  ['#! /no/such/python3 -u\n', 'the interpreter /no/such/python3 of the script ./deploy.sh does not exist'],
])('a script whose interpreter does not exist says so: %j', async (script, why) => {
  const dir = await folder();
  await writeFile(join(dir, 'deploy.sh'), script, { mode: 0o755 });
  const detail = async (program: string, env: Record<string, string> = {}) =>
    (await driver([program], { cwd: dir, env }).run(operation(), observedRun().run)).detail;
  expect(await detail('./deploy.sh')).toBe(`the command was not run: ${why}`);
  expect(await detail('deploy.sh', { PATH: dir })).toBe(
    `the command was not run: ${why.replace('./deploy.sh', 'deploy.sh')}`,
  );
});

test.each([
  [['./deploy.sh'], '#!/usr/bin/env bash\r\necho hi\r\n'],
  [['bash', './deploy.sh'], '#!/bin/bash\r\nfalse\r\n'],
  [['sh', '-e', './deploy.sh'], '#!/bin/sh\r\nset -e\r\n'],
  [['sh', './deploy.sh'], 'set -e\r\necho hi\r\n'],
  [['env', 'bash', './deploy.sh'], '# deploys\r\nset -e\r\n'],
] as const)('a script with CRLF line ends that starts all the same says so: %j', async (command, script) => {
  const dir = await folder();
  await writeFile(join(dir, 'deploy.sh'), script, { mode: 0o755 });
  const { ok, detail } = await driver([...command], { cwd: dir }).run(operation(), observedRun().run);
  expect(ok).toBe(false);
  expect(detail).toMatch(
    /^the command ended with code \d+: the script \.\/deploy\.sh has CRLF line ends, write it with LF; the last lines:\n/,
  );
});

test('code 127 of a script with LF line ends is not blamed on them', async () => {
  const dir = await folder();
  await writeFile(join(dir, 'deploy.sh'), '#!/usr/bin/env d2d-no-such-program\n', { mode: 0o755 });
  const { detail } = await driver(['./deploy.sh'], { cwd: dir }).run(operation(), observedRun().run);
  expect(detail).toMatch(/^the command ended with code 127; the last lines:\n.*d2d-no-such-program/);
});

test.skipIf(process.platform !== 'linux')('a program whose loader does not exist says so', async () => {
  const dir = await folder();
  const own = await readFile('/bin/true', 'latin1');
  const loader = /\/lib[^\0]*\/ld[^\0]*\.so[^\0]*/.exec(own.slice(0, 4096))?.[0] ?? '';
  expect(loader).not.toBe('');
  const missing = loader.replace('/lib', '/l1b');
  const program = join(dir, 'deploy');
  await writeFile(program, Buffer.from(own.replaceAll(loader, missing), 'latin1'), { mode: 0o755 });
  expect((await driver([program]).run(operation(), observedRun().run)).detail).toBe(
    `the command was not run: the program ${program} exists, but the loader ${missing} that it needs does not: it is made for another system`,
  );
  await writeFile(join(dir, 'deploy.sh'), `#!${program}\n`, { mode: 0o755 });
  expect((await driver([join(dir, 'deploy.sh')]).run(operation(), observedRun().run)).detail).toContain(
    `the interpreter ${program} of the script ${join(dir, 'deploy.sh')} exists, but something that it needs to run does not`,
  );
});

test('a program that is not found, is not executable, or has no folder to run in is a failure in clear words', async () => {
  const { run } = observedRun();
  const dir = await folder();
  const file = join(dir, 'deploy.sh');
  await writeFile(file, '#!/bin/sh\n');
  await chmod(file, 0o644);
  const detailOf = async (command: string, cwd: string | null = null) =>
    (await driver([command], { cwd, env: { PATH: dir } }).run(operation(), run)).detail; // a folder of the user's PATH may be closed to us

  expect(await detailOf('d2d-no-such-program')).toBe(
    'the command was not run: the program d2d-no-such-program was not found (a program without a slash is looked for on PATH)',
  );
  expect(await detailOf('./deploy.sh', dir)).toBe(
    'the command was not run: the program ./deploy.sh may not be executed: is it marked as executable?',
  );
  expect(await detailOf('true', join(dir, 'missing'))).toBe(
    `the command was not run: ${join(dir, 'missing')} is no folder`,
  );
});

test('a script whose interpreter is a folder, or not executable, says so, and a program that is a folder', async () => {
  const dir = await folder();
  const interpreter = join(dir, 'interpreter');
  await writeFile(interpreter, '', { mode: 0o644 });
  const detailOf = async (line: string, program = './deploy.sh') => {
    await writeFile(join(dir, 'deploy.sh'), `${line}\necho hi\n`, { mode: 0o755 });
    return (await driver([program], { cwd: dir }).run(operation(), observedRun().run)).detail;
  };
  expect(await detailOf(`#!${dir}`)).toBe(
    `the command was not run: the interpreter ${dir} of the script ./deploy.sh is a folder`,
  );
  expect(await detailOf(`#! ${interpreter} -e`)).toBe(
    `the command was not run: the interpreter ${interpreter} of the script ./deploy.sh may not be executed: is it marked as executable?`,
  );
  expect(await detailOf('#!/bin/sh', dir)).toBe(`the command was not run: the program ${dir} is a folder`);
});

test('a program is found in the folder that it runs in', async () => {
  const { run } = observedRun();
  const cwd = await folder();
  await writeFile(join(cwd, 'deploy.sh'), '#!/bin/sh\npwd\n', { mode: 0o755 });
  expect((await driver(['./deploy.sh'], { cwd }).run(operation(), run)).detail).toContain('d2d-command-');
});

test('what cannot be filled in is not run', async () => {
  const { run, lines } = observedRun();
  const command = node(`console.log('ran')`, '--', '{version}');
  expect((await driver(command).run(operation({ version: null }), run)).detail).toBe(
    'the command was not run: the argument {version} cannot be filled in: it needs {version}, but the start named no version: start with one',
  );
  expect((await driver(command).run(operation({ version: '--force' }), run)).detail).toBe(
    'the command was not run: the argument {version} became --force, which looks like an option: refused',
  );
  for (const each of [command, node(`console.log('ran')`)]) {
    expect(await driver(each).run(operation({ version: 'v\0' }), run)).toMatchObject({ ok: false });
  }
  expect(lines()).toEqual([]);
});

test('output is logged line by line as it comes, without colours, bounded in length', async () => {
  const { run, lines } = observedRun();
  const script = `process.stdout.write('\\x1b[31mred\\x1b[0m\\n\\n50 %\\r100 %\\r\\n' + 'x'.repeat(10000) + '\\nno end')`;
  expect(await driver(node(script)).run(operation(), run)).toEqual({ ok: true, detail: 'no end' });
  expect(lines()).toEqual(['red', '50 %', '100 %', `${'x'.repeat(MAX_LINE)}…`, 'no end']);
});

test('heartbeats come while the command runs, with its last line', async () => {
  const file = join(await folder(), 'heard');
  const { run } = observedRun();
  const script = `console.log('waiting'); setInterval(() => require('node:fs').existsSync(${JSON.stringify(file)}) && process.exit(0), 20)`;
  const heard: string[] = [];
  const heartbeat = (detail: string): void => {
    heard.push(detail);
    if (detail === 'waiting') void writeFile(file, '');
  };
  expect(await driver(node(script)).run(operation(), { ...run, heartbeat })).toEqual({ ok: true, detail: 'waiting' });
  expect(heard).toContain('waiting');
});

test('a command that is stopped is ended with its whole group, also where that ignores SIGTERM', async () => {
  let pids: number[] = [];
  const observed = observedRun((line) => {
    pids = pidsIn(line);
    observed.abort.abort(new Error('stopped by the test'));
  });
  await expect(driver(node(STUBBORN_FAMILY), {}, SHORT_GRACE).run(operation(), observed.run)).rejects.toThrow(
    'stopped by the test',
  );
  expect(pids).toHaveLength(2);
  expect(pids.map(isAlive)).toEqual([false, false]);
});

test('a command that takes too long is ended with its whole group, and that is its result', async () => {
  const time = holdTimers();
  let pids: number[] = [];
  const { run } = observedRun((line) => {
    pids = pidsIn(line);
    time.pass(3_000);
  });
  const result = await driver(node(STUBBORN_FAMILY), { timeoutMs: 3_000 }, SHORT_GRACE).run(operation(), run);
  expect(result.ok).toBe(false);
  expect(result.detail).toMatch(/^timed out after 3 s: it was ended with its whole process group/);
  expect(pids).toHaveLength(2);
  expect(pids.map(isAlive)).toEqual([false, false]);
});

test('a command that ends at SIGTERM may clean up', async () => {
  const observed = observedRun((line) => {
    if (line === 'ready') observed.abort.abort(new Error('stopped'));
  });
  const script = `process.on('SIGTERM', () => { console.log('cleaned up'); process.exit(0) }); setInterval(() => {}, 1000); console.log('ready')`;
  await expect(driver(node(script)).run(operation(), observed.run)).rejects.toThrow('stopped');
  expect(observed.lines()).toContain('cleaned up');
});

test('a run that was stopped before it began starts nothing', async () => {
  const { run, abort, lines } = observedRun();
  abort.abort(new Error('too late'));
  await expect(driver(node(`console.log('ran')`)).run(operation(), run)).rejects.toThrow('too late');
  expect(lines()).toEqual([]);
});

test('a run that is stopped while it begins starts nothing', async () => {
  const { run, abort, lines } = observedRun();
  const running = driver(node(`console.log('ran')`), { cwd: await folder() }).run(operation(), run);
  abort.abort(new Error('stopped'));
  await expect(running).rejects.toThrow('stopped');
  expect(lines()).toEqual([]);
});

test('a daemon that holds the output open does not hold up the result, and lives on', async () => {
  const { run, entries } = observedRun();
  const daemon = `process.stdout.on('error', () => process.exit(1)); setInterval(() => console.log('served'), 20)`;
  const script = `const daemon = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(daemon)}], { stdio: 'inherit', detached: true });
daemon.unref(); require('node:fs').writeSync(1, 'daemon ' + daemon.pid + '\\n'); process.exit(0)`;
  const result = await driver(node(script), {}, { drainMs: 2_000 }).run(operation(), run);
  const pid = pidsIn(JSON.stringify(entries.map(({ fields }) => ('line' in fields ? fields.line : ''))))[0] ?? 0;
  expect(pid).toBeGreaterThan(0);
  onTestFinished(() => {
    process.kill(pid, 'SIGKILL');
  });
  expect(result.ok).toBe(true);
  expect(entries.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
    'something that the command started holds its output open: redirect it',
  ]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(isAlive(pid)).toBe(true);
});
