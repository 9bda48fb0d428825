import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { provideTimeSkippingServer } from '../../../demo/servers/time-skipping-server.ts';
import { createTimeSkipping } from '../../setup/time-skipping.ts';
import { type FakeMachine, fakeMachine } from './fake-machine.ts';

describe('provisioning', () => {
  let machine: FakeMachine;
  afterEach(() => machine.close());

  const MVN = 'PATH=/usr/bin:/bin; echo "$*" >> "$HOME/mvn.log"; mkdir lib';

  test('where the download is not reachable Maven fetches the Java server, once', async () => {
    machine = await fakeMachine({ java: '', mvn: MVN });
    const path = await provideTimeSkippingServer(machine);
    expect(path).toBe(join(machine.cache, 'time-skipping-server-1.31.0', 'run'));
    expect(await provideTimeSkippingServer(machine)).toBe(path);
    expect((await readFile(machine.path('mvn.log'), 'utf8')).split('\n')).toHaveLength(2);
    expect((await readdir(join(path, '..'))).sort()).toEqual(['lib', 'pom.xml', 'run']);
  });

  test.each([
    { tools: {}, missing: 'java and mvn' },
    { tools: { java: '' }, missing: 'mvn' },
    { tools: { mvn: MVN }, missing: 'java' },
  ])('$missing is missing: said', async ({ tools, missing }) => {
    machine = await fakeMachine(tools);
    await expect(provideTimeSkippingServer(machine)).rejects.toThrow(
      `No time-skipping test server: the Temporal SDK's download is not reachable from here, and to run the Java one ${missing} ` +
        `must be on the PATH. Install Java and Maven, or let this machine reach the download.`,
    );
  });

  test('Maven that fails says why and leaves nothing behind', async () => {
    machine = await fakeMachine({ java: '', mvn: 'echo "Could not resolve"; exit 1' });
    await expect(provideTimeSkippingServer(machine)).rejects.toThrow(/mvn ended with exit code 1:\nCould not resolve/);
    expect(await readdir(machine.cache)).toEqual([]);
  });
});

test('the one of this run skips time', async () => {
  const server = await createTimeSkipping();
  try {
    const before = await server.currentTimeMs();
    await server.sleep('15 minutes');
    expect((await server.currentTimeMs()) - before).toBeGreaterThanOrEqual(15 * 60_000);
  } finally {
    await server.teardown();
  }
});
