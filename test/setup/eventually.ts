import { vi } from 'vitest';
import { PATIENCE_MS } from './patience.ts';

/**
 * Retries every 50 ms until it does not throw: most conditions ask Temporal, and a query costs its worker CPU, too.
 * @throws its last error, after `PATIENCE_MS`.
 */
export const eventually = <T>(holds: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(holds, { timeout: PATIENCE_MS, interval: 50 });
