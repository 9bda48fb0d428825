import type { Dispatcher } from 'undici';

/** The first value of a header of an answer, by its lower-case name; `null` where there is none. */
export function header(headers: Dispatcher.ResponseData['headers'], name: string): string | null {
  const value = headers[name];
  return Array.isArray(value) ? (value[0] ?? null) : (value ?? null);
}

/** Headers by their lower-case names, so that one replaces another whatever its spelling. */
export const lowerCased = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
