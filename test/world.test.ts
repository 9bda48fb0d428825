import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadSettings } from '../settings.ts';
import { checkCommands } from '../world.ts';
import { described } from './settings/builders.ts';

/** What the checks of a start say of commands, in this folder. */
async function checked(cwd: string, commands: { readonly deploy: string[]; readonly rollback?: string[] }) {
  const driver = (command: string[]) => JSON.stringify({ driver: 'command', command, cwd });
  const rollback = commands.rollback === undefined ? '' : `    rollback: ${driver(commands.rollback)}\n`;
  const yaml = `repositories:\n  shop:\n    deploy: ${driver(commands.deploy)}\n${rollback}    watch: false\n    guard: false\n`;
  const [env, readFile] = described(yaml);
  const checks = await checkCommands(loadSettings(env, readFile), { PATH: process.env['PATH'] });
  return checks.map(({ name, level, message }) => `${level} ${name}: ${message}`);
}

test('a command that cannot be run is a warning at the start, a rollback before production needs it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'd2d-world-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const script = async (name: string, text: string, mode: number): Promise<void> => {
    await writeFile(join(folder, name), text);
    await chmod(join(folder, name), mode);
  };
  await script('good.sh', '#!/bin/sh\n', 0o755);
  await script('closed.sh', '#!/bin/sh\n', 0o644);
  await script('crlf.sh', '#!/bin/sh\r\n', 0o755);
  const warning = (what: string, why: string): string =>
    `warning ${what} of shop: the command cannot be run on this machine: ${why}`;

  expect(await checked(folder, { deploy: ['./good.sh'], rollback: ['true'] })).toEqual([]);
  expect(await checked(folder, { deploy: ['{version}/deploy.sh'] })).toEqual([]);
  expect(await checked(folder, { deploy: ['./good.sh'], rollback: ['./rolback.sh'] })).toEqual([
    warning('rollback', `the program ./rolback.sh was not found (there is no ${join(folder, 'rolback.sh')})`),
  ]);
  expect(await checked(folder, { deploy: ['./closed.sh'], rollback: ['./crlf.sh'] })).toEqual([
    warning('deploy', 'the program ./closed.sh may not be executed: is it marked as executable?'),
    warning(
      'rollback',
      'the interpreter /bin/sh\\r of the script ./crlf.sh does not exist: the script has CRLF line ends, write it with LF',
    ),
  ]);
  expect(await checked(join(folder, 'nowhere'), { deploy: ['true'] })).toEqual([
    warning('deploy', `${join(folder, 'nowhere')} is no folder`),
  ]);
  expect(await checked(folder, { deploy: ['no-such-program now'] })).toEqual([
    warning(
      'deploy',
      'the program no-such-program now was not found (a program without a slash is looked for on PATH; a program and its arguments are items of their own: [program, argument])',
    ),
  ]);
});
