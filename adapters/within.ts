/** Something took longer than anybody is ready to wait. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** The result of a promise, or a `NoAnswer` that says what was waited for, and how long. The promise itself is not ended. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoAnswer(`${what} did not answer within ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
