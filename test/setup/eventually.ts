import { vi } from 'vitest';
import { PATIENCE_MS } from './patience.ts';

/** Retries until it does not throw. @throws its last error, after `PATIENCE_MS`. */
export const eventually = <T>(holds: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(holds, { timeout: PATIENCE_MS, interval: 25 });
