import { styleText } from 'node:util';
import { oneLine } from '../../decisions/shown-text.ts';

/** How words are coloured; `plain` leaves them alone. */
export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly bad: (text: string) => string;
}

const same = (text: string): string => text;

export const plain: Paint = { bold: same, dim: same, good: same, warn: same, bad: same };

type Style = Parameters<typeof styleText>[0];

const style = (format: Style) => (text: string) => styleText(format, text, { validateStream: false });

export const coloured: Paint = {
  bold: style('bold'),
  dim: style('dim'),
  good: style('green'),
  warn: style('yellow'),
  bad: style('red'),
};

/** What these put around a text; it splits one into text and colours by turns. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: a colour begins with one
const COLOUR = /(\u001b\[(?:1|2|22|31|32|33|39)m)/;

/** A text with everything changed but our own colours in it. */
export const besideColours = (change: (text: string) => string, text: string): string =>
  text
    .split(COLOUR)
    .map((piece, at) => (at % 2 === 1 ? piece : change(piece)))
    .join('');

/** `deploy_failed` as people say it. Search attributes hold any text: who starts something sets them. */
export const words = (name: string): string => oneLine(name).replaceAll('_', ' ');

/** `1 tick`, `3 ticks`. */
export const count = (amount: number, thing: string): string => `${amount} ${thing}${amount === 1 ? '' : 's'}`;

const number = new Intl.NumberFormat('en', { maximumFractionDigits: 2, useGrouping: false });

/** A count that may be a fraction. */
export const amount = (value: number): string => number.format(value);
