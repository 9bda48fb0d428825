/** The number of single-character changes that lead from one text to another. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const changed = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** Longest name that is compared, characters: the time goes with its square. */
const LONGEST = 100;

/** The known name that was probably meant, whatever its case; `null` where none is near. */
export function nearest(name: string, known: Iterable<string>): string | null {
  if (name.length > LONGEST) return null;
  const given = name.toLowerCase();
  let best: string | null = null;
  let least = Math.max(1, Math.floor(given.length / 4)) + 1;
  for (const candidate of known) {
    const changes = distance(given, candidate.toLowerCase());
    if (changes < least) [best, least] = [candidate, changes];
  }
  return best;
}

/** ` (did you mean x?)`, or nothing. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const meant = nearest(name, known);
  return meant === null ? '' : ` (did you mean ${meant}?)`;
}
