import type { Run } from '../../scripts/flaky-summary.ts';
import type { TestReport } from '../../scripts/test-report.ts';

type TestFile = TestReport['files'][number];
type Test = TestFile['tests'][number];

export const aTest = (given: Partial<Test> = {}): Test => ({
  name: 'works',
  state: 'passed',
  ms: 100,
  failures: [],
  ...given,
});

export const aFile = (given: Partial<TestFile> = {}): TestFile => ({
  file: 'test/a.test.ts',
  ms: 1_000,
  tests: [aTest()],
  failures: [],
  ...given,
});

export const aReport = (...files: TestFile[]): TestReport => ({ files, failures: [] });

/** Green, unless given otherwise. */
export const aRun = (given: Partial<Run> = {}): Run => ({
  number: 1,
  ms: 60_000,
  load: 0.5,
  log: `run-${given.number ?? 1}.log`,
  end: 0,
  report: aReport(aFile()),
  ...given,
});
