import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { oneLine, visible, visibleJson } from '../../decisions/shown-text.ts';
import { HOSTILE, hostile, STEERING } from '../setup/hostile.ts';

describe('what a shown text may not hold is shown as its code point', () => {
  test.each([
    ['ESC', '\u001b', '\\u{1b}'],
    ['NUL', '\0', '\\u{0}'],
    ['BEL', '\u0007', '\\u{7}'],
    ['backspace', '\b', '\\u{8}'],
    ['a CR by itself', '\r', '\\u{d}'],
    ['DEL', '\u007f', '\\u{7f}'],
    ['NEL, a C1 control', '\u0085', '\\u{85}'],
    ['CSI, a C1 control', '\u009b', '\\u{9b}'],
    ['the soft hyphen', '\u00ad', '\\u{ad}'],
    ['a mark for Arabic letters', '\u061c', '\\u{61c}'],
    ['the zero-width space', '\u200b', '\\u{200b}'],
    ['the zero-width joiner', '\u200d', '\\u{200d}'],
    ['the left-to-right mark', '\u200e', '\\u{200e}'],
    ['the right-to-left mark', '\u200f', '\\u{200f}'],
    ['the line separator', '\u2028', '\\u{2028}'],
    ['the paragraph separator', '\u2029', '\\u{2029}'],
    ['the first of the bidi embeddings', '\u202a', '\\u{202a}'],
    ['the right-to-left override', '\u202e', '\\u{202e}'],
    ['the word joiner', '\u2060', '\\u{2060}'],
    ['the first of the bidi isolates', '\u2066', '\\u{2066}'],
    ['the last of the bidi isolates', '\u2069', '\\u{2069}'],
    ['a filler that is a letter', '\u3164', '\\u{3164}'],
    ['a mark of annotations', '\ufff9', '\\u{fff9}'],
    ['the byte order mark', '\ufeff', '\\u{feff}'],
    ['the first half of a pair', '\ud83d', '\\u{d83d}'],
    ['the other half', '\udca9', '\\u{dca9}'],
    ['a tag', '\u{e0041}', '\\u{e0041}'],
    ['a selector that hides bytes', '\u{e0100}', '\\u{e0100}'],
  ])('%s', (_, character, shown) => {
    expect(visible(`a${character}b`)).toBe(`a${shown}b`);
    expect(oneLine(`a${character}b`)).toBe(character === '\r' ? 'a b' : `a${shown}b`);
    expect(visibleJson(JSON.stringify(`a${character}b`))).not.toMatch(STEERING);
  });
});

test.each([
  '',
  'größer',
  '日本語',
  'שלום',
  'مرحبا',
  'नमस्ते',
  '💩',
  '⚠️ 1️⃣',
  '‘quoted’ – “so”…',
  'a\u00a0b',
  'two\nlines\tand a tab',
])('%j is shown as it is', (text) => {
  expect(visible(text)).toBe(text);
});

test('lines end with a line feed; on one line they are parted by a blank', () => {
  expect(visible('a\r\nb\nc')).toBe('a\nb\nc');
  expect(oneLine(' a\r\nb\n\n\tc\n')).toBe('a b c');
});

test('of nothing that is shown a terminal or a reader is misled, and what is visible stays so', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      for (const show of [visible, oneLine]) {
        expect(show(text)).not.toMatch(STEERING);
        expect(show(show(text))).toBe(show(text));
      }
      expect(oneLine(text)).not.toMatch(/[\n\t]/);
    }),
    { examples: HOSTILE.map((text): [string] => [text]) },
  );
});

test('JSON says the same, in characters that steer nothing', () => {
  fc.assert(
    fc.property(fc.dictionary(hostile, fc.oneof(hostile, fc.jsonValue())), (value) => {
      const json = visibleJson(JSON.stringify(value));
      expect(json).not.toMatch(STEERING);
      expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
