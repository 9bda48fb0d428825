import { canonical } from './canonical-text.ts';
import { type Beginning, createPatternSearch, type Span } from './pattern-search.ts';

// What is configured as a secret, or could be one, and is printed by somebody else is shown as `***`.

/** Shorter values are not masked: they would garble ordinary words, and tell where else they occur. */
export const MIN_SECRET = 6;

/** A line of a secret may be as short, where it is all of a line; a shorter one is masked only behind the line before it. */
const MIN_LINE = 3;

/** An escape whose end is missing. */
const PARTIAL = /(%[0-9a-f]?|\\(u[0-9a-f]{0,3}|x[0-9a-f]?)?)$/i;

/** What an output may put before each of its lines, such as `[deploy] `, characters. */
const MAX_PREFIX = 40;

/** Of the beginnings of secrets with which a line ends, so many are looked for in the next one. */
const MAX_BEGINNINGS = 8;

const HIDDEN = '***';

export interface Mask {
  /** The text with `***` in place of each secret. Never throws. */
  readonly text: (text: string) => string;
  /**
   * The same for lines of one output, which come one by one: a secret may go on in the next line.
   * `cut`: the end of the line is missing, and with it perhaps the end of a secret.
   */
  readonly lines: () => (line: string, cut: boolean) => string;
}

/**
 * Hides each of these values, however it is encoded (`canonical`). Values of several lines are hidden line by line as well.
 * A line takes time in proportion to its length, however many secrets there are.
 */
export function createMask(secrets: Iterable<string>): Mask {
  const values = [...new Set(secrets)].filter((secret) => secret.trim().length >= MIN_SECRET);
  const lined = values.flatMap(linesOf);
  const forms = [...values, ...lined].flatMap((value) => [value, ...passwordOf(value)]).map((value) => value.trim());
  // As they are, too: what stands before a secret may look like the beginning of an escape.
  const patterns = [...forms, ...forms.map(canonicalOf)].filter((form) => form.length >= MIN_SECRET);
  const search = createPatternSearch(new Set(patterns));
  const shortLines = new Set(
    lined.map(canonicalOf).filter((line) => line.length >= MIN_LINE && line.length < MIN_SECRET),
  );

  /** `least`: how long a beginning of a secret at the end of a line must be to be hidden. */
  const reader = () => {
    /** The beginnings of secrets with which the line before ended. */
    let open: readonly Beginning[] = [];
    return (line: string, least: number): string => {
      const read = canonical(line);
      const shown = withoutEnd(least === 1 ? read.text.replace(PARTIAL, '') : read.text);
      const begin = shown.startsWith(' ') ? 1 : 0;
      if (begin >= shown.length) return line; // a blank line ends no secret

      const { spans, beginnings } = search.in(shown);
      const { length = 0 } = beginnings[0] ?? {};
      if (length > 0 && length >= least) spans.push([shown.length - length, shown.length]);
      if (shortLines.has(shown.slice(begin))) spans.push([begin, shown.length]);
      const further = open.flatMap((beginning) => continued(beginning, shown, begin));
      spans.push(...further.map(({ span }) => span));
      const still = further.flatMap(({ beginning }) => beginning ?? []);
      open = [...still, ...beginnings].slice(0, MAX_BEGINNINGS).flatMap(overBlank);

      const asItIs = shown === line ? [] : search.in(line).spans;
      return hide(line, [...spans.map(([from, to]) => read.origin(from, to)), ...asItIs]);
    };
  };

  return {
    lines() {
      const masked = reader();
      return (line, cut) => masked(line, cut ? 1 : MIN_SECRET);
    },
    text(text) {
      const masked = reader();
      const lines = text.split('\n');
      return lines.map((line, at) => masked(line, at < lines.length - 1 ? MIN_SECRET : Infinity)).join('\n');
    },
  };
}

const canonicalOf = (text: string): string => canonical(text).text.trim();

/** Without the blanks and the backslash with which a line may say that it goes on. */
function withoutEnd(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === ' ' || text[end - 1] === '\\')) end -= 1;
  return text.slice(0, end);
}

/** A value may be wrapped at one of its blanks. */
function overBlank(beginning: Beginning): Beginning[] {
  const next = beginning.next.get(' ');
  return next === undefined ? [beginning] : [beginning, next];
}

interface Further {
  readonly span: Span;
  /** `null`: the secret ends in this line. */
  readonly beginning: Beginning | null;
}

/** How a secret goes on in a line that followed its beginning: at once, or behind a prefix where enough of it is seen. */
function continued(beginning: Beginning, line: string, begin: number): Further[] {
  for (let from = begin; from <= begin + MAX_PREFIX && from < line.length; from += 1) {
    if (from > begin && /[\p{L}\p{N}]/u.test(line[from - 1] ?? '')) continue;
    const { at, to, wholeTo } = along(beginning, line, from);
    const [end, seen] = to === line.length ? [to, at.length] : [wholeTo, beginning.length + wholeTo - from];
    if (end > from && (from === begin || seen >= MIN_SECRET))
      return [{ span: [from, end], beginning: to === line.length && at.next.size > 0 ? at : null }];
  }
  return [];
}

/** As far as a line from an offset on continues the patterns of a beginning; `wholeTo`: up to the end of the last whole one. */
function along(beginning: Beginning, line: string, from: number) {
  let at = beginning;
  let to = from;
  let wholeTo = from;
  for (let next = at.next.get(line.charAt(to)); next !== undefined; next = at.next.get(line.charAt(to))) {
    at = next;
    to += 1;
    if (at.whole) wholeTo = to;
  }
  return { at, to, wholeTo };
}

/** Spans that overlap are one: a shorter secret must not leave the rest of a longer one. */
function hide(text: string, spans: readonly Span[]): string {
  let shown = '';
  let end = 0;
  for (const [from, to] of spans.toSorted(([a], [b]) => a - b)) {
    if (from > end || (end === 0 && shown === '')) shown += `${text.slice(end, from)}${HIDDEN}`;
    end = Math.max(end, to);
  }
  return shown + text.slice(end);
}

/** The lines of a value that has several. */
function linesOf(secret: string): string[] {
  const lines = secret.trim().split(/\r\n|\n|\r/);
  return lines.length > 1 ? lines : [];
}

/** What of a URL with credentials could be a secret by itself: the password, or a user name without one, such as a token. */
function passwordOf(value: string): string[] {
  const [, credentials = ''] = /^[a-z][a-z0-9+.-]*:\/\/([^/\s]*)@/i.exec(value.trim()) ?? [];
  const [user = '', ...password] = credentials.split(':');
  const [, inQuery = ''] = /[?&]password=([^&#]*)/i.exec(value) ?? [];
  return [password.length > 0 ? password.join(':') : user, inQuery];
}

/** Headers whose values are known to everybody. */
const PUBLIC_HEADER = /^(accept(-.+)?|content-type|user-agent|host|cache-control|x-github-api-version)$/i;

/**
 * What of configured headers could be a secret: `Bearer abc…` as a whole, and without its first word; of a value with
 * placeholders what stands around them.
 */
export const secretsInHeaders = (headers: Readonly<Record<string, string>>): string[] =>
  Object.entries(headers).flatMap(([name, value]) => {
    if (PUBLIC_HEADER.test(name)) return [];
    const credentials = value.replace(/^[A-Za-z]+ +/, '');
    const parts = credentials.split(/\{\w+\}/);
    return parts.length === 1 ? [value, credentials] : parts.filter((part) => part.length >= MIN_SECRET);
  });
