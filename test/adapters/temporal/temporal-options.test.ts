import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { temporalOptions } from '../../../adapters/temporal/temporal-options.ts';

let folder: string;
let file: string;
/** No config file in its standard place. */
let env: Record<string, string>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'd2d-config-'));
  file = join(folder, 'temporal.toml');
  env = { HOME: folder };
  await writeFile(
    file,
    `[profile.default]\naddress = "file:7233"\nnamespace = "from-file"\n` +
      `[profile.cloud]\naddress = "cloud:7233"\napi_key = "secret"\n` +
      `[profile.odd]\n[profile.odd.tls]\ndisable_host_verification = true\n[profile.odd.codec]\nendpoint = "x"\n`,
  );
});
afterAll(() => rm(folder, { recursive: true }));

test('without anything: localhost and the namespace default', () => {
  expect(temporalOptions(env)).toMatchObject({ address: 'localhost:7233', namespace: 'default', warnings: [] });
});

test('an option outranks a variable, a variable the file', () => {
  const both = { ...env, TEMPORAL_CONFIG_FILE: file, TEMPORAL_ADDRESS: 'env:7233' };
  expect(temporalOptions(both)).toMatchObject({ address: 'env:7233', namespace: 'from-file' });
  expect(temporalOptions(both, { address: 'option:7233', namespace: 'mine' })).toMatchObject({
    address: 'option:7233',
    namespace: 'mine',
    connectionOptions: { address: 'option:7233' },
  });
});

test('an API key means TLS', () => {
  const { connectionOptions } = temporalOptions({ ...env, TEMPORAL_CONFIG_FILE: file }, { profile: 'cloud' });
  expect(connectionOptions).toMatchObject({ address: 'cloud:7233', apiKey: 'secret', tls: true });
});

test('an empty variable is not set', () => {
  const empty = { ...env, TEMPORAL_ADDRESS: '', TEMPORAL_PROFILE: '', TEMPORAL_CONFIG_FILE: '', TEMPORAL_TLS: '' };
  expect(temporalOptions(empty).address).toBe('localhost:7233');
});

describe('what the library passes over is refused', () => {
  test.each([
    [{ TEMPORAL_CONFIG_FILE: '/not/there.toml' }, /^The Temporal config file "\/not\/there.toml" .* cannot be read/],
    [
      { TEMPORAL_PROFILE: 'prod' },
      /^The Temporal profile "prod" .* is not in the config file \(in its standard place\)/,
    ],
    [{ TEMPORAL_TLS: 'yes' }, 'TEMPORAL_TLS must be true or false, got "yes"'],
    [{ TEMPORAL_ADDRESS: 'https://temporal:7233' }, 'must be host:port without a scheme, got "https://temporal:7233"'],
    [{ TEMPORAL_TLS_SERVER_CA_CERT_PATH: '/not/there.pem' }, /cannot be loaded: ENOENT.*\/not\/there.pem/],
  ])('%j', (given, message) => {
    expect(() => temporalOptions({ ...env, ...given })).toThrow(message);
  });

  test('an empty file', async () => {
    const empty = join(folder, 'empty.toml');
    await writeFile(empty, '\n');
    expect(() => temporalOptions({ ...env, TEMPORAL_CONFIG_FILE: empty })).toThrow(
      `The Temporal config file "${empty}" (TEMPORAL_CONFIG_FILE) is empty: describe [profile.default] in it, or unset it`,
    );
  });

  test('a profile that is not in the file', () => {
    const given = { ...env, TEMPORAL_CONFIG_FILE: file };
    expect(() => temporalOptions(given, { profile: 'prod' })).toThrow(`is not in the config file (${file})`);
  });
});

describe('what the library drops is said', () => {
  test('in the environment', () => {
    const given = { ...env, TEMPORAL_TLS_DISABLE_HOST_VERIFICATION: 'true', TEMPORAL_CODEC_ENDPOINT: 'http://codec' };
    expect(temporalOptions(given).warnings).toEqual([
      'TEMPORAL_TLS_DISABLE_HOST_VERIFICATION is ignored: the TypeScript SDK does not act on it.',
      'TEMPORAL_CODEC_ENDPOINT is ignored: the TypeScript SDK does not act on it.',
    ]);
  });

  test('in the file', () => {
    const { warnings } = temporalOptions({ ...env, TEMPORAL_CONFIG_FILE: file });
    expect(warnings).toEqual([
      'The codec in the Temporal config file is ignored: the TypeScript SDK does not act on it.',
      expect.stringContaining('disable_host_verification'),
    ]);
  });
});
