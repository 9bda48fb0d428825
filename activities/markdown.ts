import { markdownTable } from 'markdown-table';

/**
 * Text that anybody may have written as part of a line or a table's cell: it becomes one line, and nothing in it is
 * Markdown or HTML. Never throws.
 */
export const inline = (text: string): string =>
  text
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .replaceAll(/[\\`*_[\]<>|~&!]/g, '\\$&');

/** Such text where a missing one has to show as well. */
export const orDash = (text: string | null): string => (text === null || text.trim() === '' ? '–' : inline(text));

/** A table; its cells are Markdown already. */
export const table = (
  head: readonly string[],
  rows: readonly (readonly string[])[],
  align: readonly ('l' | 'r')[],
): string => markdownTable([head, ...rows], { align: [...align] });
