import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { PATIENCE_MS, TEST_MS } from './test/setup/patience.ts';

/** Need neither a Postgres nor a Temporal: a run of these alone starts nothing. */
const PLAIN = [
  'decisions',
  'model',
  'settings',
  'adapters/plane',
  'adapters/alerts',
  'adapters/deploy',
  'demo/simulated-plane',
  'scripts',
].map((folder) => `test/${folder}/**/*.test.ts`);

/** Start the compiled worker as a process of its own: a run with these builds `dist/` first, if the sources are newer. */
const SYSTEM = ['test/system/**/*.test.ts'];

/** The one file whose tests wait for minutes goes first: the others compute beside it. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const waits = ({ moduleId }: TestSpecification): number => Number(moduleId.endsWith('/system/outages.test.ts'));
    return (await super.sort(files)).toSorted((a, b) => waits(b) - waits(a));
  }
}

export default defineConfig({
  test: {
    pool: 'forks', // the Temporal SDK's native parts do not take worker threads
    sequence: { sequencer: LongestFirst },
    maxWorkers: availableParallelism(),
    maxConcurrency: 12, // system tests wait most of their time; what they start, they start in turn
    testTimeout: TEST_MS,
    hookTimeout: TEST_MS,
    teardownTimeout: TEST_MS,
    expect: { poll: { timeout: PATIENCE_MS, interval: 25 } },
    projects: [
      { extends: true, test: { name: 'plain', include: PLAIN } },
      {
        extends: true,
        test: {
          name: 'servers',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...PLAIN, ...SYSTEM],
          globalSetup: ['test/setup/servers.ts', 'test/setup/build.ts'],
        },
      },
      {
        extends: true,
        test: { name: 'system', include: SYSTEM, globalSetup: ['test/setup/servers.ts', 'test/setup/build.ts'] },
      },
    ],
  },
});
