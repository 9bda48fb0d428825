import { parseJson, parseJsonExactly } from '../http/json.ts';
import { valueAt } from '../http/json-pointer.ts';
import type { Body } from '../http/read-body.ts';

/** What a placeholder was filled into: it may as well be a number that is written so, such as the version 42. */
interface Written {
  readonly written: string;
}

/** JSON pointer -> the value expected there. */
export type Expected = Readonly<Record<string, string | number | boolean | null | Written>>;

export type Expectation = { readonly health: 'pass' } | { readonly health: 'fail' | 'unknown'; readonly why: string };

/** No JSON begins otherwise, so that of a body that is too long to be read it is certain all the same. */
const BEGINS_LIKE_JSON = /^\s*[[{"\-\dtfn]/;

/**
 * Whether a body says what is expected of it. What is no JSON, or says something else, is production's failure; JSON that
 * is longer than what is read here is ours. Never throws.
 * @param mask hides secrets in what is shown, before that is shortened: an answer may repeat the request
 */
export function meetsExpectation(body: Body, expected: Expected, mask = (text: string): string => text): Expectation {
  if (body.unreadable !== undefined) {
    return { health: body.ours ? 'unknown' : 'fail', why: `the answer cannot be read: ${body.unreadable}` };
  }
  const { text, complete } = body;
  if (!complete && BEGINS_LIKE_JSON.test(text)) {
    return { health: 'unknown', why: `the answer is longer than the ${text.length} characters that are read of it` };
  }
  const document = parseJson(text);
  if (document === undefined) return { health: 'fail', why: 'the answer is not JSON' };
  for (const [pointer, wanted] of Object.entries(expected)) {
    const filled = typeof wanted === 'object' && wanted !== null;
    const found = valueAt(filled ? parseJsonExactly(text) : document, pointer);
    const value = filled ? wanted.written : wanted;
    if (found === value || (filled && typeof found === 'number' && String(found) === value)) continue;
    const got = found === undefined ? 'nothing' : shown(found, mask);
    return { health: 'fail', why: `${pointer || 'the answer'} is ${got}, expected ${shown(value, mask)}` };
  }
  return { health: 'pass' };
}

const shown = (value: unknown, mask: (text: string) => string): string =>
  typeof value === 'object' && value !== null ? 'no single value' : mask(JSON.stringify(value)).slice(0, 40);
