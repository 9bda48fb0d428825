import { StringDecoder } from 'node:string_decoder';
import { stripVTControlCharacters } from 'node:util';

/** Longest line that is kept, characters; the rest of a longer one is dropped. */
export const MAX_LINE = 2_000;

export interface LineReader {
  write(chunk: Uint8Array): void;
  /** Hands over what stands after the last line break. */
  end(): void;
}

/**
 * Cuts output into lines as it comes, with bounded memory. Colours and other control characters are left out, and so are
 * blank lines; a progress bar that goes back to the line's beginning begins a new line.
 * @param masked what is shown of a line; `cut`: its end was dropped
 */
export function createLineReader(
  onLine: (line: string) => void,
  masked = (line: string, _cut: boolean): string => line,
): LineReader {
  const decoder = new StringDecoder('utf8');
  let pending = '';
  let dropped = false;

  const keep = (piece: string): void => {
    const room = MAX_LINE - pending.length;
    dropped ||= piece.length > room;
    pending += piece.slice(0, room);
  };
  const flush = (): void => {
    const line = stripVTControlCharacters(pending)
      .replaceAll(/\p{Cc}/gu, ' ')
      .trimEnd();
    if (line !== '') onLine(dropped ? `${masked(line, true)}…` : masked(line, false));
    pending = '';
    dropped = false;
  };
  const take = (text: string): void => {
    const [first = '', ...others] = text.split(/\r\n|\n|\r/);
    keep(first);
    for (const piece of others) {
      flush();
      keep(piece);
    }
  };
  return {
    write: (chunk) => take(decoder.write(Buffer.from(chunk))),
    end() {
      take(decoder.end());
      flush();
    },
  };
}

/** The last lines of an output, for a message: at most 20 of them and 2 000 characters. */
export function createTail() {
  const MOST = 20;
  const kept: string[] = [];
  return {
    add(line: string): void {
      kept.push(line);
      if (kept.length > MOST) kept.shift();
    },
    last: (): string | undefined => kept.at(-1),
    text(): string {
      let text = '';
      for (const line of kept.toReversed()) {
        if (text.length + line.length > MAX_LINE) break;
        text = text === '' ? line : `${line}\n${text}`;
      }
      return text === '' ? (kept.at(-1)?.slice(-MAX_LINE) ?? '') : text;
    },
  };
}
