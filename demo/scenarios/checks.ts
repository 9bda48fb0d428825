/** One expectation, and what an authority said about it. */
export interface Check {
  readonly what: string;
  readonly expected: string;
  readonly seen: string;
  readonly ok: boolean;
}

type Plain = string | number | boolean | null | readonly (string | number)[];

const shown = (value: Plain): string => {
  if (value === null) return '–';
  if (typeof value !== 'object') return String(value);
  return value.length === 0 ? 'none' : value.join(', ');
};

/** Exactly the same. */
export function same(what: string, expected: Plain, seen: Plain): Check {
  const [wanted, is] = [shown(expected), shown(seen)];
  return { what, expected: wanted, seen: is, ok: wanted === is };
}

/** Whatever holds is judged by the caller; `expected` says it in words. */
export const holds = (what: string, expected: string, seen: Plain, ok: boolean): Check => ({
  what,
  expected,
  seen: shown(seen),
  ok,
});
