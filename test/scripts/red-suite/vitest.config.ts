import { defineConfig } from 'vitest/config';
import { TEST_MS } from '../../setup/patience.ts';

/** A suite that is red in every way that a report has to show; see ../report-writer.test.ts. */
export default defineConfig({
  test: { pool: 'forks', include: ['**/*.red.ts'], testTimeout: TEST_MS, hookTimeout: TEST_MS },
});
