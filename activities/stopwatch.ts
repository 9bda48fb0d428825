/** Begins to measure a time: the answer tells how long ago that was, ms. */
export type Stopwatch = () => () => number;

/**
 * For what must not go on after its time: a process may stand still anywhere. Takes the larger of the monotonic clock and the clock of
 * the day: the first stops while a machine sleeps, the second may be set back.
 */
export const startStopwatch: Stopwatch = () => {
  const [since, sinceToday] = [performance.now(), Date.now()];
  return () => Math.max(performance.now() - since, Date.now() - sinceToday);
};
