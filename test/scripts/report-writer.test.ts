import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { readReport, type TestReport } from '../../scripts/test-report.ts';

const SUITE = fileURLToPath(new URL('red-suite', import.meta.url));
const REPORTER = fileURLToPath(new URL('../setup/report-writer.ts', import.meta.url));

async function reportOfRedSuite(): Promise<TestReport> {
  const folder = await mkdtemp(join(tmpdir(), 'd2d-report-'));
  try {
    const path = join(folder, 'report.json');
    const reporters = ['--reporter=default', `--reporter=${REPORTER}`, `--outputFile=${path}`];
    await execa('vitest', ['run', '--root', SUITE, ...reporters], { preferLocal: true, reject: false });
    return await readReport(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('the report of a red suite shows everything that failed, with the whole message', async () => {
  const report = await reportOfRedSuite();
  const file = (name: string) => report.files.find((one) => one.file === name);
  const failing = file('failing.red.ts');
  expect(
    Object.fromEntries(failing?.tests.map(({ name, state, failures }) => [name, [state, ...failures]]) ?? []),
  ).toEqual({
    passes: ['passed'],
    'is skipped': ['skipped'],
    fails: ['failed', 'AssertionError: expected [ 1 ] to deeply equal [ 2 ]'],
    'gets more text after its failure': [
      'failed',
      'Error: it failed\nthe last lines of a log\nCaused by: Error: the reason',
    ],
    'never ends': ['failed', expect.stringContaining('Test timed out in 50ms')],
    'rejects unhandled': ['passed'],
    'a group > passes': ['passed'],
  });
  expect(failing?.failures).toEqual(['a group: Error: the hook failed']);
  expect(failing?.ms).toBeGreaterThan(250); // its hook takes 300
  expect(file('unloadable.red.ts')?.failures).toEqual(['Error: the file cannot be loaded']);
  expect(file('crashing.red.ts')?.tests).toMatchObject([{ name: 'kills its process', state: 'pending' }]);
  expect(report.failures).toEqual(
    expect.arrayContaining([
      'Error: nobody awaits this',
      expect.stringMatching(/Worker exited unexpectedly|Worker forks emitted error/),
    ]),
  );
});
