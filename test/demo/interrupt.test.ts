import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, expect, inject, test } from 'vitest';
import { isListening } from '../../demo/servers/port.ts';
import { eventually } from '../setup/eventually.ts';
import { made } from '../setup/made.ts';

// Ctrl-C at any moment leaves no process and no port behind. A terminal sends it to the whole process group; whatever starts the
// demo (npm, a supervisor) to its pid alone.

let demo: ChildProcess | undefined;

afterEach(() => {
  if (demo?.exitCode === null && demo.signalCode === null) demo.kill('SIGKILL');
  demo = undefined;
});

test.each([
  ['the group', 'while everything starts', 'Postgres'],
  ['the group', 'in the middle of the window', 'tick 1 of'],
  ['the pid', 'in the middle of the deploy', 'waits for an approval'],
])('SIGINT to %s, %s', async (whom, _when, mark) => {
  const main = join(made('dist', inject('dist')), 'demo', 'main.js');
  const child = spawn(process.execPath, [main, 'green', '--real-time'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  demo = child;
  const pid = child.pid ?? 0;
  const exited = once(child, 'exit');
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  const tooEarly = exited.then(([code]) => Promise.reject(new Error(`the demo ended by itself (${code}):\n${output}`)));
  await Promise.race([eventually(() => expect(output).toContain(mark)), tooEarly]);

  const started = descendants(pid);
  const ports = [...output.matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port));
  process.kill(whom === 'the pid' ? pid : -pid, 'SIGINT');
  const [code] = await exited;

  expect(code, output).toBe(130);
  if (mark !== 'Postgres') expect(started.length, 'servers, worker, production, release, guardian').toBeGreaterThan(5);
  // The guardian is the last to go: it looks whether anything is left.
  await eventually(() => expect(started.filter(alive)).toEqual([]));
  expect(await Promise.all(ports.map(isListening))).not.toContain(true);
});

/** Every process below one, whatever session it has made its own. */
function descendants(root: number): number[] {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((row) => row.trim().split(/\s+/).map(Number));
  const below = (parent: number): number[] =>
    rows.flatMap(([pid = 0, ppid]) => (ppid === parent ? [pid, ...below(pid)] : []));
  return below(root);
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
