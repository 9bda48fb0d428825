/** A field of anything at all; `undefined` where there is none, or where reading it fails. Never throws. */
export function field(value: unknown, key: string): unknown {
  try {
    return Reflect.get(Object(value), key);
  } catch {
    return undefined;
  }
}

/** A field that is a number; `NaN` where it is none. Arithmetic with anything else could throw. Never throws. */
export function numberIn(value: unknown, key: string): number {
  const found = field(value, key);
  return typeof found === 'number' ? found : Number.NaN;
}

/**
 * The items of a list; none where it is no list. Each is read by itself, so that one that cannot be read spoils no other,
 * and by its key, so that the holes of a list that claims to be endless are not walked through. Never throws.
 */
export function items(value: unknown): unknown[] {
  try {
    if (!Array.isArray(value)) return [];
    return Object.keys(value)
      .filter((key) => /^\d+$/.test(key))
      .map((key) => field(value, key));
  } catch {
    return [];
  }
}
