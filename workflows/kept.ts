/** The most entries of a list that is shown to people. */
const MOST = 100;

/** Of a long list of notes or messages as many of the first, which say how it began, as of the last. */
export const kept = <T>(all: readonly T[]): readonly T[] =>
  all.length <= MOST ? all : [...all.slice(0, MOST / 2), ...all.slice(-MOST / 2)];
