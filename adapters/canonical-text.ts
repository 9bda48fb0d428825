/** A text in which different spellings of the same are the same, and where each of its characters comes from. */
export interface CanonicalText {
  readonly text: string;
  /** The part of the original from the character at `from` up to that at `to`. */
  readonly origin: (from: number, to: number) => readonly [from: number, to: number];
}

/**
 * Percent encoding, escapes of JSON, C and shells, the quotes that end and begin a shell's word again, and blanks: a form
 * writes `+` for one, and a value of several lines may be printed in one.
 */
const SPELLING =
  /(?:%[0-9a-f]{2})+|(?:\\u[0-9a-f]{4})+|(?:\\x[0-9a-f]{2})+|\\[nrtbf]|\\[^a-z0-9]|'{2,}|(?! (?![\s+\p{Cc}]))[\s+\p{Cc}]+/giu;

function plain(spelling: string): string {
  const kind = spelling.slice(0, 2).toLowerCase();
  if (kind.startsWith('%') || kind === '\\x')
    return Buffer.from(spelling.replaceAll(/%|\\x/gi, ''), 'hex').toString('utf8');
  if (kind === '\\u')
    return spelling.replaceAll(/\\u(.{4})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  if (/^\\[nrtbf]$/.test(kind)) return ' ';
  if (kind.startsWith('\\')) return spelling.slice(1);
  return kind === "''" ? "'" : ' ';
}

/** An encoded text may be encoded once more; a text that then still changes is left as it is. Most need one pass. */
const PASSES = 6;

/** Takes time in proportion to the length of the text. Never throws. */
export function canonical(original: string): CanonicalText {
  let text = original;
  let from: number[] | null = null; // of each character; `null`: it stands where it stood
  let to: number[] = [];
  for (let pass = 0; pass < PASSES; pass += 1) {
    const before = { from, to };
    const start = (at: number): number => before.from?.[at] ?? at;
    const end = (at: number): number => (before.from === null ? at + 1 : (before.to[at] ?? at + 1));
    const pieces: string[] = [];
    const starts: number[] = [];
    const ends: number[] = [];
    let read = 0;
    const keepUpTo = (at: number): void => {
      pieces.push(text.slice(read, at));
      for (; read < at; read += 1) {
        starts.push(start(read));
        ends.push(end(read));
      }
    };
    for (const { 0: spelling, index } of text.matchAll(SPELLING)) {
      keepUpTo(index);
      const meant = plain(spelling);
      read = index + spelling.length;
      pieces.push(meant);
      for (let unit = 0; unit < meant.length; unit += 1) {
        starts.push(start(index));
        ends.push(end(read - 1));
      }
    }
    if (pieces.length === 0) break;
    keepUpTo(text.length);
    const next = pieces.join('');
    if (next === text) break;
    [text, from, to] = [next, starts, ends];
  }
  return { text, origin: (first, last) => [from?.[first] ?? first, from === null ? last : (to[last - 1] ?? last)] };
}
