import { Connection } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { namespaceFault } from '../../../adapters/temporal/namespace-fault.ts';
import {
  ensureSearchAttributes,
  missingSearchAttributes,
  SEARCH_ATTRIBUTES,
  type SearchAttributeConnection,
} from '../../../adapters/temporal/search-attributes.ts';
import { startTemporalServer, type TemporalServer } from '../../../demo/servers/temporal-server.ts';
import * as messages from '../../../workflows/messages.ts';
import { eventually } from '../../setup/eventually.ts';
import { PATIENCE_MS } from '../../setup/patience.ts';
import { connectTemporal, type TemporalAccess } from '../../setup/temporal.ts';

let access: TemporalAccess;
beforeAll(async () => {
  access = await connectTemporal();
});
afterAll(() => access.close());

test('they are the ones that the workflows set', () => {
  const { D2dRepo, D2dWorkItem, D2dPhase, D2dVerdict, D2dOutcome, D2dVersion } = messages;
  const all = [D2dRepo, D2dWorkItem, D2dPhase, D2dVerdict, D2dOutcome, D2dVersion];
  expect(SEARCH_ATTRIBUTES).toEqual(all.map(({ name }) => name));
});

test('where all are registered there is nothing to do, and the API of the operator is not asked', async () => {
  const forbidden = () => Promise.reject(new Error('not for workers'));
  const connection = {
    workflowService: access.connection.workflowService,
    operatorService: { listSearchAttributes: forbidden, addSearchAttributes: forbidden },
  } as unknown as SearchAttributeConnection;
  expect(await ensureSearchAttributes(connection, 'default')).toEqual([]);
});

describe('on a server that has all the attributes it may have', () => {
  test('the message says what makes room', async () => {
    const keywords = Array.from({ length: 10 }, (_, index) => `Taken${index}`);
    const full = await startTemporalServer({ cli: inject('temporalCli'), ui: 'off', keywords });
    onTestFinished(() => full.stop());
    const connection = await Connection.connect({ address: full.address, connectTimeout: PATIENCE_MS });
    onTestFinished(() => connection.close());
    await expect(ensureSearchAttributes(connection, 'default')).rejects.toThrow(
      /cannot be added: namespace .* has reached its limit \(.*cannot have more than 10 search attribute.*\). An administrator must remove/,
    );
  });
});

describe('on a server that knows only one of them', () => {
  let bare: TemporalServer;
  let connection: TemporalAccess['connection'];
  beforeAll(async () => {
    bare = await startTemporalServer({ cli: inject('temporalCli'), ui: 'off', keywords: ['D2dRepo'] });
    connection = await Connection.connect({ address: bare.address, connectTimeout: PATIENCE_MS });
  });
  afterAll(async () => {
    await connection.close();
    await bare.stop();
  });

  test('the missing ones are registered and can be used at once', async () => {
    const missing = SEARCH_ATTRIBUTES.filter((name) => name !== 'D2dRepo');
    expect(await missingSearchAttributes(connection, 'default')).toEqual(missing);
    expect(await ensureSearchAttributes(connection, 'default')).toEqual(missing);
    const query = `D2dVerdict = 'DEGRADED' AND D2dRepo = 'shop'`;
    const { count } = await connection.workflowService.countWorkflowExecutions({ namespace: 'default', query });
    expect(Number(count)).toBe(0);
    expect(await ensureSearchAttributes(connection, 'default')).toEqual([]);
  });

  test.each(['DATETIME', 'TEXT'] as const)(
    'another type of the same name is a fault with the command that heals it: %s',
    async (type) => {
      await connection.operatorService.removeSearchAttributes({ namespace: 'default', searchAttributes: ['D2dPhase'] });
      const searchAttributes = { D2dPhase: temporal.api.enums.v1.IndexedValueType[`INDEXED_VALUE_TYPE_${type}`] };
      await connection.operatorService.addSearchAttributes({ namespace: 'default', searchAttributes });
      // The server goes on with what it knew for some seconds.
      await eventually(async () => {
        await expect(ensureSearchAttributes(connection, 'default')).rejects.toThrow(
          'The search attribute D2dPhase of namespace default must be of type Keyword: remove and register anew ' +
            '(temporal operator search-attribute remove --yes --namespace default --name D2dPhase && ' +
            'temporal operator search-attribute create --namespace default --name D2dPhase --type Keyword)',
        );
      });
    },
  );
});

test('where we may not register, the message holds the command', async () => {
  const refused = Object.assign(new Error('7 PERMISSION_DENIED'), {
    code: 7,
    details: 'Request unauthorized.',
    metadata: {},
  });
  const unknown = Object.assign(new Error('3 INVALID_ARGUMENT'), {
    code: 3,
    details: 'invalid query: column name is not defined',
    metadata: {},
  });
  const missing = 'D2dWorkItem, D2dPhase, D2dVerdict, D2dOutcome, D2dVersion';
  const all = `D2dRepo, ${missing}`;
  for (const [listSearchAttributes, names] of [
    [async () => ({ customAttributes: { D2dRepo: 2 } }), missing],
    [() => Promise.reject(refused), all],
  ] as const) {
    const connection = {
      workflowService: { countWorkflowExecutions: () => Promise.reject(unknown) },
      operatorService: { listSearchAttributes, addSearchAttributes: () => Promise.reject(refused) },
    } as unknown as SearchAttributeConnection;
    const told = names.split(', ');
    await expect(ensureSearchAttributes(connection, 'prod')).rejects.toThrow(
      `The search attributes ${names} are missing in namespace prod and could not be registered (this client may not register ` +
        `them). An administrator must run: temporal operator search-attribute create --namespace prod ` +
        `${told.map((name) => `--name ${name} --type Keyword`).join(' ')}; in Temporal Cloud: tcld namespace search-attributes add ` +
        `--namespace prod ${told.map((name) => `--search-attribute "${name}=Keyword"`).join(' ')}`,
    );
  }
});

describe('namespaceFault', () => {
  test('a namespace that is there', async () => {
    expect(await namespaceFault(access.connection, 'default')).toBeNull();
  });

  test('one that is not', async () => {
    expect(await namespaceFault(access.connection, 'nowhere')).toBe(
      'The Temporal namespace nowhere does not exist: correct TEMPORAL_NAMESPACE, or create it ' +
        '(temporal operator namespace create --namespace nowhere).',
    );
  });
});
