/** What has been added to a list of notes or messages. By content: of a long list a run keeps the first and the last only. */
export function news<T>(before: readonly T[], after: readonly T[]): readonly T[] {
  const known = new Set(before.map((entry) => JSON.stringify(entry)));
  return after.filter((entry) => !known.has(JSON.stringify(entry)));
}
