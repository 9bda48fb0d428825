import { setTimeout as delay } from 'node:timers/promises';

/** Something took longer than anybody is ready to wait. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** The result of a promise, or a `NoAnswer` that says what was waited for, and how long. The promise itself is not ended. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  const abort = new AbortController();
  const late = delay(ms, undefined, { signal: abort.signal }).then(() => {
    throw new NoAnswer(`${what} did not answer within ${ms / 1000} s`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    abort.abort();
    late.catch(() => {});
  }
}
