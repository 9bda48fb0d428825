/** `tsx scripts/slowest-tests.ts <report>`: prints the slowest 20 tests of a report by test/setup/report-writer.ts, and its counts. */
import { countTests, readReport, slowestTests } from './test-report.ts';

const [path] = process.argv.slice(2);
if (path === undefined) {
  process.stderr.write('Usage: tsx scripts/slowest-tests.ts <report>\n');
  process.exit(2);
}
try {
  const report = await readReport(path);
  process.stdout.write(`The slowest 20 tests:\n${slowestTests(report, 20)}\n`);
  process.stdout.write(`${countTests(report, 'passed')} tests passed, ${countTests(report, 'failed')} failed\n`);
} catch (error) {
  process.stderr.write(`There is no valid test report at ${path}: ${String(error)}\n`);
  process.exitCode = 1;
}
