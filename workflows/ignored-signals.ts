/** What is noted of one. Its name may be of any length. */
export const ignoredWords = (signal: string, why: string): string =>
  `the signal ${signal.slice(0, 100)} was ignored: ${why}`;

/** So many ignored signals are logged one by one. Thousands may come, and a workflow task that takes seconds fails. */
const FEW = 20;

/** Whether the n-th ignored signal is logged: the first 20, and after that those whose number is a power of two. */
export const isWorthTelling = (n: number): boolean => n <= FEW || Number.isInteger(Math.log2(n));

/** A line that sums them up, once there are more than a few. */
export const manyIgnored = (ignoredSignals: number): readonly string[] =>
  ignoredSignals > FEW
    ? [`${ignoredSignals} signals were ignored. Of more than 100 notes the first and last 50 are kept.`]
    : [];
