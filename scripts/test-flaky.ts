/**
 * `npm run test:flaky -- <times> [<arguments of vitest> …]`: runs the suite that many times, one run after the other. Then prints
 * the failures and how long each file took. Ctrl-C ends the current run and prints the summary. Run with `node --import tsx`: the
 * `tsx` command kills a script that has not ended 60 ms after Ctrl-C.
 */
import { mkdir } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { execa } from 'execa';
import { failures, type Run, summary } from './flaky-summary.ts';
import { readReport } from './test-report.ts';

/** Exit code of a shell for a command that cannot be started. */
const NOT_STARTED = 127;

const [times, ...args] = process.argv.slice(2);
if (!/^[1-9]\d*$/.test(times ?? '')) {
  process.stderr.write('Usage: npm run test:flaky -- <times> [<arguments of vitest> …]\n');
  process.exit(2);
}

const folder = join('reports', 'flaky', new Date().toISOString().slice(0, 19).replaceAll(':', '-'));
await mkdir(folder, { recursive: true });

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());

const runs: Run[] = [];
while (runs.length < Number(times) && !stop.signal.aborted) {
  const number = runs.length + 1;
  process.stdout.write(`run ${number} of ${times}, output in ${join(folder, `run-${number}.log`)}\n`);
  runs.push(await runSuite(number));
}
process.stdout.write(`\n${summary(runs)}\n`);
if (runs.some((run) => failures(run).length > 0)) process.exitCode = 1;
else if (stop.signal.aborted) process.exitCode = 130;

async function runSuite(number: number): Promise<Run> {
  const log = join(folder, `run-${number}.log`);
  const reportPath = join(folder, `run-${number}.json`);
  const load = loadavg()[0] ?? Number.NaN;
  const startedAt = performance.now();
  const reporters = ['--reporter=default', '--reporter=./test/setup/report-writer.ts', `--outputFile=${reportPath}`];
  const { exitCode, signal } = await execa('vitest', ['run', ...reporters, ...args], {
    preferLocal: true,
    reject: false,
    stdin: 'ignore',
    stdout: { file: log },
    stderr: { file: log },
    buffer: false,
    cancelSignal: stop.signal,
  });
  const report = await readReport(reportPath).catch(() => null);
  return {
    number,
    ms: performance.now() - startedAt,
    load,
    log,
    // A report is complete: a run that has written one was only interrupted while it stopped its servers.
    end: !stop.signal.aborted ? (exitCode ?? signal ?? NOT_STARTED) : report === null ? 'interrupted' : 0,
    report,
  };
}
