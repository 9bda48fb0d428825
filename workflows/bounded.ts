// Temporal takes 2 MB for a payload. What grows with the world is kept below that; docs/reliability.md has the bounds.

const utf8 = new TextEncoder();

/** The bytes of a value as JSON in UTF-8, as Temporal counts them. */
export const bytesOf = (value: unknown): number => utf8.encode(JSON.stringify(value)).length;

const MORE = '…';

/** The beginning of a text, at most so many bytes of JSON between its quotes. What was cut ends with `…`. */
export function beginning(text: string, mostBytes: number): string {
  // A character takes at least as many bytes as units, and at most six times as many. Thousands of texts may come at once.
  if (text.length * 6 <= mostBytes || (text.length <= mostBytes && bytesOf(text) - 2 <= mostBytes)) return text;
  let room = mostBytes - utf8.encode(MORE).length;
  let end = 0;
  for (const character of text) {
    room -= bytesOf(character) - 2;
    if (room < 0) break;
    end += character.length;
  }
  return `${text.slice(0, end)}${MORE}`;
}

/** The first of a list, as many as together take at most so many bytes of JSON. */
export function firstOf<T>(all: readonly T[], mostBytes: number): readonly T[] {
  let room = mostBytes - 1; // two brackets, and a comma less than there are entries
  const tooMany = all.findIndex((each) => {
    room -= bytesOf(each) + 1;
    return room < 0;
  });
  return tooMany < 0 ? all : all.slice(0, tooMany);
}

/** The most of what the Temporal UI shows at a glance: escaped, a text may be several times as long as it was. */
const DETAILS_BYTES = 600_000;

/** Lines of Markdown as the current details, the last ones left out where there are too many. */
export const detailsOf = (lines: readonly string[]): string => firstOf(lines, DETAILS_BYTES).join('\n');
