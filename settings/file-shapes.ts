import { z } from 'zod';
import type { JsonTemplate } from '../adapters/deploy/driver.ts';
import { either, quote } from './faults.ts';
import type { Kind } from './kinds.ts';
import type { Substitute } from './substitution.ts';

// What the repositories file is made of. Every message is the rest of a sentence that begins with the place and the path; for
// an unknown key it is the list of the known ones. A message speaks of values as they stand in the file, before names of
// variables are filled in.

/** How a value that is not accepted is spoken of: repeated, or (where secrets may stand) only by what it is. */
type Spoken = (given: unknown) => string;
export const withheld: Spoken = (given) =>
  typeof given === 'string' ? 'a value that is not (it is not shown)' : quote(given);

function refusal<T>({ accepts, hint }: Kind<T>, given: unknown, spoken: Spoken): string {
  if (given === undefined) return `is missing: it must be ${accepts}`;
  const help = hint(given);
  return `must be ${accepts}, got ${spoken(given)}${help === null ? '' : ` (${help})`}`;
}

export const is = <T>(kind: Kind<T>, spoken: Spoken = quote) =>
  z.unknown().transform((given, context): T => {
    const parsed = kind.schema.safeParse(given);
    if (parsed.success) return parsed.data;
    context.addIssue({ code: 'custom', message: refusal(kind, given, spoken) });
    return z.NEVER;
  });

export const block = <Shape extends z.ZodRawShape>(shape: Shape) => {
  const keys = Object.keys(shape);
  return z.strictObject(shape, {
    error: ({ code, input }) =>
      code === 'unrecognized_keys' ? keys.join(' ') : `must be a map with ${either(keys)}, got ${quote(input)}`,
  });
};

/** The keys that a message about unknown ones carries. */
export const knownKeys = (message: string): readonly string[] => message.split(' ');

export const list = <T extends z.ZodType>(item: T, what: string) =>
  z.array(item, { error: ({ input }) => `must be a list of ${what}, got ${quote(input)}` });

export const map = <T extends z.ZodType>(names: RegExp, named: string, value: T) =>
  z.record(z.string().regex(names), value, {
    error: ({ code, input }) => (code === 'invalid_key' ? `is not ${named}` : `must be a map, got ${quote(input)}`),
  });

/** Deeper than any request that a deployer takes. */
const DEEPEST = 20;

/** JSON in whose texts names of variables are filled in. */
export const json = (substitute: Substitute) =>
  z.unknown().transform((given, context): JsonTemplate => {
    const refuse = (message: string): null => {
      context.addIssue({ code: 'custom', message });
      return null;
    };
    const fill = (part: unknown, depth: number): JsonTemplate => {
      if (depth > DEEPEST) return refuse(`must not be deeper than ${DEEPEST} levels`);
      if (typeof part === 'string') {
        const { text, fault } = substitute(part);
        return text ?? refuse(fault);
      }
      if (part === null || typeof part === 'boolean' || typeof part === 'number') return part;
      if (Array.isArray(part)) return part.map((item) => fill(item, depth + 1));
      if (typeof part !== 'object') return refuse(`must be what JSON can say, got ${quote(part)}`);
      return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, fill(value, depth + 1)]));
    };
    return typeof given === 'object' && given !== null
      ? fill(given, 1)
      : refuse(`must be a map or a list, got ${quote(given)}`);
  });

/** A value in whose text names of variables are filled in before it is checked. */
export const filling =
  (substitute: Substitute) =>
  <T>(kind: Kind<T>, spoken: Spoken = quote) =>
    z.unknown().transform((given, context): T => {
      const substituted = typeof given === 'string' ? substitute(given) : null;
      const parsed = kind.schema.safeParse(substituted?.text ?? given);
      if (substituted?.fault === undefined && parsed.success) return parsed.data;
      const changed = substituted !== null && substituted.text !== given ? ' with its names filled in' : '';
      const message = substituted?.fault ?? `${refusal(kind, given, spoken)}${changed}`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    });
