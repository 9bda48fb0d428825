import { writeFile } from 'node:fs/promises';
import { stripVTControlCharacters } from 'node:util';
import type { Reporter, SerializedError, TestModule, Vitest } from 'vitest/node';
import type { TestReport } from '../../scripts/test-report.ts';

/**
 * `--reporter=./test/setup/report-writer.ts --outputFile=<path>`: writes what scripts/test-report.ts reads. The JSON reporter of
 * vitest 4.1.12 omits the messages of time-outs, text appended to a message, failed hooks, and errors outside of tests.
 */
export default class ReportWriter implements Reporter {
  #path: string | undefined;

  onInit({ config }: Vitest): void {
    if (typeof config.outputFile !== 'string') throw new Error('test/setup/report-writer.ts needs --outputFile=<path>');
    this.#path = config.outputFile;
  }

  async onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): Promise<void> {
    if (this.#path === undefined) return;
    const report: TestReport = { files: modules.map(fileReport), failures: unhandled.map(text) };
    await writeFile(this.#path, JSON.stringify(report));
  }
}

function fileReport(module: TestModule): TestReport['files'][number] {
  const { collectDuration, setupDuration, duration } = module.diagnostic();
  return {
    file: module.relativeModuleId,
    ms: collectDuration + setupDuration + duration,
    tests: [...module.children.allTests()].map((test) => {
      const { state, errors } = test.result();
      return { name: test.fullName, state, ms: test.diagnostic()?.duration ?? 0, failures: (errors ?? []).map(text) };
    }),
    failures: [
      ...module.errors().map(text),
      ...[...module.children.allSuites()].flatMap((suite) =>
        suite.errors().map((e) => `${suite.fullName}: ${text(e)}`),
      ),
    ],
  };
}

function text({ name = 'Error', message, cause }: SerializedError): string {
  const ownName = name.replace(/^Caused by: /, ''); // the default reporter has added it
  const own = stripVTControlCharacters(`${ownName}: ${message}`);
  return cause === undefined ? own : `${own}\nCaused by: ${text(cause)}`;
}
