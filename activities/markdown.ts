import { markdownTable } from 'markdown-table';
import { inline } from '../workflows/markdown.ts';

/** Text of somebody's where a missing one has to show as well. */
export const orDash = (text: string | null): string => (text === null || text.trim() === '' ? '–' : inline(text));

/** A table; its cells are Markdown already. */
export const table = (
  head: readonly string[],
  rows: readonly (readonly string[])[],
  align: readonly ('l' | 'r')[],
): string => markdownTable([head, ...rows], { align: [...align] });
