/** So many ignored signals are shown and logged one by one. Thousands may come, and a workflow task that takes seconds fails. */
const FEW = 20;

/** Whether the n-th ignored signal is logged, and shown at once in the details. Later ones are seldom, yet never silent. */
export const isWorthTelling = (n: number): boolean => n <= FEW || Number.isInteger(Math.log2(n));

/** What the details say of more of them than are shown one by one. */
export const manyIgnored = (ignoredSignals: number): readonly string[] =>
  ignoredSignals > FEW ? [`${ignoredSignals} signals were ignored; of all notes the first and the last are kept.`] : [];
