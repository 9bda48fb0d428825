import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countTests, readReport, slowestTests } from '../../scripts/test-report.ts';
import { aFile, aReport, aTest } from './builders.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'd2d-report-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a report is read as it was written', async () => {
  const report = aReport(aFile({ tests: [aTest({ state: 'failed', failures: ['Error: no'] })] }));
  const path = join(folder, 'report.json');
  await writeFile(path, JSON.stringify(report));
  expect(await readReport(path)).toEqual(report);
});

test.each([
  ['', 'an empty file'],
  ['{"files": [', 'half a report'],
  ['{"testResults": []}', 'another report'],
])('%j, %s, is refused', async (content) => {
  const path = join(folder, 'bad.json');
  await writeFile(path, content);
  await expect(readReport(path)).rejects.toThrow();
});

test('a missing report is refused', async () => {
  await expect(readReport(join(folder, 'none.json'))).rejects.toThrow('ENOENT');
});

const REPORT = aReport(
  aFile({
    file: 'test/a.test.ts',
    tests: [aTest({ name: 'quick', ms: 49 }), aTest({ name: 'slow', ms: 12_340, state: 'failed' })],
  }),
  aFile({ file: 'test/b.test.ts', tests: [aTest({ name: 'slower', ms: 123_400 })] }),
);

test('the slowest tests of all files are listed, slowest first, up to the given number', () => {
  expect(slowestTests(REPORT, 2).split('\n')).toEqual([
    'seconds  file            test',
    '123.4    test/b.test.ts  slower',
    '12.3     test/a.test.ts  slow',
  ]);
  expect(slowestTests(REPORT, 20)).toContain('quick');
});

test('tests are counted by their state', () => {
  expect(countTests(REPORT, 'passed')).toBe(2);
  expect(countTests(REPORT, 'failed')).toBe(1);
});
