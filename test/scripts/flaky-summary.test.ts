import { describe, expect, test } from 'vitest';
import { failures, failuresByPlace, fileTimes, type Run, summary } from '../../scripts/flaky-summary.ts';
import { aFile, aReport, aRun, aTest } from './builders.ts';

const withTest = (given: Parameters<typeof aTest>[0]) => aReport(aFile({ tests: [aTest(given)] }));

describe('what counts as a failure of a run', () => {
  const PLACE = 'test/a.test.ts > works';
  const WHOLE_RUN = 'the run as a whole';
  const NO_TEST_RAN = 'No test ran: check the file name, and the test name after -t.';
  const CASES: Record<string, [Partial<Run>, ReturnType<typeof failures>]> = {
    'a green run: nothing': [{}, []],
    'a skipped test beside one that ran: nothing': [
      { report: aReport(aFile({ tests: [aTest(), aTest({ name: 'is skipped', state: 'skipped' })] })) },
      [],
    ],
    'a green run that skipped every test, as after a wrong -t': [
      { report: withTest({ state: 'skipped' }) },
      [{ place: WHOLE_RUN, message: NO_TEST_RAN }],
    ],
    'a run that found no test file': [{ end: 1, report: aReport() }, [{ place: WHOLE_RUN, message: NO_TEST_RAN }]],
    'a failed test': [
      { end: 1, report: withTest({ state: 'failed', failures: ['Error: no', 'Error: nor this'] }) },
      [{ place: PLACE, message: 'Error: no\nError: nor this' }],
    ],
    'a failed test without a message': [
      { end: 1, report: withTest({ state: 'failed' }) },
      [{ place: PLACE, message: 'It failed without a message.' }],
    ],
    'a test that did not end': [
      { end: 1, report: withTest({ state: 'pending' }) },
      [{ place: PLACE, message: 'It did not end: its process may have crashed.' }],
    ],
    'a failed hook, or a file that cannot be loaded': [
      { end: 1, report: aReport(aFile({ failures: ['Error: hook'] })) },
      [{ place: 'test/a.test.ts', message: 'Error: hook' }],
    ],
    'an error outside of all files': [
      { end: 1, report: { ...aReport(aFile()), failures: ['Error: unhandled'] } },
      [{ place: WHOLE_RUN, message: 'Error: unhandled' }],
    ],
    'a non-zero exit code although the report shows no failure': [
      { end: 1 },
      [{ place: WHOLE_RUN, message: 'It ended with exit code 1, but its report shows no failure.' }],
    ],
    'a crash without a report': [
      { end: 'SIGKILL', report: null },
      [{ place: WHOLE_RUN, message: 'It was ended by SIGKILL and left no valid report.' }],
    ],
    'a green exit without a report': [
      { report: null },
      [{ place: WHOLE_RUN, message: 'It ended with exit code 0 and left no valid report.' }],
    ],
    'an interrupted run: nothing': [{ end: 'interrupted', report: null }, []],
  };

  test.each(Object.entries(CASES))('%s', (_name, [run, found]) => {
    expect(failures(aRun(run))).toEqual(found);
  });
});

test('each failure lists its runs and logs, the most frequent failure first', () => {
  const once = aFile({ file: 'test/once.test.ts', failures: ['Error: once'] });
  const twice = (message: string) => aFile({ tests: [aTest({ state: 'failed', failures: [message] })] });
  const runs = [
    aRun({ number: 1, end: 1, report: aReport(once, twice('Error: first')) }),
    aRun({ number: 2 }),
    aRun({ number: 3, end: 1, report: aReport(twice('Error: second')) }),
  ];
  expect(failuresByPlace(runs)).toMatchObject([
    {
      place: 'test/a.test.ts > works',
      runs: [
        { number: 1, log: 'run-1.log', message: 'Error: first' },
        { number: 3, log: 'run-3.log', message: 'Error: second' },
      ],
    },
    { place: 'test/once.test.ts', runs: [{ number: 1, log: 'run-1.log', message: 'Error: once' }] },
  ]);
});

test('each file has its minimum, median and maximum time, the slowest median first', () => {
  const took = (a: number, b: number) => aReport(aFile({ ms: a }), aFile({ file: 'test/b.test.ts', ms: b }));
  const odd = [aRun({ report: took(30, 1) }), aRun({ report: took(10, 500) }), aRun({ report: took(20, 3) })];
  expect(fileTimes(odd)).toEqual([
    { file: 'test/a.test.ts', min: 10, median: 20, max: 30 },
    { file: 'test/b.test.ts', min: 1, median: 3, max: 500 },
  ]);
  expect(fileTimes(odd.slice(1)).map(({ median }) => median)).toEqual([251.5, 15]);
});

test('the times leave out interrupted runs and runs without a report', () => {
  const cut = aRun({ end: 'interrupted', report: aReport(aFile({ ms: 9 })) });
  const runs = [aRun({ end: 'SIGKILL', report: null }), cut, aRun()];
  expect(fileTimes(runs)).toEqual([{ file: 'test/a.test.ts', min: 1_000, median: 1_000, max: 1_000 }]);
});

test('the summary of runs of which some failed', () => {
  const long = aTest({
    state: 'failed',
    failures: [`Error: no\n\nline 2\nline 3\nline 4\n${'x'.repeat(300)}\nline 6`],
  });
  const red = aReport(aFile({ tests: [long, aTest({ name: 'passes' })] }));
  const runs = [
    aRun({ number: 1, end: 1, report: red }),
    aRun({ number: 2, ms: 61_260, load: 4.2 }),
    aRun({ number: 3, end: 1, report: red }),
    aRun({ number: 4, end: 'SIGKILL', report: null }),
    aRun({ number: 5, ms: 1_000, end: 'interrupted', report: null }),
  ];
  expect(summary(runs)).toBe(`\
run  seconds  passed  failed  load at start  result
1    60.0     1       1       0.50           failed
2    61.3     1       0       4.20           passed
3    60.0     1       1       0.50           failed
4    60.0     ?       ?       0.50           failed
5    1.0      ?       ?       0.50           interrupted

Failed in at least one run:

test/a.test.ts > works (in 2 of 4 runs)
  run 1, run-1.log:
  run 3, run-3.log:
    Error: no
    line 2
    line 3
    line 4
    ${'x'.repeat(200)}

the run as a whole (in 1 of 4 runs)
  run 4, run-4.log:
    It was ended by SIGKILL and left no valid report.

The slowest files, in seconds:
min  median  max  file
1.0  1.0     1.0  test/a.test.ts`);
});

test('the causes of a failure are shown, however far down they stand', () => {
  const failed = aTest({
    state: 'failed',
    failures: ['Error: 1\n2\n3\n4\n5\n6\nCaused by: Error: the status is wrong'],
  });
  const text = summary([aRun({ end: 1, report: aReport(aFile({ tests: [failed] })) })]);
  expect(text).toContain('    5\n    Caused by: Error: the status is wrong');
});

test('at most the slowest 20 files are shown', () => {
  const files = Array.from({ length: 30 }, (_, n) => aFile({ file: `test/${n}.test.ts`, ms: n * 1_000 }));
  const text = summary([aRun({ report: aReport(...files) })]);
  expect(text).toContain('test/10.test.ts');
  expect(text).not.toContain('test/9.test.ts');
});

test('the summary says that all runs passed, or that none was completed', () => {
  expect(summary([aRun(), aRun({ number: 2 })])).toContain('All 2 completed runs passed.');
  expect(summary([aRun({ end: 'interrupted', report: null })])).toContain('No run was completed.');
});
