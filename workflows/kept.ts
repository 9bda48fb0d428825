import { beginning } from './bounded.ts';

/** The most entries of a list that is shown to people. */
const MOST = 100;

/** Of a long list of notes or messages as many of the first, which say how it began, as of the last. */
export const kept = <T>(all: readonly T[]): readonly T[] =>
  all.length <= MOST ? all : [...all.slice(0, MOST / 2), ...all.slice(-MOST / 2)];

/** The longest note, in bytes: it may repeat what somebody else has said. */
const NOTE_BYTES = 1_500;

type Notes = readonly { readonly at: number; readonly text: string }[];

/** The notes and one more: of many the first and the last are kept, and of a long one the beginning. */
export const withNote = (notes: Notes, text: string, at: number): Notes =>
  kept([...notes, { at, text: beginning(text, NOTE_BYTES) }]);
