import { visible, visibleJson } from '../decisions/shown-text.ts';
import type { Paint } from './format/text.ts';
import { besideColours, coloured, plain } from './format/text.ts';

/** One of the two streams of the process. */
export interface Stream {
  /** @param over how many lines of a terminal it is written over; default 0 */
  readonly write: (text: string, over?: number) => void;
  readonly tty: boolean;
  readonly colour: boolean;
  /** Size of the terminal as it is now. */
  readonly size: () => { readonly columns: number; readonly rows: number };
}

export interface Terminal {
  readonly stdout: Stream;
  readonly stderr: Stream;
}

/** Results go to stdout and everything else to stderr; with `--json` each is one JSON value a line. */
export interface Output {
  readonly json: boolean;
  readonly paint: Paint;
  /** A result, in words or as data. */
  readonly result: (words: string, data: unknown) => void;
  /** What is worth knowing beside the result. */
  readonly note: (text: string) => void;
  readonly stdout: Stream;
  readonly stderr: Stream;
}

export const paintOf = ({ colour }: Stream): Paint => (colour ? coloured : plain);

/**
 * The same stream, on which our own colours are all that can steer a terminal: whatever is printed need not know where its texts are
 * from.
 */
export const guarded = (stream: Stream): Stream => ({
  ...stream,
  write: (text, over) => stream.write(stream.colour ? besideColours(visible, text) : visible(text), over),
});

/** A value as one line of JSON that may stand in a terminal. */
export const jsonLine = (data: unknown): string => `${visibleJson(JSON.stringify(data))}\n`;

export const createOutput = ({ stdout, stderr }: Terminal, json: boolean): Output => ({
  json,
  paint: json ? plain : paintOf(stdout),
  result: (words, data) => stdout.write(json ? jsonLine(data) : `${words}\n`),
  note: (text) => stderr.write(json ? jsonLine({ note: text }) : `${visible(text)}\n`),
  stdout,
  stderr,
});
