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

  const SECRET = `Tok/en+s<ecr>et&'q"ü \\n b@rd(1)=`;
  const percent = encodeURIComponent(SECRET);
  const json = JSON.stringify(SECRET).slice(1, -1);
  const escaped = (text: string, which: RegExp): string =>
    text.replaceAll(which, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  test.each([
    ['a URL', percent],
    ['a URL, in small letters', percent.replaceAll(/%../g, (hex) => hex.toLowerCase())],
    ['a URL, in full', [...Buffer.from(SECRET)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')],
    ['a URL, by Python', percent.replaceAll('%2F', '/').replaceAll("'", '%27').replaceAll('(', '%28')],
    ['a form', new URLSearchParams({ a: SECRET }).toString().slice(2)],
    ['a query', new URL(`http://x/?${SECRET.replace('&', '%26')}`).search.slice(1)],
    ['JSON', json],
    ['JSON, by Python', escaped(json, /[^\0-\x7f]/g)],
    ['JSON, by PHP', escaped(json, /[^\0-\x7f]/g).replaceAll('/', '\\/')],
    ['JSON, by Go', escaped(json, /[<>&]/g)],
    ['JSON within JSON', JSON.stringify(json).slice(1, -1)],
    ['JSON in a URL', encodeURIComponent(json)],
    ['a URL in a URL', encodeURIComponent(percent)],
    ['a shell: set -x', SECRET.replaceAll("'", `'\\''`)],
    ['a shell: printf %q', SECRET.replaceAll(/[^A-Za-z0-9/+=]/g, (unit) => `\\${unit}`)],
    ['bytes, by Python', SECRET.replaceAll('ü', '\\xc3\\xbc').replaceAll("'", "\\'")],
  ])('a secret is masked in the encoding of %s', (_, encoded) => {
    expect(createMask([SECRET]).text(`[${encoded}]`)).toBe('[***]');
    expect(linesOf([SECRET], [`a=[${encoded}]`, 'done'])).toEqual(['a=[***]', 'done']);
  });

  test('what stands before a secret may look like an escape', () => {
    expect(createMask(['new-token']).text('C:\\new-token')).toBe('C:\\***');
    expect(createMask(['abcdef-1']).text('100%abcdef-1')).toBe('100%***');
    expect(createMask(['abcdef-1']).text(`"\\nabcdef-1"`)).toBe(`"\\n***"`);
  });

  test('a secret of several lines is masked in one line, too', () => {
    const { text } = createMask(['alpha\nbravo\r\n  charl\n']);
    expect(text('{"key":"alpha\\nbravo\\r\\n  charl\\n"}')).toBe('{"key":"***\\n"}');
    expect(text('key: alpha bravo charl.')).toBe('key: ***.');
  });

  test('its end is no beginning of a secret that goes on', () => {
    expect(createMask(['postgres://orch:pa55word@db/orch']).text('the database is postgres')).toBe(
      'the database is postgres',
    );
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

  const TOKEN = 'AbCdEfGhIjKlMnOpQrStUvWxYz0123456789';
  test.each([
    ['', ''],
    ['    ', ''],
    ['\t', ''],
    ['[deploy] ', ''],
    ['2026-11-26T22:00:00Z | ', ''],
    ['', '\\'],
    ['  ', ' \\ '],
  ])('a value that is wrapped into lines between %j and %j is masked in each of them', (before, after) => {
    const pieces = TOKEN.match(/.{1,16}/g) ?? [];
    expect(linesOf([TOKEN], [...pieces.map((piece) => `${before}${piece}${after}`), `${before}6789`])).toEqual([
      ...pieces.map(() => `${before}***${after}`),
      `${before}6789`,
    ]);
    expect(createMask([TOKEN]).text(pieces.map((piece) => `${before}${piece}`).join('\n'))).toBe(
      pieces.map(() => `${before}***`).join('\n'),
    );
  });

  test('a value that is wrapped in its encoding, or at a blank, is masked', () => {
    expect(linesOf(['p@ss word, and more'], ['p%40ss%20', 'word%2C', '%20and%20more'])).toEqual([
      'p%40ss%20',
      '***',
      '%20***',
    ]);
    expect(linesOf(['correct horse battery'], ['correct', '  horse', '> battery.'])).toEqual(['***', '  ***', '>***.']);
  });

  test('the short lines of a long secret are masked where they are all of a line', () => {
    expect(linesOf(['alpha\nbravo\nx\ncharl\n'], ['alpha', 'bravo', 'x', 'charl', 'an alpha', '  bravo'])).toEqual([
      '***',
      '***',
      '***',
      '***',
      'an alpha',
      '  ***',
    ]);
    expect(linesOf(['{\n  "key": "0123456789"\n}'], ['{', '}', '"key": "0123456789"'])).toEqual(['{', '}', '***']);
  });

  test('a word that a secret begins with garbles no line after it', () => {
    expect(linesOf(['hunter2-and-more'], ['a path', 'of a menu', 'unter', 'the hu', 'for an nt'])).toEqual([
      'a path',
      'of a menu',
      'unter',
      'the hu',
      'for an nt',
    ]);
  });

  test('of a line that was cut off within an escape nothing is left', () => {
    for (const partial of ['%', '%4', '\\', '\\u', '\\u00'])
      expect(linesOf(['sec@ret-7'], [`key sec${partial}`], true)).toEqual([`key ***${partial}`]);
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

test('what a header with placeholders holds beside them is a secret', () => {
  expect(secretsInHeaders({ 'X-Key': 'literalsecret-{repo}', Authorization: 'Bearer {repo}:t0psecret' })).toEqual([
    'literalsecret-',
    ':t0psecret',
  ]);
});
