import { vi } from 'vitest';

/** Tries until it holds, at most 45 s: generous, as the suite shares two cores with servers and compilers. */
export const eventually = <T>(holds: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(holds, { timeout: 45_000, interval: 25 });
