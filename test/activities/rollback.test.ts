import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRollback, LOOKS_UP, type RollbackDeps } from '../../activities/rollback.ts';
import { type DeployDriver, DeployOutcomeUnknown, type DriverConfig } from '../../adapters/deploy/driver.ts';
import { createDriverFor } from '../../adapters/deploy/drivers.ts';
import { activityEnvironment, inActivity } from '../adapters/deploy/in-activity.ts';
import { recordingLog } from '../adapters/deploy/operation.ts';
import { holdTime } from '../setup/hold-time.ts';
import { PATIENCE_MS } from '../setup/patience.ts';

const request = { repo: 'shop', workItem: 'ORCH-61', version: 'v2', operationId: `${randomUUID()}:rollback` };

const config = (script: string, idempotent = false): DriverConfig => ({
  driver: 'command',
  command: [process.execPath, '-e', script],
  cwd: null,
  env: {},
  timeoutMs: PATIENCE_MS,
  idempotent,
});

function activity(
  change: Partial<RollbackDeps> & { rollback?: DriverConfig | null; selfHosting?: boolean; name?: string },
) {
  const { rollback: driver = null, selfHosting = false, name = 'shop', ...deps } = change;
  const log = recordingLog();
  const { rollback } = createRollback({
    repository: () => ({ name, selfHosting, rollback: driver }),
    driverFor: createDriverFor({ environment: { PATH: process.env['PATH'] } }),
    previousVersion: async () => 'v1',
    selfHostingRepo: 'orchestrator',
    log,
    ...deps,
  });
  return { rollback, log };
}

const run = (rollback: ReturnType<typeof activity>['rollback'], change: Partial<typeof request> = {}) =>
  inActivity(() => rollback({ ...request, ...change }));

test('a rollback runs by the rollback driver, and says so to it', async () => {
  const { rollback } = activity({
    rollback: config('const e = process.env; console.log(e.D2D_OPERATION, e.D2D_VERSION, e.D2D_PREVIOUS_VERSION)'),
  });
  expect(await run(rollback)).toMatchObject({ ok: true, detail: 'rollback v2 v1', to: null });
});

test('it has ended no earlier than Temporal says that it began, whatever the clock of its worker', async () => {
  const { rollback } = activity({ rollback: config('') });
  const currentAttemptScheduledTimestampMs = Date.now() + 90_000;
  const ahead = activityEnvironment(1, { currentAttemptScheduledTimestampMs });
  expect((await inActivity(() => rollback(request), ahead)).at).toBeGreaterThan(currentAttemptScheduledTimestampMs);
  const now = Date.now();
  expect((await run(rollback)).at).toBeGreaterThanOrEqual(now);
});

const away = () => Promise.reject(new Error('Temporal is away'));

/** Time passes between the look-ups alone. */
function waiting() {
  const time = holdTime();
  const environment = activityEnvironment();
  environment.on('heartbeat', (how) => void (how === LOOKS_UP && setImmediate(() => time.pass(5_000))));
  return environment;
}

test('a rollback does not fail for want of the version before where it can do without', async () => {
  const { rollback, log } = activity({
    rollback: config('console.log(JSON.stringify(process.env.D2D_PREVIOUS_VERSION))'),
    previousVersion: away,
  });
  expect(await inActivity(() => rollback(request), waiting())).toMatchObject({ ok: true, detail: '""' });
  expect(log.entries[0]).toMatchObject({ level: 'warn', message: 'the version before could not be looked up' });
});

test('one that is told the version before waits some seconds for it, and says why it has none', async () => {
  let asked = 0;
  const slow = () => (++asked < 3 ? away() : Promise.resolve('v1'));
  const driver: DriverConfig = {
    ...config(''),
    command: [process.execPath, '-p', 'process.argv[1]', '{previousVersion}'],
  } as DriverConfig;
  expect(
    await inActivity(() => activity({ rollback: driver, previousVersion: slow }).rollback(request), waiting()),
  ).toMatchObject({ ok: true, detail: 'v1', to: 'v1' });
  expect(
    await inActivity(() => activity({ rollback: driver, previousVersion: away }).rollback(request), waiting()),
  ).toMatchObject({
    ok: false,
    detail: 'nothing was rolled back: the version before could not be looked up: Temporal is away',
  });
});

test('a rollback that fails is a result', async () => {
  const { rollback, log } = activity({ rollback: config('process.exitCode = 1') });
  expect(await run(rollback)).toMatchObject({ ok: false, detail: 'the command ended with code 1; it wrote nothing' });
  expect(log.entries.at(-1)).toMatchObject({ level: 'warn', message: 'rollback failed' });
});

test('a rollback that somebody else ended is unknown, not failed', async () => {
  const { rollback } = activity({ rollback: config(`process.kill(process.pid, 'SIGKILL')`) });
  expect(await run(rollback)).toMatchObject({
    ok: false,
    unknown: true,
    detail: 'the command ended by SIGKILL, not by this worker: nobody knows how far it came; it wrote nothing',
  });
});

const REFUSAL = /^refused: .* is the orchestrator's own repository, which is never rolled back \(BR-5\)$/;

test.each([
  ['the description says so', {}, { selfHosting: true }],
  ['it is named', { repo: 'orchestrator' }, {}],
  ['it is named in another spelling', { repo: ' Orchestrator ' }, {}],
  ['the description names it', {}, { name: 'ORCHESTRATOR' }],
])('BR-5: the self-hosting repository is never rolled back: %s', async (_, asked, described) => {
  let ran = 0;
  const { rollback, log } = activity({
    rollback: config(''),
    driverFor: () => {
      ran += 1;
      return null;
    },
    ...described,
  });
  expect(await run(rollback, asked)).toMatchObject({ ok: false, detail: expect.stringMatching(REFUSAL) });
  expect(ran).toBe(0);
  expect(log.entries).toMatchObject([{ level: 'error' }]);
});

test('without a rollback driver nothing is rolled back, and another worker may have one', async () => {
  const nothing = {
    type: 'NotDescribedHere',
    message: 'nothing was rolled back: repository "shop" has no rollback driver in the settings',
  };
  const changes = [
    { rollback: null },
    { repository: () => undefined },
    { rollback: { driver: 'external', timeoutMs: 1 } as const },
  ];
  for (const change of changes) await expect(run(activity(change).rollback)).rejects.toMatchObject(nothing);
});

const unknown: DeployDriver = { run: () => Promise.reject(new DeployOutcomeUnknown('nobody knows')) };

test('a rollback of which nobody knows is tried again only where that does no harm', async () => {
  const once = activity({ rollback: config('', false), driverFor: () => unknown });
  expect(await run(once.rollback)).toMatchObject({ ok: false, unknown: true, detail: 'nobody knows', to: null });
  const again = activity({ rollback: config('', true), driverFor: () => unknown });
  await expect(run(again.rollback)).rejects.toMatchObject({ type: 'DeployInterrupted', nonRetryable: false });
});

test('the version after a rollback is the one that the deployer names', async () => {
  const named: DeployDriver = { run: async () => ({ ok: true, detail: 'up', version: 'v0' }) };
  const { rollback } = activity({ rollback: config(''), driverFor: () => named });
  expect(await run(rollback)).toMatchObject({ to: 'v0' });
});

test.each([
  ['a command that may choose', config(''), null],
  ['a command that is told', { ...config(''), command: [process.execPath, '-e', '', '{previousVersion}'] }, 'v1'],
  ['a webhook with our own body', { driver: 'webhook', url: 'http://ci/', headers: {} }, 'v1'],
  [
    'a webhook with a body of its own',
    { driver: 'webhook', url: 'http://ci/', headers: {}, body: { undo: true } },
    null,
  ],
])('the version after a rollback is the one before only where the driver goes there: %s', async (_, rollback, to) => {
  const repeats: DeployDriver = { run: async () => ({ ok: true, detail: 'up', version: 'v2' }) };
  const its = activity({ rollback: rollback as DriverConfig, driverFor: () => repeats });
  expect(await run(its.rollback)).toMatchObject({ ok: true, to });
});

test('a later try that has no driver says nothing of the earlier ones', async () => {
  const { rollback } = activity({ rollback: null });
  expect(await inActivity(() => rollback(request), activityEnvironment(2))).toMatchObject({
    ok: false,
    unknown: true,
    detail: expect.stringContaining('nobody knows whether the rollback has happened: an earlier try may have begun it'),
  });
});

const until: DeployDriver = {
  run: (_, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    }),
};

test.each(['WORKER_SHUTDOWN', 'CANCELLED'] as const)(
  'a rollback that is stopped half-way says so: %s',
  async (reason) => {
    const { rollback } = activity({ rollback: config(''), driverFor: () => until });
    const environment = activityEnvironment();
    const running = inActivity(() => rollback(request), environment);
    environment.cancel(reason);
    await expect(running).rejects.toMatchObject(
      reason === 'CANCELLED' ? { name: 'CancelledFailure' } : { type: 'DeployInterrupted', nonRetryable: true },
    );
  },
);

test('never raises, whatever is broken', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('repository', 'driverFor', 'run throws', 'run rejects'),
      fc.anything(),
      async (broken, thrown) => {
        const fail = (): never => {
          throw thrown;
        };
        const driver: DeployDriver = { run: broken === 'run throws' ? fail : () => Promise.reject(thrown) };
        const { rollback } = activity({
          rollback: config('', true),
          driverFor: broken === 'driverFor' ? fail : () => driver,
          ...(broken === 'repository' ? { repository: fail } : {}),
        });
        const result = await run(rollback);
        expect(result.ok).toBe(false);
        expect(typeof result.detail).toBe('string');
      },
    ),
    { numRuns: 200 },
  );
});
