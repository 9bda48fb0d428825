/** The most characters of a payload that are shown. */
const LENGTH = 200;

/** What is nested deeper is not shown: 40 KB of brackets are nested so deep that to walk through them overflows the stack. */
const DEPTH = 4;

/**
 * Anything as the beginning of its JSON, for a message. It looks no further than what it shows, so that it costs next to nothing
 * whatever it is given. Never throws.
 */
export function shown(value: unknown): string {
  const text = beginning(value, LENGTH + 1, DEPTH);
  return text.length > LENGTH ? `${text.slice(0, LENGTH)}…` : text;
}

/** @param room enough characters to build; it may return more */
function beginning(value: unknown, room: number, depth: number): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, room));
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) {
    return depth === 0 ? '[…]' : `[${joined(value, room, (element, left) => beginning(element, left, depth - 1))}]`;
  }
  const property = ([key, of]: readonly [string, unknown], left: number): string =>
    `${JSON.stringify(key.slice(0, left))}:${beginning(of, left, depth - 1)}`;
  return depth === 0 ? '{…}' : `{${joined(entriesOf(value), room, property)}}`;
}

function joined<T>(parts: Iterable<T>, room: number, show: (part: T, left: number) => string): string {
  let text = '';
  for (const part of parts) {
    if (text.length > room) break;
    text += `${text === '' ? '' : ','}${show(part, room - text.length)}`;
  }
  return text;
}

function* entriesOf(value: object): Generator<readonly [string, unknown]> {
  for (const key in value) yield [key, Reflect.get(value, key)];
}
