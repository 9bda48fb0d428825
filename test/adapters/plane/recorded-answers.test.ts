/** The client given the answers that the real Plane gave, byte for byte as recorded. */
import type { ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import type { PlaneClient } from '../../../adapters/plane/plane-client.ts';
import { exchange } from './recordings.ts';
import { failure, STUB_KEY, stub } from './support.ts';

const PROJECT = '72dfeea9-fcae-43ea-8fb4-4b2bedce1321';
const ITEM = { id: 'b1162ed8-d407-423a-a6a4-3f9531d8d648', projectId: PROJECT };
const DEPLOYING = 'b5adb1a4-d70f-4718-895e-e7f1e1a5296b';

const get = (client: PlaneClient) => client.workItem('ORCH-1', 'ORCH');
const patch = (client: PlaneClient) => client.setState(ITEM, DEPLOYING);
const post = (client: PlaneClient) => client.comment(ITEM, { html: '<p>x</p>', externalId: 'run-42' });
const states = (client: PlaneClient) => client.states(PROJECT);

const FRAMING = ['content-length', 'transfer-encoding', 'content-encoding'];

/** Answers as recorded. */
const recorded = (prefix: string) => (response: ServerResponse) => {
  const { status, headers, body } = exchange(prefix).response;
  const kept = Object.entries(headers).filter(([name]) => !FRAMING.includes(name));
  response.writeHead(status, Object.fromEntries(kept));
  response.end(body === null ? '' : JSON.stringify(body));
};

test.each([
  { name: '056-', call: get, error: 'PlaneForbidden', applied: false, says: 'You do not have permission' },
  { name: '055-', call: get, error: 'PlaneNotFound', applied: false, says: 'unknown, deleted or archived' },
  { name: '058-', call: get, error: 'PlaneUnavailable', applied: false, says: '500' },
  { name: '05a-', call: get, error: 'PlaneMisconfigured', applied: false, says: 'No such route' },
  { name: '061-', call: patch, error: 'PlaneMisconfigured', applied: false, says: 'a redirect to /api/v1/' },
  { name: '062-', call: patch, error: 'PlaneMisconfigured', applied: false, says: 'older than 1.3' },
  { name: '068-', call: get, error: 'PlaneRejected', applied: false, says: 'Accept header' },
  { name: '120-', call: patch, error: 'PlaneRejected', applied: false, says: 'object does not exist' },
  { name: '121-', call: patch, error: 'PlaneRejected', applied: false, says: 'is not a valid UUID' },
  { name: '122-', call: patch, error: 'PlaneRejected', applied: false, says: 'State is not valid' },
  { name: '123-', call: patch, error: 'PlaneUnavailable', applied: true, says: 'Plane did not take it' },
  { name: '132-', call: patch, error: 'PlaneRejected', applied: false, says: 'JSON parse error' },
  { name: '135-', call: patch, error: 'PlaneRejected', applied: false, says: 'Unsupported media type' },
  { name: '137-', call: patch, error: 'PlaneNotFound', applied: false, says: 'does not exist' },
  { name: '014-', call: patch, error: 'PlaneUnavailable', applied: false, says: '409' },
  { name: '20e-', call: post, error: 'PlaneRejected', applied: true, says: 'The payload is not valid' },
  { name: '300-', call: get, error: 'PlaneUnauthorized', applied: false, says: 'Check the API key' },
  { name: '301-', call: patch, error: 'PlaneUnauthorized', applied: false, says: 'wrong, expired or revoked' },
  { name: '303-', call: get, error: 'PlaneUnauthorized', applied: false, says: 'wrong, expired or revoked' },
  { name: '307-', call: patch, error: 'PlaneForbidden', applied: false, says: 'not a member who may do this' },
  { name: '30b-', call: patch, error: 'PlaneForbidden', applied: false, says: 'not a member who may do this' },
  { name: '30f-', call: states, error: 'PlaneForbidden', applied: false, says: 'does not exist' },
  { name: '621-', call: patch, error: 'PlaneUnavailable', applied: true, says: 'read it back' },
  { name: '623-', call: post, error: 'PlaneUnavailable', applied: true, says: 'read it back' },
  { name: '702-', call: patch, error: 'PlaneNotFound', applied: false, says: 'does not exist' },
  { name: '710-', call: get, error: 'PlaneNotFound', applied: false, says: 'archived' },
  { name: '725-', call: patch, error: 'PlaneRejected', applied: false, says: 'object does not exist' },
])('recording $name: $error', async ({ name, call, error, applied, says }) => {
  const { client } = await stub(recorded(name));
  const caught = await failure(call(client));
  expect(caught).toMatchObject({ name: error, writeMayHaveApplied: applied, status: exchange(name).response.status });
  expect(caught.message).toContain(says);
});

test('recordings 402 and 403: rate limited, with the recorded Retry-After', async () => {
  const { client } = await stub(recorded('403-'));
  expect(await failure(patch(client))).toMatchObject({
    name: 'PlaneRateLimited',
    retryAfterMs: 57_000,
    writeMayHaveApplied: false,
  });
});

test('recordings 204 and 624: a duplicate comment is success', async () => {
  for (const name of ['204-', '624-']) {
    const { client } = await stub(recorded(name));
    expect(await post(client)).toEqual({ id: expect.stringMatching(/^[0-9a-f-]{36}$/), created: false });
  }
});

test('good answers are read: work item, plain or expanded or narrowed; states; comment; user; project', async () => {
  expect(await get((await stub(recorded('053-'))).client)).toEqual({
    id: ITEM.id,
    projectId: PROJECT,
    key: 'ORCH-1',
    name: 'First deploy',
    stateId: 'a59ca161-4f09-4908-be47-4c97ff11b7ab',
  });
  const { client } = await stub(recorded('051-'));
  expect(await client.workItem(ITEM.id, PROJECT)).toMatchObject({ stateId: '27b09c7c-77c5-40ee-8ce8-0aefdfcb6e68' });
  expect(await states((await stub(recorded('017-'))).client)).toHaveLength(8);
  await patch((await stub(recorded('101-'))).client);
  expect(await post((await stub(recorded('203-'))).client)).toMatchObject({ created: true });
  expect(await (await stub(recorded('313-'))).client.me()).toMatchObject({ displayName: 'orchestrator' });
  expect(await (await stub(recorded('005-'))).client.project(PROJECT)).toMatchObject({ identifier: 'ORCH' });
  expect(await (await stub(recorded('004-'))).client.project('ELSE')).toMatchObject({ name: 'Elsewhere' });
});

const text =
  (status: number, type: string, body: string, headers: Record<string, string> = {}) =>
  (response: ServerResponse) => {
    response.writeHead(status, { 'content-type': type, ...headers });
    response.end(body);
  };

test.each([
  {
    what: 'a 404 of some other JSON API',
    answer: text(404, 'application/json', '{"detail":"Not Found"}'),
    error: 'PlaneMisconfigured',
  },
  {
    what: 'a web page with 403',
    answer: text(403, 'text/html', '<html>Forbidden</html>'),
    error: 'PlaneMisconfigured',
  },
  {
    what: 'a web page without its type',
    answer: text(200, 'text/plain', ' <!DOCTYPE html>'),
    error: 'PlaneMisconfigured',
  },
  {
    what: 'a proxy that finds the body too large',
    answer: text(413, 'text/html', '<html>413</html>'),
    error: 'PlaneRejected',
  },
  {
    what: 'a proxy that gave up waiting',
    answer: text(408, 'text/html', '<html>408</html>'),
    error: 'PlaneUnavailable',
  },
  { what: 'JSON of another shape', answer: text(200, 'application/json', '{"hello":1}'), error: 'PlaneUnavailable' },
  { what: 'JSON that is null', answer: text(200, 'application/json', 'null'), error: 'PlaneUnavailable' },
  {
    what: 'more than 5 MiB',
    answer: text(200, 'application/json', `"${'x'.repeat(6 * 1024 * 1024)}"`),
    error: 'PlaneUnavailable',
  },
])('$what: $error', async ({ answer, error }) => {
  const { client } = await stub(answer);
  expect(await failure(get(client))).toMatchObject({ name: error, writeMayHaveApplied: false });
});

test.each([
  ['120', 120_000],
  ['0', 1_000],
  ['999999', 3_600_000],
  ['soon', 60_000],
  ['', 60_000],
])('Retry-After %j is %i ms', async (value, retryAfterMs) => {
  const { client } = await stub(text(429, 'application/json', '{}', value === '' ? {} : { 'retry-after': value }));
  expect(await failure(patch(client))).toMatchObject({ name: 'PlaneRateLimited', retryAfterMs });
});

test('a list that never ends is not followed for ever', async () => {
  const page = { results: [], next_cursor: '100:1:0', next_page_results: true };
  const { client } = await stub(text(200, 'application/json', JSON.stringify(page)));
  expect(await failure(states(client))).toMatchObject({
    name: 'PlaneUnavailable',
    message: expect.stringContaining('more than 50 pages'),
  });
});

test('the API key is in no message, property, cause or inspection, even where the server echoes it', async () => {
  const echo = `your key is ${STUB_KEY}`;
  const answers = [
    text(400, 'application/json', JSON.stringify({ error: echo })),
    text(401, 'application/json', JSON.stringify({ detail: echo })),
    text(409, 'application/json', JSON.stringify({ error: echo })),
    text(500, 'text/html', echo),
    text(302, 'text/html', '', { location: `/${STUB_KEY}/` }),
    text(200, 'application/json', `${echo} {`),
    (response: ServerResponse) => response.socket?.resetAndDestroy(),
  ];
  for (const answer of answers) {
    const { client } = await stub(answer);
    const error = await failure(patch(client));
    for (const shown of [
      error.message,
      String(error.stack),
      JSON.stringify(error),
      inspect(error, { depth: null, showHidden: true }),
    ]) {
      expect(shown).not.toContain(STUB_KEY);
    }
    expect(inspect(client, { depth: null, showHidden: true })).not.toContain(STUB_KEY);
  }
});
