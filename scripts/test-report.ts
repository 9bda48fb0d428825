import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { formatTable } from '../client/format/table.ts';
import { plain } from '../client/format/text.ts';

const Test = z.object({
  name: z.string(),
  /** `pending`: its process ended before the test did. */
  state: z.enum(['passed', 'failed', 'skipped', 'pending']),
  ms: z.number(),
  failures: z.array(z.string()),
});

const TestFile = z.object({
  file: z.string(),
  /** Including imports and hooks. */
  ms: z.number(),
  tests: z.array(Test),
  /** Failed imports and hooks. */
  failures: z.array(z.string()),
});

/** What test/setup/report-writer.ts writes about a run of the suite. */
const Report = z.object({
  files: z.array(TestFile),
  /** Errors that belong to no file, such as unhandled rejections and crashed test processes. */
  failures: z.array(z.string()),
});

export type TestReport = z.infer<typeof Report>;
export type TestState = z.infer<typeof Test>['state'];

/** @throws if there is no report at this path, or no valid one. */
export async function readReport(path: string): Promise<TestReport> {
  return Report.parse(JSON.parse(await readFile(path, 'utf8')));
}

export const countTests = ({ files }: TestReport, state: TestState): number =>
  files.flatMap(({ tests }) => tests).filter((test) => test.state === state).length;

/** The slowest tests, slowest first. */
export function slowestTests({ files }: TestReport, amount: number): string {
  const slowest = files
    .flatMap(({ file, tests }) => tests.map(({ name, ms }) => ({ file, name, ms })))
    .toSorted((a, b) => b.ms - a.ms)
    .slice(0, amount);
  return formatTable(
    ['seconds', 'file', 'test'],
    slowest.map(({ ms, file, name }) => [seconds(ms), file, name]),
    plain,
  );
}

export const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
