import { patched } from '@temporalio/workflow';

/** The most calls of one driver for a person: each raises an alert. */
const MOST_CALLS = 10;

/** Says why a driver's call for a person is ignored: it has said so before, or has called often enough. `null`: it counts. */
export function callsOnce(): (text: string) => string | null {
  const heard = new Set<string>();
  return (text) => {
    const refusal = heard.has(text)
      ? 'somebody was called to that already'
      : heard.size >= MOST_CALLS
        ? `it has called somebody ${MOST_CALLS} times already`
        : null;
    if (refusal !== null && patched('calls-once')) return refusal;
    heard.add(text);
    return null;
  };
}
