import type { LookupAddress } from 'node:dns';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ConnectorOptions } from '../../../adapters/http/connector.ts';
import { withOwnConnection } from '../../../adapters/http/own-connection.ts';
import { SELF_SIGNED } from '../http-probe/self-signed.ts';
import { listen } from '../http-probe/server.ts';
import { stuckServer } from './stuck-server.ts';

const never = new AbortController().signal;

/** A name with these addresses. */
const resolvingTo =
  (...addresses: string[]): NonNullable<ConnectorOptions['lookup']> =>
  (_name, _options, callback) => {
    callback(
      null,
      addresses.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };

const statusOf = (url: string, connect: ConnectorOptions, signal = never) =>
  withOwnConnection({ connect }, signal, async (dispatcher) => {
    const { statusCode, body } = await request(url, { dispatcher });
    await body.dump();
    return statusCode;
  });

const OK: RequestListener = (_, response) => void response.end('ok');

/** A server on another loopback address, on the same port as the stuck one. */
async function alsoOn(address: string, port: number): Promise<void> {
  const server = createServer(OK);
  await new Promise<void>((resolve) => {
    server.listen(port, address, resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
}

test('a slow first address is waited for where the others refuse', async () => {
  const { port, goOn } = await stuckServer();
  const asked = statusOf(`http://shop.test:${port}`, { lookup: resolvingTo('127.0.0.1', '127.0.0.2') });
  await delay(400); // the second address was tried, and has refused
  goOn();
  expect(await asked).toBe(200);
});

test('an address that does not answer is not waited for where another one does', async () => {
  const { port } = await stuckServer();
  await alsoOn('127.0.0.2', port);
  expect(await statusOf(`http://shop.test:${port}`, { lookup: resolvingTo('127.0.0.1', '127.0.0.2') })).toBe(200);
});

test('the next address is tried at once where one refuses', async () => {
  const port = await listen(createServer(OK));
  const lookup = resolvingTo('127.0.0.3', '127.0.0.4', '127.0.0.5', '127.0.0.1');
  expect(await statusOf(`http://shop.test:${port}`, { lookup })).toBe(200);
});

test('where all refuse, the error has the code of the first, and those of all', async () => {
  const port = await listen(createServer());
  const asked = statusOf(`http://shop.test:${port}`, { lookup: resolvingTo('127.0.0.2', '127.0.0.3') });
  await expect(asked).rejects.toMatchObject({
    code: 'ECONNREFUSED',
    errors: [{ address: '127.0.0.2' }, { address: '127.0.0.3' }],
  });
});

describe('what ends it', () => {
  test('its own time, for each attempt', async () => {
    const { port } = await stuckServer();
    const asked = statusOf(`http://shop.test:${port}`, { lookup: resolvingTo('127.0.0.1'), timeoutMs: 100 });
    await expect(asked).rejects.toMatchObject({ code: 'UND_ERR_CONNECT_TIMEOUT' });
  });

  test('the signal', async () => {
    const { port } = await stuckServer();
    const abort = new AbortController();
    const asked = statusOf(
      `http://shop.test:${port}`,
      { lookup: resolvingTo('127.0.0.1'), timeoutMs: 0 },
      abort.signal,
    );
    setImmediate(() => abort.abort());
    await expect(asked).rejects.toThrow();
  });

  test('a name without an address', async () => {
    await expect(statusOf('http://shop.test', { lookup: resolvingTo() })).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });
});

test('a certificate that is wrong at one address is not hidden by another address', async () => {
  const port = await listen(createTlsServer(SELF_SIGNED, OK));
  let tried = 0;
  const other = createServer().on('connection', () => {
    tried += 1;
  });
  await new Promise<void>((resolve) => {
    other.listen(port, '127.0.0.2', resolve);
  });
  onTestFinished(() => void other.close());
  await expect(
    statusOf(`https://localhost:${port}`, { lookup: resolvingTo('127.0.0.1', '127.0.0.2') }),
  ).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  expect(tried).toBe(0);
});

describe('what throws inside a callback is the error of the connection', () => {
  const answering =
    (found: unknown): NonNullable<ConnectorOptions['lookup']> =>
    (_name, _options, callback) =>
      void setImmediate(() => Reflect.apply(callback, undefined, [null, found]));

  test.each([
    ['no list of addresses', undefined, TypeError],
    ['a list with a hole', [null], TypeError],
    ['no IP address', [{ address: 'shop', family: 4 }], /Invalid IP address/],
  ])('a resolver that gives %s', async (_, found, error) => {
    await expect(statusOf('http://shop.test', { lookup: answering(found) })).rejects.toThrow(error);
  });

  test('a resolver that throws itself', async () => {
    const lookup = (): never => {
      throw new RangeError('no such resolver');
    };
    await expect(statusOf('http://shop.test', { lookup })).rejects.toThrow('no such resolver');
  });

  test('an attempt that cannot even begin, after the first one', async () => {
    const { port } = await stuckServer();
    const lookup = answering([
      { address: '127.0.0.1', family: 4 },
      Object.defineProperty({ family: 4 }, 'address', {
        get: () => {
          throw new RangeError('no such address');
        },
      }),
    ]);
    await expect(statusOf(`http://shop.test:${port}`, { lookup })).rejects.toThrow('no such address');
  });
});
