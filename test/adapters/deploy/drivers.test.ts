import { expect, test } from 'vitest';
import { createDriverFor } from '../../../adapters/deploy/drivers.ts';
import { PATIENCE_MS } from '../../setup/patience.ts';
import { serve } from '../http-probe/server.ts';
import { observedRun, operation } from './operation.ts';

const driverFor = createDriverFor({ environment: { PATH: process.env['PATH'] } });

test('each configuration has its driver; external has none, as a signal drives it', async () => {
  const { run } = observedRun();
  const command = driverFor({
    driver: 'command',
    command: [process.execPath, '-e', 'console.log("deployed")'],
    cwd: null,
    env: {},
    timeoutMs: PATIENCE_MS,
    idempotent: false,
  });
  expect(await command?.run(operation(), run)).toEqual({ ok: true, detail: 'deployed' });

  const url = await serve((_, response) => response.end('{"status":"succeeded","detail":"hooked"}'));
  const webhook = driverFor({
    driver: 'webhook',
    url,
    headers: {},
    statusUrl: null,
    pollMs: 10,
    timeoutMs: PATIENCE_MS,
    idempotent: false,
  });
  expect(await webhook?.run(operation(), run)).toEqual({ ok: true, detail: 'hooked' });

  expect(driverFor({ driver: 'external', timeoutMs: PATIENCE_MS })).toBeNull();
});
