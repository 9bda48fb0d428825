import type { Paint } from './format/text.ts';
import { coloured, plain } from './format/text.ts';

/** One of the two streams of the process. */
export interface Stream {
  readonly write: (text: string) => void;
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

export const createOutput = ({ stdout, stderr }: Terminal, json: boolean): Output => ({
  json,
  paint: json ? plain : paintOf(stdout),
  result: (words, data) => stdout.write(`${json ? JSON.stringify(data) : words}\n`),
  note: (text) => stderr.write(`${json ? JSON.stringify({ note: text }) : text}\n`),
  stdout,
  stderr,
});
