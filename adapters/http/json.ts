/** A JSON text as a value; `undefined` where it is none. Never throws. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Texts are matched, too, so that the digits within them are left alone. */
const TEXT_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;

/**
 * The same, for what may be an id or a version: a number that JavaScript would write in another way (12345678901234567890, 1.10)
 * becomes the text of it, digit for digit. Never throws.
 */
export function parseJsonExactly(text: string): unknown {
  const value = parseJson(text);
  return value === undefined
    ? undefined
    : parseJson(text.replaceAll(TEXT_OR_NUMBER, (found) => (isAltered(found) ? `"${found}"` : found)));
}

const isAltered = (found: string): boolean => !found.startsWith('"') && String(Number(found)) !== found;
