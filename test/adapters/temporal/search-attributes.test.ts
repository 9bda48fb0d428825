import { temporal } from '@temporalio/proto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { namespaceFault } from '../../../adapters/temporal/namespace-fault.ts';
import {
  ensureSearchAttributes,
  missingSearchAttributes,
  SEARCH_ATTRIBUTES,
  type SearchAttributeConnection,
} from '../../../adapters/temporal/search-attributes.ts';
import { startTemporalServer, type TemporalServer } from '../../../demo/servers/temporal-server.ts';
import * as messages from '../../../workflows/messages.ts';
import { connectTemporal, type TemporalAccess } from '../../setup/temporal.ts';

let access: TemporalAccess;
beforeAll(async () => {
  access = await connectTemporal();
});
afterAll(() => access.close());

test('they are the ones that the workflows set', () => {
  const { D2dRepo, D2dWorkItem, D2dPhase, D2dVerdict } = messages;
  expect(SEARCH_ATTRIBUTES).toEqual([D2dRepo, D2dWorkItem, D2dPhase, D2dVerdict].map(({ name }) => name));
});

test('where all are registered there is nothing to do', async () => {
  expect(await ensureSearchAttributes(access.connection, 'default')).toEqual([]);
});

describe('on a server that knows only one of them', () => {
  let bare: TemporalServer;
  let connection: TemporalAccess['connection'];
  beforeAll(async () => {
    bare = await startTemporalServer({ cli: inject('temporalCli'), ui: 'off', keywords: ['D2dRepo'] });
    const { Connection } = await import('@temporalio/client');
    connection = await Connection.connect({ address: bare.address });
  });
  afterAll(async () => {
    await connection.close();
    await bare.stop();
  });

  test('the missing ones are registered and can be used at once', async () => {
    expect(await missingSearchAttributes(connection, 'default')).toEqual(['D2dWorkItem', 'D2dPhase', 'D2dVerdict']);
    expect(await ensureSearchAttributes(connection, 'default')).toEqual(['D2dWorkItem', 'D2dPhase', 'D2dVerdict']);
    const query = `D2dVerdict = 'DEGRADED' AND D2dRepo = 'shop'`;
    const { count } = await connection.workflowService.countWorkflowExecutions({ namespace: 'default', query });
    expect(Number(count)).toBe(0);
    expect(await ensureSearchAttributes(connection, 'default')).toEqual([]);
  });

  test('another type of the same name is a fault with the command that heals it', async () => {
    await connection.operatorService.removeSearchAttributes({ namespace: 'default', searchAttributes: ['D2dPhase'] });
    const { INDEXED_VALUE_TYPE_INT } = temporal.api.enums.v1.IndexedValueType;
    const searchAttributes = { D2dPhase: INDEXED_VALUE_TYPE_INT };
    await connection.operatorService.addSearchAttributes({ namespace: 'default', searchAttributes });
    await expect(ensureSearchAttributes(connection, 'default')).rejects.toThrow(
      'The search attribute D2dPhase of namespace default must be of type Keyword: remove and register anew ' +
        '(temporal operator search-attribute remove --yes --namespace default --name D2dPhase && ' +
        'temporal operator search-attribute create --namespace default --name D2dPhase --type Keyword)',
    );
  });
});

test('where we may not register, the message holds the command', async () => {
  const refused = Object.assign(new Error('7 PERMISSION_DENIED'), {
    code: 7,
    details: 'Request unauthorized.',
    metadata: {},
  });
  const connection = {
    workflowService: access.connection.workflowService,
    operatorService: {
      listSearchAttributes: async () => ({ customAttributes: { D2dRepo: 2 } }),
      addSearchAttributes: () => Promise.reject(refused),
    },
  } as unknown as SearchAttributeConnection;
  await expect(ensureSearchAttributes(connection, 'prod')).rejects.toThrow(
    'The search attributes D2dWorkItem, D2dPhase, D2dVerdict are missing in namespace prod and could not be registered (this client ' +
      'may not register them). Somebody who may has to run: temporal operator search-attribute create --namespace prod ' +
      '--name D2dWorkItem --type Keyword --name D2dPhase --type Keyword --name D2dVerdict --type Keyword',
  );
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
