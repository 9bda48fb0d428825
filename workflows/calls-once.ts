import { since } from './patches.ts';

/** The most calls of one driver for a person: each raises an alert. */
const MOST_CALLS = 10;

/** Says why a driver's call for a person is ignored: the same call was made before, or too many were. `null`: it counts. */
export function callsOnce(): (text: string) => string | null {
  const heard = new Set<string>();
  return (text) => {
    const refusal = heard.has(text)
      ? 'an alert with this text was sent already'
      : heard.size >= MOST_CALLS
        ? `the driver has raised ${MOST_CALLS} alerts already`
        : null;
    if (refusal !== null && since('calls-once')) return refusal;
    heard.add(text);
    return null;
  };
}
