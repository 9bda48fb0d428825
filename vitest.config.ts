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

/** Which files begin first: those that take longest, and the other ones that mostly wait; the rest runs beside them. */
const FIRST = ['/system/outages.', '/system/explain.', '/workflows/random-windows.', '/system/'];

keepToLocalServers(process.env);

// What the user has set for the product decides no test: the demo would write to the Plane that ORCH_PLANE_* name.
for (const name of Object.keys(process.env)) {
  if (name.startsWith('ORCH_') && name !== 'ORCH_TEMPORAL_CLI') delete process.env[name];
}

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId, project }: TestSpecification): number => {
      const first = FIRST.findIndex((part) => moduleId.includes(part));
      if (first !== -1) return first;
      // One project after the other: a process runs the files of one only, and is replaced where another one is next.
      return FIRST.length + (project.name === 'plain' ? 1 : 0);
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
          exclude: [...configDefaults.exclude, ...PLAIN],
          globalSetup: ['test/setup/servers.ts', 'test/setup/build.ts'],
        },
      },
    ],
  },
});
