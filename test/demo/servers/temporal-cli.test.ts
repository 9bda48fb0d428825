import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { provideTemporalCli } from '../../../demo/servers/temporal-cli.ts';
import { eventually } from '../../setup/eventually.ts';
import { type FakeMachine, fakeMachine } from './fake-machine.ts';

let machine: FakeMachine;
afterEach(() => machine.close());

/** Writes what it was asked into a log, and an executable where `go install` would put it. The shell has no PATH here. */
const GO = `PATH=/usr/bin:/bin; echo "$* CGO_ENABLED=$CGO_ENABLED" >> "$HOME/go.log"; sleep 0.3
printf '#!/bin/sh\\n' > "$GOBIN/temporal"; chmod +x "$GOBIN/temporal"`;

test('ORCH_TEMPORAL_CLI comes first', async () => {
  machine = await fakeMachine({ temporal: '' });
  const mine = await machine.script(machine.path('mine', 'temporal-dev'), '');
  expect(await provideTemporalCli({ ...machine, env: { ...machine.env, ORCH_TEMPORAL_CLI: mine } })).toBe(mine);
});

test('ORCH_TEMPORAL_CLI that is no executable is an error, not passed over', async () => {
  machine = await fakeMachine({ temporal: '' });
  const env = { ...machine.env, ORCH_TEMPORAL_CLI: '/not/there' };
  await expect(provideTemporalCli({ ...machine, env })).rejects.toThrow(
    'ORCH_TEMPORAL_CLI must be the path of an executable, got "/not/there": correct it or unset it',
  );
});

test('then temporal on the PATH', async () => {
  machine = await fakeMachine({ temporal: '', go: GO });
  expect(await provideTemporalCli(machine)).toBe(machine.path('bin', 'temporal'));
  expect(machine.said).toEqual([]);
});

test('then the cache, without asking the network', async () => {
  machine = await fakeMachine({ go: GO });
  const built = await machine.script(join(machine.cache, 'temporal-1.5.1', 'temporal'), '');
  expect(await provideTemporalCli(machine)).toBe(built);
  expect(machine.attempts()).toBe(0);
});

test('then the download of the SDK is tried, and where it is not reachable Go builds it once, into the cache', async () => {
  machine = await fakeMachine({ go: GO });
  const built = join(machine.cache, 'temporal-1.5.1', 'temporal');
  // Two at once: one builds, the other waits for it.
  expect(await Promise.all([provideTemporalCli(machine), provideTemporalCli(machine)])).toEqual([built, built]);
  expect(machine.attempts()).toBeGreaterThan(0);
  expect(await readFile(machine.path('go.log'), 'utf8')).toBe(
    'install -ldflags -s -w github.com/temporalio/cli/cmd/temporal@v1.5.1 CGO_ENABLED=0\n',
  );
  expect(await readdir(machine.cache)).toEqual(['temporal-1.5.1']); // no lock, no half a build
  expect(machine.said.join('\n')).toMatch(
    /no download from here; building version 1.5.1 with Go, once \(about 5 minutes/,
  );
});

test('a build that fails says why and leaves nothing behind', async () => {
  machine = await fakeMachine({ go: 'echo "module lookup disabled" >&2; exit 1' });
  await expect(provideTemporalCli(machine)).rejects.toThrow(/go ended with exit code 1:\nmodule lookup disabled/);
  expect(await readdir(machine.cache)).toEqual([]);
});

test('a build that is ended takes its whole process group with it and leaves nothing behind', async () => {
  machine = await fakeMachine({ go: 'PATH=/usr/bin:/bin; sleep 300 & echo $! > "$HOME/compiler.pid"; wait' });
  const interrupt = new AbortController();
  const provided = provideTemporalCli({ ...machine, signal: interrupt.signal });
  const pid = () => readFile(machine.path('compiler.pid'), 'utf8').then(Number, () => 0);
  await Promise.race([provided, eventually(async () => expect(await pid()).toBeGreaterThan(0))]);
  const compiler = await pid();
  interrupt.abort(new Error('Ctrl-C'));
  await expect(provided).rejects.toThrow('Ctrl-C');
  await eventually(() => expect(alive(compiler)).toBe(false));
  expect(await readdir(machine.cache)).toEqual([]);
});

test('the lock of a process that died in the middle of a build does not hold up the next one', async () => {
  machine = await fakeMachine({ go: GO });
  await machine.script(join(machine.cache, 'x'), ''); // makes the folder
  const lock = join(machine.cache, 'temporal-1.5.1.lock');
  await writeFile(lock, '');
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(lock, longAgo, longAgo);
  expect(await provideTemporalCli(machine)).toBe(join(machine.cache, 'temporal-1.5.1', 'temporal'));
});

test('without Go the three ways are named', async () => {
  machine = await fakeMachine();
  await expect(provideTemporalCli(machine)).rejects.toThrow(
    [
      'No Temporal dev server on this machine, and none could be downloaded. One of these is needed:',
      '  1. the temporal command line on the PATH, or its path in ORCH_TEMPORAL_CLI (https://docs.temporal.io/cli);',
      '  2. a network that lets the Temporal SDK download it;',
      '  3. Go on the PATH: it is then built once from the Go module proxy (about 5 minutes).',
    ].join('\n'),
  );
});

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
