import { escape as escapeHtml } from 'html-escaper';
import { visible } from '../../decisions/shown-text.ts';

/**
 * The HTML of a comment, one `<p>` a paragraph, every value escaped. Plane stores comment HTML as sent, scripts included
 * (recording 209), so nothing else may build one.
 */
export const commentHtml = (paragraphs: readonly string[]): string =>
  paragraphs.map((paragraph) => `<p>${escapeHtml(visible(paragraph)).replaceAll('\n', '<br>')}</p>`).join('');
