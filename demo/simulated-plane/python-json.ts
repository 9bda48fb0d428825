/**
 * JSON as Python reads and writes it: the fault of what is none in the words of Python's own parser, which Plane passes on (132, 20d), and
 * the bytes that its webhooks are signed over (520).
 */

export type Parsed = { value: unknown } | { fault: string };

/** Never throws. */
export function parseLikePython(text: string): Parsed {
  try {
    return { value: JSON.parse(text) };
  } catch {
    const { what, at } = firstFault(text);
    const before = text.slice(0, at).split('\n');
    const column = (before.at(-1)?.length ?? 0) + 1;
    return { fault: `${what}: line ${before.length} column ${column} (char ${at})` };
  }
}

interface Fault {
  readonly what: string;
  readonly at: number;
}

class Found extends Error {
  readonly fault: Fault;
  constructor(what: string, at: number) {
    super(what);
    this.fault = { what, at };
  }
}

function firstFault(text: string): Fault {
  try {
    const end = skipSpace(text, value(text, skipSpace(text, 0)));
    return { what: 'Extra data', at: end };
  } catch (error) {
    if (error instanceof Found) return error.fault;
    throw error;
  }
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (' \t\n\r'.includes(text.charAt(at)) && at < text.length) at += 1;
  return at;
}

/** The end of the value that begins at `at`. */
function value(text: string, at: number): number {
  if (text.charAt(at) === '{') return members(text, at);
  if (text.charAt(at) === '[') return elements(text, at);
  if (text.charAt(at) === '"') return string(text, at);
  const literal = /^(?:null|true|false|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)/.exec(text.slice(at));
  if (literal === null) throw new Found('Expecting value', at);
  return at + literal[0].length;
}

function string(text: string, at: number): number {
  const match = /^"(?:[^"\\]|\\.)*"/s.exec(text.slice(at));
  if (match === null) throw new Found('Unterminated string starting at', at);
  return at + match[0].length;
}

function members(text: string, start: number): number {
  let at = skipSpace(text, start + 1);
  if (text.charAt(at) === '}') return at + 1;
  for (;;) {
    if (text.charAt(at) !== '"') throw new Found('Expecting property name enclosed in double quotes', at);
    at = skipSpace(text, string(text, at));
    if (text.charAt(at) !== ':') throw new Found("Expecting ':' delimiter", at);
    at = skipSpace(text, value(text, skipSpace(text, at + 1)));
    if (text.charAt(at) === '}') return at + 1;
    if (text.charAt(at) !== ',') throw new Found("Expecting ',' delimiter", at);
    at = skipSpace(text, at + 1);
  }
}

function elements(text: string, start: number): number {
  let at = skipSpace(text, start + 1);
  if (text.charAt(at) === ']') return at + 1;
  for (;;) {
    at = skipSpace(text, value(text, at));
    if (text.charAt(at) === ']') return at + 1;
    if (text.charAt(at) !== ',') throw new Found("Expecting ',' delimiter", at);
    at = skipSpace(text, at + 1);
  }
}

/** Plane's floats, which Python writes with a fraction. */
const FLOATS = new Set(['sort_order']);

/** As Python's `json.dumps`: a space behind commas and colons, everything beyond ASCII escaped. */
export function dumpLikePython(value: unknown, key = ''): string {
  if (Array.isArray(value)) return `[${value.map((one) => dumpLikePython(one)).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([name, member]) => `${quoted(name)}: ${dumpLikePython(member, name)}`);
    return `{${members.join(', ')}}`;
  }
  if (typeof value === 'string') return quoted(value);
  return FLOATS.has(key) && Number.isInteger(value) ? `${value}.0` : JSON.stringify(value);
}

const quoted = (text: string): string =>
  JSON.stringify(text).replaceAll(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
