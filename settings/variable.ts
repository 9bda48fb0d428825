import { holdsCredentials } from './faults.ts';
import type { Kind } from './kinds.ts';

/** One environment variable: what is accepted, what holds without it, and its help. */
export interface Variable<T> {
  readonly kind: Kind<unknown>;
  /** Checks a plain value. */
  readonly parse: (plain: unknown) => { readonly value: T } | null;
  /** What holds where it is not set; `undefined`: it must be set. */
  readonly unset: { readonly value: T } | undefined;
  /** The default as it would be written; `null`: there is none. */
  readonly default: string | null;
  /** How the default depends on other variables. */
  readonly follows: string | null;
  /** One sentence, or two. */
  readonly help: string;
  /** Never shown, and may come from a file that `<NAME>_FILE` names. */
  readonly secret: boolean;
  /** The text as it may be shown to anybody. */
  readonly shown: (text: string) => string;
}

const parser =
  <T>({ schema }: Kind<T>) =>
  (plain: unknown): { readonly value: T } | null => {
    const parsed = schema.safeParse(plain);
    return parsed.success ? { value: parsed.data } : null;
  };

const HIDDEN = '***';
const shown = (text: string): string => (holdsCredentials(text) ? HIDDEN : text);

const common = { unset: undefined, default: null, follows: null, secret: false, shown } as const;

export const required = <T>(kind: Kind<T>, help: string): Variable<T> => ({
  ...common,
  kind,
  parse: parser(kind),
  help,
});

/** `null` where it is not set. */
export const optional = <T>(kind: Kind<T>, help: string): Variable<T | null> => ({
  ...required<T | null>(kind, help),
  unset: { value: null },
});

/** @throws where the default, written as it would be in the environment, is not acceptable itself. */
export function withDefault<T>(kind: Kind<T>, written: string, help: string): Variable<T> {
  const unset = parser(kind)(kind.fromText(written));
  if (unset === null) throw new TypeError(`the default ${written} is not ${kind.accepts}`);
  return { ...required(kind, help), unset, default: written };
}

/** `null` where it is not set: what holds then is worked out from other settings, as `follows` says. */
export const derived = <T>(kind: Kind<T>, written: string, follows: string, help: string): Variable<T | null> => ({
  ...optional(kind, help),
  default: written,
  follows,
});

/** `masked`: what of it is no secret. */
export const secret = <T>(variable: Variable<T>, masked = (_: string): string => HIDDEN): Variable<T> => ({
  ...variable,
  secret: true,
  shown: masked,
});
