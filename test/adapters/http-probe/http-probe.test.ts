import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import { constants, createSecureServer as createHttp2Server } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { MAX_BODY_BYTES } from '../../../adapters/http-probe/ask.ts';
import { createHttpProbe, type HttpProbeConfig } from '../../../adapters/http-probe/http-probe.ts';
import { type HeldTime, holdTime } from '../../setup/hold-time.ts';
import { SELF_SIGNED } from './self-signed.ts';
import { listen, refusingUrl, serve, serveTcp } from './server.ts';

let time: HeldTime;
beforeEach(() => {
  time = holdTime();
});

const config = (url: string, change: Partial<HttpProbeConfig> = {}): HttpProbeConfig => ({
  url,
  expectStatus: [],
  expectJson: {},
  timeoutMs: 2_000,
  headers: {},
  ...change,
});

const never = new AbortController().signal;
const http = createHttpProbe();
const look = (url: string, change: Partial<HttpProbeConfig> = {}) => http.health(config(url, change), never);

const answering = (status: number, body = '', headers: Record<string, string> = {}) =>
  serve((_, response) => {
    response.writeHead(status, headers).end(body);
  });

test.each([200, 204, 299])('any 2xx passes where no status is expected: %i', async (status) => {
  expect(await look(await answering(status))).toEqual({ health: 'pass' });
});

test.each([400, 401, 404, 500, 503])('an unexpected status is a failure: %i', async (status) => {
  expect(await look(await answering(status))).toEqual({
    health: 'fail',
    detail: `answered ${status}, expected any 2xx`,
  });
});

test('only the expected statuses pass', async () => {
  const url = await answering(404);
  expect(await look(url, { expectStatus: [404, 410] })).toEqual({ health: 'pass' });
  expect(await look(url, { expectStatus: [200] })).toEqual({ health: 'fail', detail: 'answered 404, expected 200' });
});

test('a redirect is a failure and is not followed', async () => {
  let followed = 0;
  const target = await serve((_, response) => {
    followed += 1;
    response.end();
  });
  expect(await look(await answering(302, '', { location: target }))).toEqual({
    health: 'fail',
    detail: 'answered 302 (a redirect, which is not followed), expected any 2xx',
  });
  expect(followed).toBe(0);
});

test('429 to our own probing is unknown, unless it is expected', async () => {
  const url = await answering(429);
  expect((await look(url)).health).toBe('unknown');
  expect((await look(url, { expectStatus: [429] })).health).toBe('pass');
});

test('no answer in time is a failure', async () => {
  const url = await serveTcp(() => time.pass(100));
  expect(await look(url, { timeoutMs: 100 })).toEqual({ health: 'fail', detail: 'no answer within 100 ms' });
});

/** Calls whenever the headers of an answer have arrived, once whoever asked knows of them. */
function onHeaders(call: () => void): void {
  const heard = (): void => void turn().then(call);
  subscribe('undici:request:headers', heard);
  onTestFinished(() => void unsubscribe('undici:request:headers', heard));
}

test('an answer that comes in part only is a failure, whether or not its body is read', async () => {
  const url = await serveTcp((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"status":');
  });
  onHeaders(() => time.pass(200));
  const failed = { health: 'fail', detail: 'no whole answer within 200 ms' };
  expect(await look(url, { timeoutMs: 200, expectJson: { '/status': 'ok' } })).toEqual(failed);
  expect(await look(url, { timeoutMs: 200 })).toEqual(failed);
  expect(await look(url, { timeoutMs: 200, expectStatus: [503] })).toMatchObject({
    detail: 'answered 200, expected 503',
  });
});

describe('a body that breaks off after its headers', () => {
  const HALF = 'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n<html>half';
  const CHUNKS = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n';

  test.each([
    ['reset', HALF, (socket: Socket) => socket.resetAndDestroy()],
    ['closed', HALF, (socket: Socket) => socket.end()],
    ['closed as announced', HALF.replace('\r\n', '\r\nConnection: close\r\n'), (socket: Socket) => socket.end()],
    ['closed before the last chunk', CHUNKS, (socket: Socket) => socket.end()],
    ['followed by what is no chunk', `${CHUNKS}zz\r\n`, (socket: Socket) => socket.end()],
  ])('is a failure of an answer that would pass: %s', async (_, answer, breakOff) => {
    const url = await serveTcp((socket) =>
      socket.once('data', () => socket.write(answer, () => setImmediate(() => breakOff(socket)))),
    );
    expect(await look(url)).toEqual({ health: 'fail', detail: expect.stringMatching(/^the answer broke off: /) });
    expect(await http.traffic(url, never)).toMatchObject({ requests: 1, errors5xx: 1 });
  });

  test('is a failed request where it does not end in time', async () => {
    const url = await serveTcp((socket) => socket.write(HALF));
    onHeaders(() => time.pass(2_000));
    const detail = 'no whole answer within 2000 ms';
    expect(await http.traffic(url, never)).toEqual({ requests: 1, errors5xx: 1, detail });
  });

  test('is none where it is longer than what is read', async () => {
    const url = await answering(200, 'x'.repeat(4 * MAX_BODY_BYTES));
    expect(await look(url)).toEqual({ health: 'pass' });
    expect(await http.traffic(url, never)).toEqual({ requests: 1, errors5xx: 0 });
  });
});

test('a refused connection is a failure', async () => {
  expect(await look(await refusingUrl())).toEqual({
    health: 'fail',
    detail: 'the connection was refused (ECONNREFUSED)',
  });
});

test('a reset and a closed connection are failures', async () => {
  const reset = await serveTcp((socket) => socket.once('data', () => socket.resetAndDestroy()));
  expect(await look(reset)).toEqual({ health: 'fail', detail: 'the connection was reset (ECONNRESET)' });
  const closed = await serveTcp((socket) => socket.once('data', () => socket.end()));
  expect(await look(closed)).toMatchObject({ health: 'fail' });
});

test('what is no HTTP is a failure', async () => {
  const url = await serveTcp((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
  expect(await look(url)).toMatchObject({ health: 'fail' });
});

test('a certificate that is not trusted is a failure', async () => {
  const port = await listen(createTlsServer(SELF_SIGNED, (_, response) => response.end()));
  expect(await look(`https://localhost:${port}`)).toEqual({
    health: 'fail',
    detail: 'TLS failed (DEPTH_ZERO_SELF_SIGNED_CERT)',
  });
});

test('a server without TLS behind an https URL is a failure', async () => {
  const url = await answering(200);
  expect(await look(url.replace('http:', 'https:'))).toMatchObject({ health: 'fail' });
});

const resolving = (code: string) =>
  createHttpProbe({ lookup: (_, __, callback) => callback(Object.assign(new Error(code), { code }), '') });

test('a name that does not exist is a failure, one that cannot be resolved just now is ours', async () => {
  expect(await resolving('ENOTFOUND').health(config('http://shop.example'), never)).toEqual({
    health: 'fail',
    detail: 'the name does not exist (ENOTFOUND)',
  });
  expect(await resolving('EAI_AGAIN').health(config('http://shop.example'), never)).toEqual({
    health: 'unknown',
    detail: 'the name cannot be resolved just now (EAI_AGAIN)',
  });
});

test('a resolver that does not answer is ours', async () => {
  const silent = createHttpProbe({ lookup: () => time.pass(50) });
  expect(await silent.health(config('http://shop.example', { timeoutMs: 50 }), never)).toEqual({
    health: 'unknown',
    detail: 'the name was not resolved within 50 ms',
  });
});

test.each([
  ['a URL that is none', 'shop', {}],
  ['a scheme that is not asked', 'ftp://127.0.0.1/', {}],
  ['a time-out that is none', 'http://127.0.0.1/', { timeoutMs: Number.NaN }],
  ['a header that is not valid', 'http://127.0.0.1/', { headers: { 'x y': 'z' } }],
])('a bad configuration is ours: %s', async (_, url, change) => {
  expect(await look(url, change)).toMatchObject({ health: 'unknown' });
});

test('an aborted probe is unknown, before it begins and half-way', async () => {
  const abort = new AbortController();
  const url = await serve(() => abort.abort());
  expect(await http.health(config(url), abort.signal)).toEqual({ health: 'unknown', detail: 'the probe was aborted' });
  expect(await http.health(config(url), abort.signal)).toEqual({ health: 'unknown', detail: 'the probe was aborted' });
});

test('a time-out that fires far too late says that the worker stood still, not production', async () => {
  vi.useRealTimers();
  const url = await serveTcp(() => {});
  const looking = look(url, { timeoutMs: 50 });
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
  expect(await looking).toEqual({ health: 'unknown', detail: 'this worker stood still while it waited' });
});

const JSON_BODY = '{"status":"ok","checks":{"a/b":[1,{"up":true}]},"gone":null}';

test('what is expected in JSON is found by its pointer', async () => {
  const url = await answering(200, JSON_BODY);
  expect(await look(url, { expectJson: { '/status': 'ok', '/checks/a~1b/1/up': true, '/gone': null } })).toEqual({
    health: 'pass',
  });
});

test.each([
  [{ '/status': 'up' }, '/status is "ok", expected "up"'],
  [{ '/checks/c': true }, '/checks/c is nothing, expected true'],
  [{ '/checks': 'ok' }, '/checks is no single value, expected "ok"'],
  [{ '/toString': 'ok' }, '/toString is nothing, expected "ok"'],
  [{ '/checks/a~1b/length': 2 }, '/checks/a~1b/length is nothing, expected 2'],
])('JSON that says something else is a failure: %j', async (expectJson, detail) => {
  expect(await look(await answering(200, JSON_BODY), { expectJson })).toEqual({ health: 'fail', detail });
});

test.each(['', 'ok', '<html>maintenance</html>', `<html>${'x'.repeat(MAX_BODY_BYTES)}</html>`])(
  'what is no JSON is a failure where JSON is expected',
  async (body) => {
    expect(await look(await answering(200, body), { expectJson: { '/status': 'ok' } })).toEqual({
      health: 'fail',
      detail: 'the answer is not JSON',
    });
  },
);

test('JSON that is too long for our own cap is unknown', async () => {
  const url = await answering(200, JSON.stringify({ status: 'ok', more: 'x'.repeat(MAX_BODY_BYTES) }));
  expect(await look(url, { expectJson: { '/status': 'ok' } })).toMatchObject({ health: 'unknown' });
});

test('a secret that an answer repeats is masked in the reason', async () => {
  const { health } = createHttpProbe({ secrets: ['t0psecret-value-that-is-longer-than-what-is-shown'] });
  const url = await serve((request, response) => response.end(JSON.stringify({ token: request.headers['x-token'] })));
  const headers = { 'x-token': 't0psecret-value-that-is-longer-than-what-is-shown' };
  expect(await health(config(url, { headers, expectJson: { '/token': 'none' } }), never)).toEqual({
    health: 'fail',
    detail: '/token is "***", expected "none"',
  });
});

test('configured headers are sent, and no connection outlives its request', async () => {
  const tokens: unknown[] = [];
  let connections = 0;
  const url = await serve((request, response) => {
    tokens.push(request.headers['x-token']);
    connections += request.headers.connection === 'close' ? 1 : 0;
    response.end();
  });
  await look(url, { headers: { 'X-Token': 'abc' } });
  await look(url, { headers: { 'X-Token': 'abc' } });
  expect(tokens).toEqual(['abc', 'abc']);
  expect(connections).toBe(2);
});

test('a detail is one line of at most 160 characters and never shows the URL', async () => {
  const url = `${await answering(200, JSON_BODY)}/?token=secret`;
  const { detail = '' } = await look(url, { expectJson: { [`/${'long\n'.repeat(100)}`]: 'ok' } });
  expect(detail).toHaveLength(160);
  expect(detail).not.toMatch(/\n|secret/);
});

test.each([
  [200, { requests: 1, errors5xx: 0 }],
  [302, { requests: 1, errors5xx: 0 }],
  [404, { requests: 1, errors5xx: 0 }],
  [500, { requests: 1, errors5xx: 1 }],
  [503, { requests: 1, errors5xx: 1 }],
  [429, { requests: 0, errors5xx: 0 }],
])('traffic: an answer %i counts as %j', async (status, seen) => {
  expect(await http.traffic(await answering(status), never)).toMatchObject(seen);
});

describe('traffic that gets no answer', () => {
  const failed = (detail: string) => ({ requests: 1, errors5xx: 1, detail });

  test('is a failed request where production refuses, resets or closes the connection', async () => {
    expect(await http.traffic(await refusingUrl(), never)).toEqual(failed('the connection was refused (ECONNREFUSED)'));
    const reset = await serveTcp((socket) => socket.once('data', () => socket.resetAndDestroy()));
    expect(await http.traffic(reset, never)).toEqual(failed('the connection was reset (ECONNRESET)'));
    const closed = await serveTcp((socket) => socket.once('data', () => socket.end()));
    expect(await http.traffic(closed, never)).toMatchObject({ requests: 1, errors5xx: 1 });
  });

  test('is a failed request where production does not answer in time', async () => {
    const silent = await serveTcp(() => time.pass(2_000));
    expect(await http.traffic(silent, never)).toEqual(failed('no answer within 2000 ms'));
  });

  test('is a failed request where the name does not exist, or TLS fails', async () => {
    expect(await resolving('ENOTFOUND').traffic('http://shop.example', never)).toMatchObject({ errors5xx: 1 });
    const port = await listen(createTlsServer(SELF_SIGNED, (_, response) => response.end()));
    expect(await http.traffic(`https://localhost:${port}`, never)).toMatchObject({ requests: 1, errors5xx: 1 });
  });

  test('counts nothing where it is ours', async () => {
    const nothing = { requests: 0, errors5xx: 0 };
    expect(await http.traffic('nonsense', never)).toEqual({ ...nothing, detail: 'its URL is not valid' });
    expect(await resolving('EAI_AGAIN').traffic('http://shop.example', never)).toMatchObject(nothing);
    expect(await http.traffic(await answering(200), AbortSignal.abort())).toMatchObject(nothing);
  });

  test('is told by its status where that is a failure and the body breaks off', async () => {
    const broken = await serveTcp((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 500 Oops\r\ncontent-length: 100\r\n\r\nx'));
    });
    expect(await http.traffic(broken, never)).toEqual(failed('answered 500'));
  });
});

describe('an answer that only this worker cannot read', () => {
  const OK = 'HTTP/1.1 200 OK\r\n';
  const BODY = 'Content-Length: 2\r\n\r\nok';
  const raw = (answer: string) => serveTcp((socket) => socket.once('data', () => socket.end(answer, 'latin1')));

  // curl accepts each of these answers.
  test.each([
    ['a status line of HTTP/2', `HTTP/2 200 OK\r\n${BODY}`],
    ['line ends without CR', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'],
    ['a header name with a blank', `${OK}Bad Header: x\r\n${BODY}`],
    ['a blank before a colon', `${OK}X-A : x\r\n${BODY}`],
    ['a header without a name', `${OK}: x\r\n${BODY}`],
    ['a folded header', `${OK}X-A: x\r\n  more\r\n${BODY}`],
    ['a control character in a header', `${OK}X-A: \x01x\r\n${BODY}`],
    ['two equal lengths', `${OK}Content-Length: 2\r\n${BODY}`],
    ['a length beside chunks', `${OK}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`],
    ['a blank after the size of a chunk', `${OK}Transfer-Encoding: chunked\r\n\r\n2 \r\nok\r\n0\r\n\r\n`],
    ['chunks beside a length', `${OK}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n`],
    ['an interim answer that nobody asked for', `HTTP/1.1 100 Continue\r\n\r\n${OK}${BODY}`],
    ['headers of 70 000 bytes', `${OK}X-A: ${'x'.repeat(70_000)}\r\n${BODY}`],
  ])('is unknown, and says why: %s', async (_, answer) => {
    const seen = await look(await raw(answer));
    expect(seen).toEqual({ health: 'unknown', detail: expect.not.stringContaining('undefined') });
    expect(await http.traffic(await raw(answer), never)).toMatchObject({ requests: 0, errors5xx: 0 });
  });

  // curl accepts none of these.
  test.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['a page without a status line', '<html>hi</html>'],
    ['a version that does not exist', `HTTP/9.9 200 OK\r\n${BODY}`],
    ['a status that is no number', `HTTP/1.1 abc OK\r\n${BODY}`],
    ['a length that is no number', `${OK}Content-Length: abc\r\n\r\nok`],
    ['a header without a colon', `${OK}garbage\r\n${BODY}`],
    ['a NUL in a header', `${OK}X-A: a\0b\r\n${BODY}`],
    ['a NUL in the name of a header', `${OK}X\0A: a\r\n${BODY}`],
    ['a length that is empty', `${OK}Content-Length: \r\n\r\nok`],
  ])('is a failure where it is no HTTP: %s', async (_, answer) => {
    expect(await look(await raw(answer))).toEqual({
      health: 'fail',
      detail: expect.stringMatching(/^the answer is not HTTP \((?!undefined)/),
    });
  });

  test('is not one with headers of 60 000 bytes', async () => {
    expect(await look(await raw(`${OK}X-A: ${'x'.repeat(60_000)}\r\n${BODY}`))).toEqual({ health: 'pass' });
  });

  test('is not one with a byte order mark, or a coding of those that it asks for', async () => {
    const asked: unknown[] = [];
    const url = await serve(({ headers }, response) => {
      asked.push(headers['accept-encoding']);
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('\ufeff{"status":"ok"}'));
    });
    expect(await look(url, { expectJson: { '/status': 'ok' } })).toEqual({ health: 'pass' });
    expect(asked).toEqual(['gzip, deflate, br, zstd']);
  });

  test('is unknown in a coding that it did not ask for, and a failure where the coding is not what it says', async () => {
    const coded = (coding: string) => answering(200, '{"status":"ok"}', { 'content-encoding': coding });
    expect(await look(await coded('compress'), { expectJson: { '/status': 'ok' } })).toEqual({
      health: 'unknown',
      detail: 'the answer cannot be read: its coding "compress" is not one that is read here',
    });
    expect(await look(await coded('gzip'), { expectJson: { '/status': 'ok' } })).toMatchObject({ health: 'fail' });
    expect(await look(await coded('gzip'))).toEqual({ health: 'pass' }); // the status is all that is asked for
  });

  test.each([
    [
      'is in another coding',
      (response: ServerResponse) => response.writeHead(401, { 'content-encoding': 'compress' }).end('x'),
    ],
    [
      'is not in its coding',
      (response: ServerResponse) => response.writeHead(401, { 'content-encoding': 'gzip' }).end('x'),
    ],
    ['is too long', (response: ServerResponse) => response.writeHead(401).end('x'.repeat(100_000))],
    [
      'breaks off',
      (response: ServerResponse) =>
        response.writeHead(401, { 'content-length': 9 }).write('x', () => response.destroy()),
    ],
  ])('is told by its status where the status is not the expected one: its body %s', async (_, answer) => {
    const url = await serve((_request, response) => void answer(response));
    expect(await look(url, { expectJson: { '/status': 'ok' } })).toEqual({
      health: 'fail',
      detail: 'answered 401, expected any 2xx',
    });
  });
});

describe('production that speaks HTTP/2', () => {
  const HEADERS = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`x-${n}`, 'x']));

  async function serving(allowHTTP1: boolean) {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0'); // nobody trusts the certificate
    onTestFinished(() => void vi.unstubAllEnvs());
    const spoken: string[] = [];
    let open = 0;
    const server = createHttp2Server({ ...SELF_SIGNED, allowHTTP1 }, (request, response) => {
      spoken.push(request.httpVersion);
      const answer = (status: number, headers: Record<string, string>, body: string): void => {
        response.writeHead(status, headers);
        response.end(body);
      };
      if (request.url === '/sick') answer(503, {}, '');
      else if (request.url === '/short') answer(200, { 'content-length': '5000' }, 'half');
      else if (request.url === '/reset') response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      else if (request.url === '/headers') answer(200, HEADERS, '');
      else answer(200, {}, JSON.stringify({ token: request.headers['x-token'] }));
    });
    server.on('session', (session) => {
      open += 1;
      session.on('close', () => {
        open -= 1;
      });
    });
    const port = await listen(server);
    return { url: (path = '/') => `https://localhost:${port}${path}`, spoken, sessions: () => open };
  }

  test.each([false, true])('is asked in it, also where it speaks HTTP/1.1: %s', async (allowHTTP1) => {
    const { url, spoken, sessions } = await serving(allowHTTP1);
    expect(await look(url(), { headers: { 'X-Token': 'abc' }, expectJson: { '/token': 'abc' } })).toEqual({
      health: 'pass',
    });
    expect(await http.traffic(url(), never)).toEqual({ requests: 1, errors5xx: 0 });
    expect(await look(url('/sick'))).toEqual({ health: 'fail', detail: 'answered 503, expected any 2xx' });
    expect(await http.traffic(url('/sick'), never)).toMatchObject({ requests: 1, errors5xx: 1 });
    expect(new Set(spoken)).toEqual(new Set(['2.0']));
    await vi.waitFor(() => expect(sessions()).toBe(0)); // no connection outlives its request
  });

  test('fails where it resets the stream, or its body is too short', async () => {
    const { url } = await serving(false);
    expect(await look(url('/reset'))).toEqual({
      health: 'fail',
      detail: 'the HTTP/2 stream was reset (NGHTTP2_INTERNAL_ERROR)',
    });
    expect(await look(url('/short'))).toMatchObject({
      health: 'fail',
      detail: expect.stringMatching(/^the answer broke off: the HTTP\/2 stream was reset/),
    });
    expect(await http.traffic(url('/short'), never)).toMatchObject({ requests: 1, errors5xx: 1 });
  });

  test('is unknown where only this worker does not read its headers', async () => {
    const { url } = await serving(false);
    expect(await look(url('/headers'))).toEqual({
      health: 'unknown',
      detail: 'this worker does not read the answer over HTTP/2 (NGHTTP2_ENHANCE_YOUR_CALM)',
    });
  });
});
