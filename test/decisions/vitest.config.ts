import { defineConfig } from 'vitest/config';

/** The decisions alone: pure, so without the servers that the whole suite starts. Stryker runs the tests by this file. */
export default defineConfig({
  test: { include: ['test/decisions/**/*.test.ts'] },
});
