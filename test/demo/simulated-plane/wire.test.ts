import { expect, test } from 'vitest';
import { parseLikePython } from '../../../demo/simulated-plane/python-json.ts';
import { slugify, timestamp, toJson } from '../../../demo/simulated-plane/wire.ts';

test.each([
  ['{"state": ', 'Expecting value: line 1 column 11 (char 10)'],
  ['{', 'Expecting property name enclosed in double quotes: line 1 column 2 (char 1)'],
  ['{"a" 1}', "Expecting ':' delimiter: line 1 column 6 (char 5)"],
  ['{"a": 1 "b": 2}', "Expecting ',' delimiter: line 1 column 9 (char 8)"],
  ['[1, 2', "Expecting ',' delimiter: line 1 column 6 (char 5)"],
  ['{"a":\n nope}', 'Expecting value: line 2 column 2 (char 7)'],
  ['"abc', 'Unterminated string starting at: line 1 column 1 (char 0)'],
  ['{} {}', 'Extra data: line 1 column 4 (char 3)'],
])('%j is refused in the words of Python', (text, fault) => {
  expect(parseLikePython(text)).toEqual({ fault });
});

test('what is JSON is read', () => {
  expect(parseLikePython('{"a": [1, "b", null]}')).toEqual({ value: { a: [1, 'b', null] } });
});

test('floats, times and slugs are written as Django writes them', () => {
  expect(toJson({ sort_order: 65535, count: 3, text: 'ü ✓', none: null, list: [{ epoch: 1.5 }] })).toBe(
    '{"sort_order":65535.0,"count":3,"text":"ü ✓","none":null,"list":[{"epoch":1.5}]}',
  );
  expect(timestamp(1_795_474_979_751_950)).toBe('2026-11-23T23:02:59.751950Z');
  expect(timestamp(978_307_200_000_000)).toBe('2001-01-01T00:00:00Z');
  expect(slugify('Monitoring after Deploy')).toBe('monitoring-after-deploy');
});
