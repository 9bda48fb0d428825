import { vi } from 'vitest';
import { PATIENCE_MS } from './patience.ts';

/** Tries until it holds. @throws what it last failed with, after `PATIENCE_MS`. */
export const eventually = <T>(holds: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(holds, { timeout: PATIENCE_MS, interval: 25 });
