/** A length of time for people: `250 ms`, `1.5 s`, `15 min`, `2 h`. Never throws. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000 && ms % 60_000 !== 0) return `${Number((ms / 1_000).toFixed(1))} s`;
  if (ms < 7_200_000 && ms % 3_600_000 !== 0) return `${Number((ms / 60_000).toFixed(1))} min`;
  return `${Number((ms / 3_600_000).toFixed(1))} h`;
}
