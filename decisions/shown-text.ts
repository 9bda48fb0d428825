/**
 * What no text may hold when it is shown: characters that steer a terminal (ESC and the other control characters), change the order
 * of what is read (bidi controls), break a line, are drawn as nothing (zero-width characters, tags, fillers), or are half of a pair.
 * Line feed and tab may stay, and so may the selectors that make a sign an emoji.
 */
const UNFIT = /(?!\n|\t|\ufe0e|\ufe0f)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

const codePointOf = (character: string): string => `\\u{${character.codePointAt(0)?.toString(16)}}`;

/** A text with each such character in a visible form: U+202E is `\u{202e}`. Lines stay lines. Total. */
export const visible = (text: string): string => text.replaceAll('\r\n', '\n').replaceAll(UNFIT, codePointOf);

/** The same on one line. */
export const oneLine = (text: string): string => visible(text.replaceAll(/[\t\n\r]+/g, ' ')).trim();

const unitsOf = (character: string): string =>
  character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');

/** JSON of the same value without any such character: programs read what they read before. */
export const visibleJson = (json: string): string => json.replaceAll(UNFIT, unitsOf);
