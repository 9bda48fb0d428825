import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { PATIENCE_MS } from './patience.ts';

/**
 * Retries until it does not throw. Most conditions ask Temporal, which costs it and a worker CPU: so the pause is a tenth of the
 * time waited so far, from 20 ms to 1 s.
 * @throws its last error, after `PATIENCE_MS`.
 */
export async function eventually<T>(holds: () => T | Promise<T>): Promise<T> {
  const startedAt = performance.now();
  for (;;) {
    try {
      return await holds();
    } catch (error) {
      const waitedMs = performance.now() - startedAt;
      if (waitedMs > PATIENCE_MS) throw error;
      await delay(Math.min(Math.max(waitedMs / 10, 20), 1_000));
    }
  }
}
