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
