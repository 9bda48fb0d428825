import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Production, startProduction } from '../../demo/stack/production.ts';
import { eventually } from '../setup/eventually.ts';
import { PATIENCE_MS } from '../setup/patience.ts';

let folder: string;
let production: Production;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'd2d-production-'));
  production = await startProduction(join(folder, 'production.log'), AbortSignal.timeout(PATIENCE_MS));
});

afterAll(async () => {
  await production?.stop();
  await rm(folder, { recursive: true, force: true });
});

const health = async () => {
  const response = await fetch(new URL('/health', production.serviceUrl));
  return { status: response.status, body: await response.json() };
};

test('a deploy replaces the process of the release, and a rollback brings the one before back', async () => {
  const { pid: first } = await production.state();
  expect(await health()).toEqual({ status: 200, body: { status: 'ok', version: 'v1' } });

  const { pid: second } = await production.deploy('v2', 'one:deploy');
  expect(second).not.toBe(first);
  expect(await health()).toEqual({ status: 200, body: { status: 'ok', version: 'v2' } });
  expect(() => process.kill(first, 0), 'the old release is gone').toThrow('ESRCH');

  await production.degrade();
  expect(await health()).toEqual({ status: 503, body: { status: 'degraded', version: 'v2' } });
  expect((await fetch(new URL('/cart', production.serviceUrl))).status).toBe(500);

  await production.rollback('one:rollback');
  expect(await health()).toEqual({ status: 200, body: { status: 'ok', version: 'v1' } });
});

test('an operation happens once, however often its script runs', async () => {
  await production.rollback('one:rollback');
  const { version, operations } = await production.state();
  expect(version).toBe('v1');
  expect(operations.filter(({ kind }) => kind === 'rollback').map(({ effect }) => effect)).toEqual([
    'switched',
    'had happened already',
  ]);
});

test('a rollback is held before it changes anything', async () => {
  await production.deploy('v3', 'two:deploy');
  await production.holdRollbacks();
  const rollback = production.rollback('two:rollback');
  await eventually(async () => expect((await production.state()).heldRollbacks).toBe(1));
  expect((await production.state()).version).toBe('v3');
  await production.releaseRollbacks();
  expect((await rollback).version).toBe('v1');
});

test('one health answer is held for good, the next ones are not', async () => {
  await production.holdNextHealth();
  const abort = new AbortController();
  const asked = fetch(new URL('/health', production.serviceUrl), { signal: abort.signal });
  await eventually(async () => expect((await production.state()).heldHealthAnswers).toBe(1));
  setTimeout(() => abort.abort(), 300);
  await expect(asked).rejects.toMatchObject({ name: 'AbortError' });
  expect((await health()).status).toBe(200);
});

test('what is no command is refused, and the log says what runs', async () => {
  const response = await fetch(new URL('/reboot', production.controlUrl), { method: 'POST' });
  expect(response.status).toBe(500);
  expect(await response.json()).toEqual({ error: 'POST /reboot is no command of this host' });
  expect(await readFile(join(folder, 'production.log'), 'utf8')).toContain('production runs v1');
});
