/** An error is told by its status, whatever has become of its body. */
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { failure, stub } from './support.ts';

const PROJECT = '11111111-1111-4111-8111-111111111111';

const CODED: Readonly<Record<string, Record<string, string>>> = {
  'not read': { 'content-encoding': 'compress' },
  'not what it says': { 'content-encoding': 'gzip' },
};

test.each([
  [401, 'PlaneUnauthorized'],
  [403, 'PlaneForbidden'],
  [404, 'PlaneMisconfigured'],
  [409, 'PlaneUnavailable'],
  [422, 'PlaneRejected'],
  [429, 'PlaneRateLimited'],
  [500, 'PlaneUnavailable'],
])('an answer %i whose body cannot be read is a %s', async (status, name) => {
  for (const headers of Object.values(CODED)) {
    const { client } = await stub((response) => response.writeHead(status, headers).end('{"error":"x"}'));
    const error = await failure(client.project(PROJECT));
    expect([error.name, error.status]).toEqual([name, status]);
    expect(error.message).toContain(`${status} (its body cannot be read: it`);
  }
});

test('so is one whose body breaks off, or is too long', async () => {
  const broken = await stub((response) => {
    response.writeHead(401, { 'content-length': 100 }).write('x', () => response.destroy());
  });
  expect((await failure(broken.client.project(PROJECT))).name).toBe('PlaneUnauthorized');
  const long = await stub((response) => response.writeHead(403).end('x'.repeat(6_000_000)));
  const error = await failure(long.client.project(PROJECT));
  expect(error.name).toBe('PlaneForbidden');
  expect(error.message).toContain('is larger than 5242880 bytes');
});

test('a good answer whose body cannot be read is none', async () => {
  const { client } = await stub((response) =>
    response.writeHead(200, { 'content-encoding': 'gzip, compress' }).end(gzipSync('{}')),
  );
  const error = await failure(client.project(PROJECT));
  expect([error.name, error.status]).toEqual(['PlaneUnavailable', 200]);
  expect(error.message).toContain('its coding "compress" is not one that is read here');
});
