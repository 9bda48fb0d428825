import { z } from 'zod';
import { REPOSITORY_PATTERN } from '../decisions/repository-name.ts';
import { either } from './faults.ts';

/** A kind of value: what is accepted, from the environment (as text) and from a file (as YAML reads it). */
export interface Kind<T> {
  /** What is accepted; read after "must be". */
  readonly accepts: string;
  readonly schema: z.ZodType<T>;
  /** Text of the environment as a plain value for `schema`, which refuses what could not be read. */
  readonly fromText: (text: string) => unknown;
  /** What to write instead, for a mistake that is often made; otherwise `null`. */
  readonly hint: (given: unknown) => string | null;
}

const noHint = (): null => null;
const asItIs = (text: string): unknown => text;

const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?$/i;
const numberFrom = (text: string): unknown => (DECIMAL.test(text) ? Number(text) : text);

const UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 0.001],
  ['s', 1],
  ['sec', 1],
  ['m', 60],
  ['min', 60],
  ['h', 3_600],
  ['d', 86_400],
]);

function secondsHint(given: unknown): string | null {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(String(given)) ?? [];
  const factor = UNITS.get(unit?.toLowerCase() ?? '');
  return factor === undefined ? null : `without a unit: write ${Number((Number(amount) * factor).toFixed(3))}`;
}

/** A time that is written in seconds, fractions allowed, and becomes whole milliseconds. Bounds in seconds. */
export const seconds = (least: number, most: number): Kind<number> => ({
  accepts: `a number of seconds within ${least}..${most}`,
  schema: z
    .number()
    .gte(least)
    .lte(most)
    .transform((given) => Math.round(given * 1_000)),
  fromText: numberFrom,
  hint: secondsHint,
});

export const count = (least: number, most: number): Kind<number> => ({
  accepts: `an integer within ${least}..${most}`,
  schema: z.number().int().gte(least).lte(most),
  fromText: numberFrom,
  hint: noHint,
});

export const ratio: Kind<number> = {
  accepts: 'within 0..1',
  schema: z.number().gte(0).lte(1),
  fromText: numberFrom,
  hint: (given) => {
    const percent = typeof given === 'number' ? given : Number(String(given).replace(/\s*%$/, '') || Number.NaN);
    return percent > 1 && percent <= 100 ? `a ratio: write ${Number((percent / 100).toFixed(6))}` : null;
  },
};

const FLAGS: ReadonlyMap<string, boolean> = new Map([
  ...['true', '1', 'on', 'yes'].map((word) => [word, true] as const),
  ...['false', '0', 'off', 'no'].map((word) => [word, false] as const),
]);

export const flag: Kind<boolean> = {
  accepts: 'true or false (1, 0, on, off, yes and no will do)',
  schema: z.boolean(),
  fromText: (text) => FLAGS.get(text.toLowerCase()) ?? text,
  hint: noHint,
};

export const oneOf = <const W extends string>(...words: readonly [W, ...W[]]): Kind<W> => ({
  accepts: either(words),
  schema: z.enum(words),
  fromText: (text) => text.toLowerCase(),
  hint: noHint,
});

/** Text that matches a pattern; `accepts` says which. */
export const text = (accepts: string, pattern: RegExp): Kind<string> => ({
  accepts,
  schema: z.string().regex(pattern),
  fromText: asItIs,
  hint: (given) => (typeof given === 'number' || typeof given === 'boolean' ? 'text: put it in quotes' : null),
});

/** One line of text. Control characters would break logs, headers and paths. */
const LINE = /^(?=.*\S)[^\p{Cc}\u2028\u2029]{1,1000}$/u;
export const line = text('one line of text', LINE);
export const path = text('a path', LINE);

/** The name of an environment variable. */
export const envName: Kind<string> = {
  ...text('the name of an environment variable', /^[A-Za-z_][A-Za-z0-9_]{0,199}$/),
  hint: (given) => (/[=$]/.test(String(given)) ? 'the name alone, without $ and =' : null),
};

/** What goes into one header: the key of an API. */
export const token = text('one word of printable ASCII characters', /^[\x21-\x7e]{1,4000}$/);

/** A piece of a URL's path. */
export const slug = text('one word without spaces and slashes', /^[^\s/?#\p{Cc}]{1,200}$/u);

export const repoName = text(
  'the name of a repository (letters, digits and . _ - /, beginning with a letter or digit)',
  REPOSITORY_PATTERN,
);

/** A list of anything; text separates its items by commas, and drops the empty ones. */
export const listOf = <T>(item: Kind<T>, accepts: string): Kind<readonly T[]> => ({
  accepts,
  schema: z.array(item.schema),
  fromText: (given) =>
    given
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map(item.fromText),
  hint: noHint,
});
