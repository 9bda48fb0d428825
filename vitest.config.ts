import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { keepToLocalServers } from './demo/servers/environment.ts';
import { TEST_MS } from './test/setup/patience.ts';

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

/** Start compiled workers as processes of their own. */
const SYSTEM = ['test/system/**/*.test.ts'];

/** The files that take longest, longest first. They mostly wait, as all system tests do: the other files run beside them. */
const LONGEST_FILES = ['system/outages', 'system/explain', 'workflows/random-windows'].map(
  (file) => `/${file}.test.ts`,
);

keepToLocalServers(process.env);

// What the user has set for the product decides no test: the demo would write to the Plane that ORCH_PLANE_* name.
for (const name of Object.keys(process.env)) {
  if (name.startsWith('ORCH_') && name !== 'ORCH_TEMPORAL_CLI') delete process.env[name];
}

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const longest = LONGEST_FILES.findIndex((file) => moduleId.endsWith(file));
      if (longest !== -1) return longest;
      return LONGEST_FILES.length + (moduleId.includes('/test/system/') ? 0 : 1);
    };
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  test: {
    pool: 'forks', // the Temporal SDK's native parts do not take worker threads
    sequence: { sequencer: LongestFirst },
    isolate: false, // each process loads the SDK once; tests leave no state in modules
    // Many files mostly wait: with four more processes than cores the cores are never idle. To change it for a run: VITEST_MAX_WORKERS; --maxWorkers does not reach the projects (4.1.12).
    maxWorkers: availableParallelism() + 4,
    maxConcurrency: 12, // system tests mostly wait; their workers load one after the other
    testTimeout: TEST_MS,
    hookTimeout: TEST_MS,
    teardownTimeout: TEST_MS,
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
