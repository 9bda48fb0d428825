import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMask, MIN_SECRET, secretsInHeaders } from '../../../adapters/mask.ts';

const linesOf = (secrets: readonly string[], lines: readonly string[], cut = false): string[] => {
  const masked = createMask(secrets).lines();
  return lines.map((line) => masked(line, cut));
};

describe('a text', () => {
  test.each([
    ['the token is t0ken-7', 'the token is ***'],
    ['t0ken-7t0ken-7, t0ken-7!', '***, ***!'],
    ['nothing here', 'nothing here'],
    ['', ''],
  ])('%j reads %j', (given, shown) => {
    expect(createMask(['t0ken-7']).text(given)).toBe(shown);
  });

  test.each([
    [['abcdef', 'abcdef-and-more'], 'x abcdef-and-more y'],
    [['abcdef-and-more', 'abcdef'], 'x abcdef-and-more y'],
    [['abcdefgh', 'ghijklmn'], 'x abcdefghijklmn y'],
  ])('of the secrets %j that overlap, nothing is left', (secrets, given) => {
    expect(createMask(secrets).text(given)).toBe('x *** y');
  });

  test('values that are too short are left: they would garble ordinary words', () => {
    const short = 'x'.repeat(MIN_SECRET - 1);
    expect(createMask([short, '', 'true']).text(`${short} is true`)).toBe(`${short} is true`);
    expect(createMask([`${short}x`]).text(`${short}x`)).toBe('***');
  });

  test('the forms that JSON and URLs have of a value, and the password of a URL, are masked', () => {
    const { text } = createMask(['a"b\\c d/e', 'postgres://orch:p%40ssword@db/orch']);
    expect(text(JSON.stringify({ token: 'a"b\\c d/e' }))).toBe('{"token":"***"}');
    expect(text(`?token=${encodeURIComponent('a"b\\c d/e')}`)).toBe('?token=***');
    expect(text('login as orch with p@ssword, p%40ssword')).toBe('login as orch with ***, ***');
  });

  test('no secret is ever left in it', () => {
    const piece = fc.constantFrom('a', 'b', 'ab', 'aab', ' ');
    const word = fc.array(piece, { minLength: 6, maxLength: 10 }).map((pieces) => pieces.join('').trim());
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 4 }),
        fc.array(piece, { maxLength: 60 }),
        (secrets, text) => {
          const shown = createMask(secrets).text(text.join(''));
          for (const secret of secrets) if (secret.length >= MIN_SECRET) expect(shown).not.toContain(secret);
        },
      ),
    );
  });
});

describe('lines', () => {
  test('a value of several lines is masked in each of them', () => {
    const key = '-----BEGIN KEY-----\nMIIEvQIBADAN\r\n  BgkqhkiG9w0B\n-----END KEY-----\n';
    expect(linesOf([key], ['-----BEGIN KEY-----', 'MIIEvQIBADAN', '  BgkqhkiG9w0B', 'done'])).toEqual([
      '***',
      '***',
      '  ***',
      'done',
    ]);
  });

  test('a value that goes on in the next lines is masked in each of them', () => {
    expect(linesOf(['0123456789abcdef'], ['key 0123456', '789a', 'bcdef.', 'bcdef.'])).toEqual([
      'key ***',
      '***',
      '***.',
      'bcdef.',
    ]);
    expect(linesOf(['0123456789abcdef'], ['key 01', '23456789abcdef'])).toEqual(['key 01', '***']);
  });

  test('of a line that was cut off not even the first characters of a secret are left', () => {
    expect(linesOf(['0123456789abcdef'], ['key 01'], true)).toEqual(['key ***']);
    expect(linesOf(['0123456789abcdef'], ['key 01', 'key 7'], false)).toEqual(['key 01', 'key 7']);
  });
});

test('values of headers are secrets, but for those that everybody knows and those that are filled in', () => {
  expect(
    secretsInHeaders({ Authorization: 'Bearer t0psecret', Accept: 'text/plain', 'X-Version': 'v{version}' }),
  ).toEqual(['Bearer t0psecret', 't0psecret']);
});
