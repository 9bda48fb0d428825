import { oneLine } from '../decisions/shown-text.ts';

/** What makes a link of the letters around it, an anchor of a heading, or a dash of two. */
const LINK_OR_DASH = /:(?=\/\/)|(?<=mailto):|(?<=www)\.|(?<=\{)#|-(?=-)|(?<=-)-/gi;

/** What begins a block, or makes one of the lines before it: a heading, a list, a definition. */
const LINE_START = /^(?:[#+:-]|\d{1,9}(?=[.)]))/;

/**
 * Text that anybody may have written as part of a line or a table's cell: it becomes one line, and nothing in it is Markdown, HTML or
 * a link. Never throws.
 */
export const inline = (text: string): string =>
  oneLine(text)
    .replaceAll(/ {2,}/g, ' ')
    .replaceAll(/[\\`*_{}[\]<>|~&!$^]/g, '\\$&')
    .replaceAll(LINK_OR_DASH, '\\$&')
    .replace(LINE_START, (start) => (/\d/.test(start) ? `${start}\\` : `\\${start}`))
    .replace(/^=/, '&#61;'); // `\=` is no escape to every renderer

/** The same of each line: they stay lines of one paragraph. */
export const paragraph = (text: string): string =>
  text
    .split(/[\r\n]+/)
    .map(inline)
    .filter((line) => line !== '')
    .join('\n');

/** Such text as code, in which a backslash escapes nothing. */
export const code = (text: string): string => `\`${oneLine(text).replaceAll('`', "'")}\``;
