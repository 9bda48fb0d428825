import type { IncomingHttpHeaders } from 'node:http';
import { expect, test } from 'vitest';
import {
  type Alert,
  AlertRejected,
  AlertUnavailable,
  createAlertSink,
  retryAfterMs,
} from '../../../adapters/alerts/webhook-sink.ts';
import { HOSTILE, STEERING } from '../../setup/hostile.ts';
import { bodyOf, refusingUrl, serve, serveTcp } from '../http-probe/server.ts';

const alert: Alert = {
  key: 'run-1:degraded',
  severity: 'critical',
  repo: 'org/shop',
  workItem: 'ORCH-61',
  title: 'ORCH-61: org/shop v2 is degraded',
  text: '3 health checks failed: <!channel> & more',
  at: Date.UTC(2026, 0, 2, 3, 4, 5),
};

const answering = (status: number, headers: Record<string, string> = {}) =>
  serve((_, response) => {
    response.writeHead(status, headers).end('answer');
  });

const failureOf = (url: string): Promise<unknown> =>
  createAlertSink(url)
    .send(alert)
    .then(
      () => null,
      (error: unknown) => error,
    );

test('an alert is one POST, for Slack and for programs', async () => {
  const asked: { headers: IncomingHttpHeaders; body: unknown }[] = [];
  const url = await serve(async (request, response) => {
    asked.push({ headers: request.headers, body: JSON.parse(await bodyOf(request)) });
    response.end('ok');
  });
  await createAlertSink(url).send(alert);
  expect(asked).toMatchObject([
    {
      headers: { 'content-type': 'application/json', 'idempotency-key': 'run-1:degraded' },
      body: {
        text: '[critical] ORCH-61: org/shop v2 is degraded\n3 health checks failed: &lt;!channel&gt; &amp; more',
        key: 'run-1:degraded',
        severity: 'critical',
        repo: 'org/shop',
        workItem: 'ORCH-61',
        title: 'ORCH-61: org/shop v2 is degraded',
        detail: '3 health checks failed: <!channel> & more',
        at: '2026-01-02T03:04:05.000Z',
      },
    },
  ]);
});

test('whoever shows an alert shows text, without what misleads a reader', async () => {
  const bodies: string[] = [];
  const url = await serve(async (request, response) => {
    bodies.push(await bodyOf(request));
    response.end('ok');
  });
  const sink = createAlertSink(url);
  for (const words of HOSTILE) await sink.send({ ...alert, repo: words, workItem: words, title: words, text: words });
  expect(bodies).toHaveLength(HOSTILE.length);
  for (const body of bodies) {
    const { text, ...others } = JSON.parse(body);
    expect(text).not.toMatch(/[<>]|&(?!(?:amp|lt|gt);)/);
    for (const shown of [text, ...Object.values(others)]) expect(shown).not.toMatch(STEERING);
  }
});

test('a key that is no header is sent all the same', async () => {
  const url = await answering(204);
  await createAlertSink(url).send({ ...alert, key: 'größer\n' });
});

test.each([301, 400, 403, 404, 410])('an answer %i is final', async (status) => {
  const url = await answering(status, { location: 'http://127.0.0.1:1/' });
  const error = await failureOf(url);
  expect(error).toBeInstanceOf(AlertRejected);
  expect(String(error)).toContain(`the alert sink ${url} answered ${status}`);
});

test.each([408, 429, 500, 503])('an answer %i is tried again', async (status) => {
  expect(await failureOf(await answering(status))).toMatchObject({ name: 'AlertUnavailable', retryAfterMs: null });
  expect(await failureOf(await answering(status, { 'retry-after': '7' }))).toMatchObject({ retryAfterMs: 7_000 });
});

test('no answer is tried again, and no message shows more of the URL than its origin', async () => {
  const reset = await serveTcp((socket) => socket.once('data', () => socket.resetAndDestroy()));
  for (const origin of [await refusingUrl(), reset]) {
    const error = await failureOf(`${origin}/services/T0KEN?x=y`);
    expect(error).toBeInstanceOf(AlertUnavailable);
    expect(String(error)).toContain(origin);
    expect(String(error)).not.toContain('T0KEN');
  }
});

test('a sink that does not answer is not waited for once the caller has stopped', async () => {
  const abort = new AbortController();
  const url = await serveTcp(() => abort.abort(new Error('stopped')));
  await expect(createAlertSink(url).send(alert, abort.signal)).rejects.toThrow('stopped');
});

test.each([
  [undefined, null],
  ['', null],
  ['soon', null],
  ['0', 0],
  ['30', 30_000],
  ['86400', 300_000],
  ['Fri, 02 Jan 2026 03:04:15 GMT', 10_000],
  ['Fri, 02 Jan 2026 03:00:00 GMT', 0],
  [['5', '6'], 5_000],
])('Retry-After %j asks for %j ms', (header, ms) => {
  expect(retryAfterMs(header, Date.UTC(2026, 0, 2, 3, 4, 5))).toBe(ms);
});
