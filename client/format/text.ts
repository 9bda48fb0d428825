import { stripVTControlCharacters, styleText } from 'node:util';

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

/** Text from elsewhere on one line, without anything that could steer a terminal. */
export const oneLine = (text: string): string =>
  stripVTControlCharacters(text)
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim();

/** The same of each line. */
export const lineByLine = (text: string): string =>
  text
    .split('\n')
    .map((line) => stripVTControlCharacters(line).replaceAll(/[\p{Cc}\u2028\u2029]/gu, ' '))
    .join('\n');

/** `deploy_failed` as people say it. */
export const words = (name: string): string => name.replaceAll('_', ' ');

/** `1 tick`, `3 ticks`. */
export const count = (amount: number, thing: string): string => `${amount} ${thing}${amount === 1 ? '' : 's'}`;

const number = new Intl.NumberFormat('en', { maximumFractionDigits: 2, useGrouping: false });

/** A count that may be a fraction. */
export const amount = (value: number): string => number.format(value);
