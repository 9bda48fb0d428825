import { ActivityFailure, ApplicationFailure, isCancellation, sleep } from '@temporalio/workflow';
import { messageOf } from './failures.ts';

/** The wait before a retry of what only a person can fix: 1 to 15 minutes. */
export const mendingMs = (failures: number): number => Math.min(60_000 * 2 ** (failures - 1), 15 * 60_000);

/** Whether an activity says that it would fail again for ever, until a person has mended something. */
const isPermanent = (error: unknown): boolean =>
  error instanceof ActivityFailure &&
  error.cause instanceof ApplicationFailure &&
  error.cause.nonRetryable === true &&
  error.cause.type !== 'Refused' &&
  error.cause.type !== 'UnknownRepository';

/**
 * Runs an activity until it works. It retries by itself what may heal by itself. For the rest somebody is called, once, and it is retried
 * slowly, so that the run goes on once that person has fixed it.
 * @param what part of a sentence: what cannot be done
 */
export async function untilItWorks<T>(what: string, run: () => Promise<T>, call: (text: string) => void): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await run();
    } catch (error) {
      if (isCancellation(error) || !isPermanent(error)) throw error;
      if (failures === 1) call(`${what}; retrying every few minutes: ${messageOf(error)}`);
      await sleep(mendingMs(failures), { summary: `then it is tried again: ${what}` });
    }
  }
}
