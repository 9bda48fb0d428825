/** How Django and its JSON renderer write values: the same bytes for the same values, so that lengths can be compared. */

/** Columns that are floats: `65535.0`. */
const FLOATS = new Set(['sort_order', 'sequence', 'epoch']);

/** Compact JSON with floats written as floats. */
export function toJson(value: unknown, key = ''): string {
  if (typeof value === 'number') return FLOATS.has(key) && Number.isInteger(value) ? `${value}.0` : String(value);
  if (Array.isArray(value)) return `[${value.map((entry) => toJson(entry)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([name, entry]) => `${JSON.stringify(name)}:${toJson(entry, name)}`)
      .join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

/** Epoch microseconds as `2026-11-23T23:02:59.751950Z`; without a fraction where it is zero. */
export function timestamp(micros: number): string {
  const seconds = new Date(Math.floor(micros / 1_000_000) * 1000).toISOString().slice(0, 19);
  const fraction = micros % 1_000_000;
  return fraction === 0 ? `${seconds}Z` : `${seconds}.${String(fraction).padStart(6, '0')}Z`;
}

/** `Awaiting Deploy` becomes `awaiting-deploy`. */
export const slugify = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/[\s-]+/g, '-');
