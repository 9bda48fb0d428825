/** A setter whose process really stands still (SIGSTOP) between its evidence and its write: the age check, and nothing else. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { forget, guard } from '../../demo/servers/guardian.ts';
import { eventually } from '../setup/eventually.ts';
import { type GuardServers, guardServers } from './guard/servers.ts';
import { type GuardWorld, guardWorld } from './guard/world.ts';

let servers: GuardServers;
beforeAll(async () => {
  servers = await guardServers();
});
afterAll(() => servers.close());

const PROGRAM = fileURLToPath(new URL('./guard/stopping-setter.ts', import.meta.url));

const isStopped = (pid: number): boolean => /^\d+ \(.*\) T/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

/** A process that sets `Deploying`, once it stands right before its write. It cannot outlive the test. */
async function stoppedSetter({ url, apiKey, workspace, selfHosting }: GuardWorld, key: string) {
  const args = [servers.fresh.url, url, apiKey, workspace, selfHosting, key];
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  const { pid = 0 } = child;
  guard({ pid, signal: 'SIGKILL' });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await closed;
    forget(pid);
  });
  const said = Promise.all([text(child.stdout), text(child.stderr)]).then((all) => all.join('').trim());
  const early = said.then((words) => Promise.reject(new Error(`it ended before it stopped: ${words}`)));
  await Promise.race([early, eventually(() => expect(isStopped(pid)).toBe(true))]);
  const since = performance.now();
  return {
    /** Waits until it has stood for so long. */
    stood: (ms: number) => delay(Math.max(0, since + ms - performance.now())),
    /** SIGCONT. @returns what it says until it ends. */
    goesOn(): Promise<string> {
      child.kill('SIGCONT');
      return said;
    },
  };
}

test('one that has stood for longer than its lock may be held wakes, and sends nothing', async () => {
  const world = await guardWorld(servers);
  const key = await world.item();
  const setter = await stoppedSetter(world, key);
  await servers.setStage(key, 'done');
  await eventually(async () => expect(await servers.lockIsFree(key)).toBe(true)); // the database has ended its session
  expect(await world.activities.convergeDone(world.request(key))).toMatchObject({ wrote: true });
  await setter.stood(21_000);
  world.forget();
  const said = await setter.goesOn();
  expect(world.history(key)).toEqual(['Done']);
  expect(world.asked()).toEqual([]);
  expect(said).toMatch(
    new RegExp(`^Error: The evidence about ${key} is \\d+ s old, more than the 20 s within which .* by the next try$`),
  );
});

test('one that has stood for a moment only holds its lock still, and writes', async () => {
  const world = await guardWorld(servers);
  const key = await world.item();
  const setter = await stoppedSetter(world, key);
  await setter.stood(2_000);
  expect(await servers.lockIsFree(key)).toBe(false);
  expect(await setter.goesOn()).toBe('wrote deploying');
  expect(world.history(key)).toEqual(['Deploying']);
});
