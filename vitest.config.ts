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

/** The files whose tests wait for minutes, the longest first. */
const WAITING = ['system/outages', 'system/explain', 'workflows/random-windows'].map((file) => `/${file}.test.ts`);

/** They go first: the others compute beside them. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = WAITING.findIndex((file) => moduleId.endsWith(file));
      return at === -1 ? WAITING.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  test: {
    pool: 'forks', // the Temporal SDK's native parts do not take worker threads
    sequence: { sequencer: LongestFirst },
    isolate: false, // each process loads the SDK once, not once a file: tests keep no state in modules
    maxWorkers: availableParallelism() + 2, // those of WAITING compute little
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
