import fc from 'fast-check';
import { expect, test } from 'vitest';
import { classifyFailure } from '../../../adapters/http-probe/failure-class.ts';

const coded = (code: string, cause?: unknown) => Object.assign(new Error(code, { cause }), { code });

test.each([
  'EMFILE',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'EAI_AGAIN',
  'EAI_FAIL',
  'UND_ERR_INVALID_ARG',
  'UND_ERR_ABORTED',
  'ERR_INVALID_IP_ADDRESS',
])('%s is ours', (code) => {
  expect(classifyFailure(coded(code)).health).toBe('unknown');
});

test.each([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'ETIMEDOUT',
  'UND_ERR_SOCKET',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'HPE_INVALID_CONSTANT',
])('%s is production', (code) => {
  expect(classifyFailure(coded(code)).health).toBe('fail');
});

test('of several addresses, one at which production failed decides', () => {
  const both = new AggregateError([coded('ENETUNREACH'), coded('ECONNREFUSED')]);
  expect(classifyFailure(both)).toEqual({ health: 'fail', why: 'the connection was refused (ECONNREFUSED)' });
  expect(classifyFailure(new AggregateError([coded('ENETUNREACH')])).health).toBe('unknown');
});

test('what caused an error says more than the error', () => {
  expect(classifyFailure(coded('UND_ERR_SOCKET', coded('EMFILE'))).health).toBe('unknown');
});

test('an error without a code is a bug here, so it is ours', () => {
  expect(classifyFailure(new TypeError('x is not a function'))).toEqual({
    health: 'unknown',
    why: 'the probe broke: x is not a function',
  });
});

test('never throws', () => {
  fc.assert(
    fc.property(fc.anything(), (error) => {
      expect(['fail', 'unknown']).toContain(classifyFailure(error).health);
    }),
  );
});
