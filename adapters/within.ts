/** Something took longer than anybody is ready to wait. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/**
 * The result of a promise. The promise itself is not cancelled.
 * @throws NoAnswer, which says what was waited for and how long.
 */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    // The global one, which tests can hold.
    timer = setTimeout(() => reject(new NoAnswer(`${what} did not answer within ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
