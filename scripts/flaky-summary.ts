import { formatTable } from '../client/format/table.ts';
import { plain } from '../client/format/text.ts';
import { countTests, seconds, type TestReport } from './test-report.ts';

/** One run of the suite. */
export interface Run {
  readonly number: number;
  readonly ms: number;
  /** The machine's load average of one minute, at the run's start. */
  readonly load: number;
  /** Path of its full output. */
  readonly log: string;
  /** Its exit code, or the signal that ended it; `interrupted`: ended by Ctrl-C. */
  readonly end: number | NodeJS.Signals | 'interrupted';
  readonly report: TestReport | null;
}

interface Failure {
  /** Test file and test name, test file, or "the run as a whole". */
  readonly place: string;
  readonly message: string;
}

interface RepeatedFailure {
  readonly place: string;
  readonly runs: readonly (Failure & Pick<Run, 'number' | 'log'>)[];
}

const WHOLE_RUN = 'the run as a whole';
const NO_TEST_RAN = 'No test ran: check the file name, and the test name after -t.';
const FIRST_LINES = 5;
const LINE_LENGTH = 200;
const SLOWEST_FILES = 20;

const isComplete = ({ end }: Run): boolean => end !== 'interrupted';

export function failures({ end, report }: Run): Failure[] {
  if (end === 'interrupted') return [];
  const ending = typeof end === 'number' ? `ended with exit code ${end}` : `was ended by ${end}`;
  if (report === null) return [{ place: WHOLE_RUN, message: `It ${ending} and left no valid report.` }];
  const found = [
    ...report.failures.map((message) => ({ place: WHOLE_RUN, message })),
    ...report.files.flatMap((file) => [
      ...file.failures.map((message) => ({ place: file.file, message })),
      ...file.tests.flatMap((test) => {
        const place = `${file.file} > ${test.name}`;
        if (test.failures.length > 0) return [{ place, message: test.failures.join('\n') }];
        if (test.state === 'pending') return [{ place, message: 'It did not end: its process may have crashed.' }];
        return test.state === 'failed' ? [{ place, message: 'It failed without a message.' }] : [];
      }),
    ]),
  ];
  if (found.length > 0) return found;
  if (countTests(report, 'passed') === 0) return [{ place: WHOLE_RUN, message: NO_TEST_RAN }];
  if (end === 0) return [];
  return [{ place: WHOLE_RUN, message: `It ${ending}, but its report shows no failure.` }];
}

/** Failures of all runs, grouped by place, the most frequent first. */
export function failuresByPlace(runs: readonly Run[]): RepeatedFailure[] {
  const byPlace = new Map<string, RepeatedFailure['runs'][number][]>();
  for (const run of runs) {
    for (const failure of failures(run)) {
      const seen = byPlace.get(failure.place) ?? [];
      byPlace.set(failure.place, [...seen, { ...failure, number: run.number, log: run.log }]);
    }
  }
  return [...byPlace].map(([place, found]) => ({ place, runs: found })).toSorted((a, b) => runCount(b) - runCount(a));
}

const runCount = ({ runs }: RepeatedFailure): number => new Set(runs.map(({ number }) => number)).size;

/** How long each file took over all runs, the slowest by its median first. */
export function fileTimes(runs: readonly Run[]): { file: string; min: number; median: number; max: number }[] {
  const times = new Map<string, number[]>();
  for (const { file, ms } of runs.filter(isComplete).flatMap(({ report }) => report?.files ?? [])) {
    times.set(file, [...(times.get(file) ?? []), ms]);
  }
  return [...times]
    .map(([file, all]) => ({ file, min: Math.min(...all), median: median(all), max: Math.max(...all) }))
    .toSorted((a, b) => b.median - a.median);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  return (lower + upper) / 2;
}

/** The text that test:flaky prints at the end. */
export function summary(runs: readonly Run[]): string {
  const failed = failuresByPlace(runs);
  return [
    runTable(runs),
    failed.length === 0
      ? verdict(runs)
      : `Failed in at least one run:\n\n${failed.map(failureText(runs)).join('\n\n')}`,
    fileTable(runs),
  ].join('\n\n');
}

function verdict(runs: readonly Run[]): string {
  const complete = runs.filter(isComplete).length;
  return complete === 0 ? 'No run was completed.' : `All ${complete} completed runs passed.`;
}

function runTable(runs: readonly Run[]): string {
  const rows = runs.map((run) => [
    String(run.number),
    seconds(run.ms),
    run.report === null ? '?' : String(countTests(run.report, 'passed')),
    run.report === null ? '?' : String(countTests(run.report, 'failed')),
    run.load.toFixed(2),
    run.end === 'interrupted' ? 'interrupted' : failures(run).length === 0 ? 'passed' : 'failed',
  ]);
  return formatTable(['run', 'seconds', 'passed', 'failed', 'load at start', 'result'], rows, plain);
}

const failureText =
  (all: readonly Run[]) =>
  (failure: RepeatedFailure): string => {
    const { place, runs } = failure;
    const logs = new Map<string, string[]>();
    for (const { message, number, log } of runs) {
      const excerpt = excerptOf(message);
      logs.set(excerpt, [...(logs.get(excerpt) ?? []), `  run ${number}, ${log}:`]);
    }
    return [
      `${place} (in ${runCount(failure)} of ${all.filter(isComplete).length} runs)`,
      ...[...logs].flatMap(([excerpt, lines]) => [...new Set(lines), excerpt]),
    ].join('\n');
  };

/** The first lines of a message, and its causes: a property test names only its seed and its counterexample in the first lines. */
const excerptOf = (message: string): string =>
  message
    .split('\n')
    .filter((line) => line.trim() !== '')
    .filter((line, n) => n < FIRST_LINES || line.startsWith('Caused by: '))
    .map((line) => `    ${line.slice(0, LINE_LENGTH)}`)
    .join('\n');

function fileTable(runs: readonly Run[]): string {
  const slowest = fileTimes(runs).slice(0, SLOWEST_FILES);
  const rows = slowest.map(({ file, min, median, max }) => [seconds(min), seconds(median), seconds(max), file]);
  return `The slowest files, in seconds:\n${formatTable(['min', 'median', 'max', 'file'], rows, plain)}`;
}
