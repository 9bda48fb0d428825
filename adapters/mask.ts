// What is configured as a secret, or could be one, and is printed by somebody else is shown as `***`.

/** Shorter values are not masked: they would garble ordinary words, and tell where else they occur. */
export const MIN_SECRET = 6;

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

/** From one offset of a text up to another. */
type Span = readonly [from: number, to: number];

/** Hides each of these values. Values of several lines are hidden line by line as well. */
export function createMask(secrets: Iterable<string>): Mask {
  const forms = [...new Set([...secrets].flatMap(formsOf))].filter((form) => form.length >= MIN_SECRET);

  const spansIn = (text: string): Span[] =>
    forms.flatMap((form) => {
      const spans: Span[] = [];
      for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + 1)) spans.push([at, at + form.length]);
      return spans;
    });

  return {
    text: (text) => hide(text, spansIn(text)),
    lines: () => {
      /** What is missing of the secrets with whose beginnings the line before ended. */
      let missing: string[] = [];
      return (line, cut) => {
        const spans = spansIn(line);
        const still: string[] = [];
        for (const rest of missing) {
          if (line.startsWith(rest)) spans.push([0, rest.length]);
          else if (rest.startsWith(line)) {
            spans.push([0, line.length]);
            still.push(rest.slice(line.length));
          }
        }
        for (const form of forms) {
          for (const length of beginningsAtEnd(line, form)) {
            if (cut || length >= MIN_SECRET) spans.push([line.length - length, line.length]);
            if (!cut) still.push(form.slice(length));
          }
        }
        missing = still;
        return hide(line, spans);
      };
    },
  };
}

/** How many characters of a secret a text ends with, without all of it; there may be several answers. */
function beginningsAtEnd(text: string, secret: string): number[] {
  const lengths: number[] = [];
  for (let length = Math.min(secret.length - 1, text.length); length > 0; length -= 1) {
    if (text.endsWith(secret.slice(0, length))) lengths.push(length);
  }
  return lengths;
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

/** The forms in which a value may be printed: as it is, line by line, without control characters, in JSON and in a URL. */
function formsOf(secret: string): string[] {
  const lines = secret.split(/\r\n|\n|\r/).map((line) => line.replaceAll(/\p{Cc}/gu, ' '));
  const plain = [secret, ...lines].flatMap((value) => [value.trim(), ...passwordOf(value)]);
  return plain.flatMap((value) => [value, JSON.stringify(value).slice(1, -1), encoded(value)]);
}

/** What of a URL with credentials could be a secret by itself: the password, or a user name without one, such as a token. */
function passwordOf(value: string): string[] {
  const [, credentials = ''] = /^[a-z][a-z0-9+.-]*:\/\/([^/\s]*)@/i.exec(value) ?? [];
  const [user = '', ...password] = credentials.split(':');
  const [, inQuery = ''] = /[?&]password=([^&#]*)/i.exec(value) ?? [];
  const secret = password.length > 0 ? password.join(':') : user;
  return [secret, inQuery].flatMap((each) => [each, decoded(each)]);
}

function encoded(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    return text; // half a surrogate pair
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Headers whose values are known to everybody. */
const PUBLIC_HEADER = /^(accept(-.+)?|content-type|user-agent|host|cache-control|x-github-api-version)$/i;

/** What of configured headers could be a secret: `Bearer abc…` as a whole, and without its first word. */
export const secretsInHeaders = (headers: Readonly<Record<string, string>>): string[] =>
  Object.entries(headers).flatMap(([name, value]) =>
    PUBLIC_HEADER.test(name) || /\{\w+\}/.test(value) ? [] : [value, value.replace(/^[A-Za-z]+ +/, '')],
  );
