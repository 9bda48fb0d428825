import { afterAll, beforeAll, expect, test } from 'vitest';
import { dataConverter } from '../../adapters/temporal/workflow-source.ts';
import { startAtOnce } from '../../bench/at-once.ts';
import { countedConnection } from '../../bench/counted-connection.ts';
import { type FreshDatabase, freshDatabase } from '../setup/database.ts';
import { connectTemporal, PatientClient, type TemporalAccess, workflowBundle } from '../setup/temporal.ts';

let access: TemporalAccess;
let fresh: FreshDatabase;
beforeAll(async () => {
  [access, fresh] = await Promise.all([connectTemporal(), freshDatabase()]);
});
afterAll(async () => {
  await access.close();
  await fresh.close();
});

/** On a busy machine an activity may be tried a second time. */
const TRIES = 2;

test('what a start asks Temporal for does not grow with the deploys that run elsewhere', async () => {
  const starts = 12;
  const { connection, asked } = countedConnection(access.connection);
  await startAtOnce({
    ...{ starts, databaseUrl: fresh.url, connection: access.nativeConnection, client: access.client },
    temporal: new PatientClient({ connection, namespace: access.namespace }),
    workflows: { workflowBundle: workflowBundle(), dataConverter: dataConverter() },
  });
  const calls = Object.values(asked.calls).reduce((sum, count) => sum + count, 0);
  expect(calls / starts).toBeLessThanOrEqual(5 * TRIES);
  expect(asked.calls).toMatchObject({ describeWorkflowExecution: expect.any(Number) });
  expect(asked.listed / starts, 'its own alone').toBeLessThanOrEqual(TRIES);
});
