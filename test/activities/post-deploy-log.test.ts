import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { logPath } from '../../activities/artefact-path.ts';
import { createPostDeployLog } from '../../activities/post-deploy-log.ts';
import { renderPostDeployLog } from '../../activities/render-post-deploy-log.ts';
import type { TickRecord, WindowReport } from '../../activities/window-report.ts';
import { checkArtefacts } from '../../world.ts';
import { activityEnvironment, inActivity } from '../adapters/deploy/in-activity.ts';
import { codePoint } from '../setup/code-points.ts';

const OPENED = Date.UTC(2026, 0, 2, 3, 4, 5);

const tick = (number: number, change: Partial<TickRecord> = {}): TickRecord => ({
  tick: number,
  at: OPENED + number * 30_000,
  health: 'pass',
  requests: 5,
  errors5xx: 0,
  ...change,
});

const report = (change: Partial<WindowReport> = {}): WindowReport => ({
  windowId: 'monitor/org/shop/ORCH-61',
  repo: 'org/shop',
  workItem: 'ORCH-61',
  version: 'v2',
  requestedBy: 'ann',
  openedAt: OPENED,
  endsAt: OPENED + 900_000,
  endedAt: OPENED + 900_000,
  policy: {
    windowMs: 900_000,
    intervalMs: 30_000,
    confirmMs: 5_000,
    failThreshold: 3,
    errorRatioThreshold: 0.05,
    minRequests: 20,
    action: 'rollback',
    maxWindowMs: 3_600_000,
    rollbackWatchMs: 300_000,
  },
  selfHosting: false,
  outcome: 'healthy',
  assessment: { verdict: 'HEALTHY', trigger: null, longestFailureStreak: 0, errorRatio: 0.02 },
  summary: 'no degradation: 3 of 150 requests failed',
  endedBy: null,
  degradedAt: null,
  recovered: null,
  action: null,
  coverage: { made: 30, missed: 0, unknown: 0, requests: 150, errors5xx: 3 },
  plannedTicks: 30,
  skippedTicks: 0,
  ticks: Array.from({ length: 30 }, (_, index) => tick(index + 1)),
  ticksAfterRollback: [],
  messages: [],
  notes: [],
  ...change,
});

/** The rows of the table below a heading, each as its cells. */
function rowsBelow(markdown: string, heading: string): string[][] {
  const section = markdown.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const lines = (markdown: string): string => markdown.replaceAll(/ +/g, ' ');

test('a healthy window: who, what, when, policy, evidence, every tick', () => {
  const log = renderPostDeployLog(report());
  expect(log).toMatch(/^# Post-deploy log: ORCH-61\n\n\*\*healthy\*\*: Production stayed healthy\.\n/);
  for (const line of [
    '| repository | org/shop |',
    '| version | v2 |',
    '| requested by | ann |',
    '| opened | 2026-01-02T03:04:05.000Z |',
    '| ended | 2026-01-02T03:19:05.000Z, after 15 min of 15 min |',
    '| ticks planned | 30 |',
    '| failed | 3 (2 %) |',
    '- Looks at production every 30 s for 15 min; while health fails, every 5 s.',
    '- Degraded where 3 health checks in a row fail, or where more than 5 % of at least 20 requests fail (5xx, or no answer).',
    'None was needed.',
    'None were received.',
  ]) {
    expect(lines(log)).toContain(line);
  }
  expect(rowsBelow(log, 'Ticks')).toHaveLength(30);
  expect(rowsBelow(log, 'Ticks')[1]).toEqual(['2', '2026-01-02T03:05:05.000Z', '+60.0 s', 'pass', '5', '0', '']);
  expect(log).not.toContain('Ticks after the rollback');
});

test('a window that was rolled back: the action, whether it recovered, the ticks that followed', () => {
  const finishedAt = OPENED + 110_000;
  const log = renderPostDeployLog(
    report({
      outcome: 'degraded_rolled_back',
      assessment: { verdict: 'DEGRADED', trigger: 'health', longestFailureStreak: 3, errorRatio: null },
      degradedAt: OPENED + 100_000,
      recovered: true,
      action: { kind: 'ROLLBACK', startedAt: OPENED + 100_000, finishedAt, ok: true, detail: 'back to v1' },
      ticksAfterRollback: [tick(1, { at: finishedAt + 5_000 })],
    }),
  );
  expect(log).toContain('Rollback at 2026-01-02T03:05:45.000Z: worked, after 10 s. back to v1.');
  expect(log).toContain('Production has recovered.');
  expect(lines(log)).toContain('| failed | 3 (too few to count) |');
  expect(rowsBelow(log, 'Ticks after the rollback')).toEqual([
    ['1', '2026-01-02T03:06:00.000Z', '+5.0 s', 'pass', '5', '0', ''],
  ]);
});

test('a window that has left its item in a state of its own: in which, and why', () => {
  const finalStatus = 'Needs | Attention: the rollback failed';
  expect(renderPostDeployLog(report({ finalStatus }))).toMatch(
    /\| status of the work item +\| Needs \\\| Attention: the rollback failed +\|/,
  );
  expect(renderPostDeployLog(report())).not.toContain('status of the work item');
});

test('a rollback that failed, an alert, the orchestrator itself, a window that somebody ended', () => {
  const action = { startedAt: OPENED, finishedAt: OPENED + 1_000, detail: 'exit code 1' };
  const failed = report({ action: { ...action, kind: 'ROLLBACK', ok: false }, recovered: false });
  expect(renderPostDeployLog(failed)).toContain('**failed**, after 1 s. exit code 1.');
  expect(renderPostDeployLog(failed)).toContain('Production has **not** recovered.');
  const alerted = report({ action: { ...action, kind: 'ALERT_ONLY', ok: true }, selfHosting: true });
  expect(renderPostDeployLog(alerted)).toContain('Alert at 2026-01-02T03:04:05.000Z: worked');
  expect(renderPostDeployLog(alerted)).toContain('never rolled back (BR-5)');
  const ended = renderPostDeployLog(report({ endedBy: { by: 'bob', reason: 'false alarm' }, requestedBy: null }));
  expect(lines(ended)).toContain('| ended by | bob: false alarm |');
  expect(lines(ended)).toContain('| requested by | – |');
});

test('ticks that nobody took have their row, a look that confirms and a repeated reason say so', () => {
  const log = renderPostDeployLog(
    report({
      coverage: { made: 4, missed: 5, unknown: 0, requests: 20, errors5xx: 0 },
      ticks: [
        tick(1),
        tick(4, { health: 'fail', detail: 'answered 503' }),
        tick(4, { health: 'fail', confirming: true, at: OPENED + 125_000 }),
        tick(6, { health: 'unknown', detail: 'the probe was aborted' }),
      ],
    }),
  );
  expect(rowsBelow(log, 'Ticks').map(([number, , , health, , , note]) => [number, health, note])).toEqual([
    ['1', 'pass', ''],
    ['2–3', 'missed', 'no worker ran'],
    ['4', '**fail**', 'answered 503'],
    ['4', '**fail**', 'confirms; as before'],
    ['5', 'missed', 'no worker ran'],
    ['6', 'unknown', 'the probe was aborted'],
    ['7–8', 'missed', 'no worker ran'],
  ]);
});

test('ticks that passed while a probe was still running are not called missed', () => {
  const log = renderPostDeployLog(
    report({
      policy: { ...report().policy, intervalMs: 1_000 },
      coverage: { made: 3, missed: 2, unknown: 0, requests: 15, errors5xx: 0 },
      skippedTicks: 3,
      ticks: [
        tick(1, { at: OPENED + 1_000, tookMs: 2_100 }),
        tick(3, { at: OPENED + 3_100 }),
        tick(6, { at: OPENED + 6_000, tookMs: 2_100 }),
      ],
    }),
  );
  expect(rowsBelow(log, 'Ticks').map(([number, , , health, , , note]) => [number, health, note])).toEqual([
    ['1', 'pass', ''],
    ['2', 'skipped', 'previous probe took 2.1 s'],
    ['3', 'pass', ''],
    ['4–5', 'missed', 'no worker ran'],
    ['6', 'pass', ''],
    ['7–8', 'skipped', 'previous probe took 2.1 s'],
  ]);
  expect(lines(log)).toContain('| ticks skipped: a probe was still running | 3 |');
});

test('a window in which no look was taken says so', () => {
  const coverage = { made: 0, missed: 30, unknown: 0, requests: 0, errors5xx: 0 };
  expect(renderPostDeployLog(report({ ticks: [], coverage }))).toContain('No look was taken; 30 were missed.');
});

test('whatever people typed stays in its cell and on its line', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: codePoint }),
      fc.string({ unit: fc.constantFrom(...'|\\`*_<>[]\n\r&# a') }),
      (by, reason) => {
        const typed = { by, reason };
        const given = report({
          version: reason,
          requestedBy: by,
          summary: reason,
          endedBy: typed,
          ticks: [tick(1, { detail: reason })],
          messages: [{ at: OPENED, name: 'cancelWindow', effect: by, ...typed }],
        });
        const log = renderPostDeployLog(given);
        // A backslash escapes the next character, a bar between two cells is not escaped: count those that are not.
        const bars = (row: string): number => row.replaceAll(/\\./gsu, '').split('|').length - 1;
        for (const row of log.split('\n').filter((line) => line.startsWith('|')))
          expect([3, 6, 8]).toContain(bars(row));
        expect(log.split('\n## Messages\n')[1]?.trim().split('\n')).toHaveLength(3);
        expect(log.split('\n')).toHaveLength(renderPostDeployLog(report({ ...given, ...PLAIN })).split('\n').length);
        expect(renderPostDeployLog(given)).toBe(log);
      },
    ),
    { numRuns: 500 },
  );
});

const PLAIN = { version: 'v', requestedBy: 'a', summary: 's', endedBy: { by: 'a', reason: 'r' } };

test('what did not go as it should is noted, where there was something', () => {
  expect(renderPostDeployLog(report())).not.toContain('## Notes');
  const text = 'the signal cancelWindow was ignored: it must be {by, reason}';
  expect(renderPostDeployLog(report({ notes: [{ at: OPENED, text }] }))).toMatch(
    /\n## Notes\n\n- \S+.*: the signal cancelWindow was ignored: it must be \\\{by, reason\\\}\n$/,
  );
});

test('HTML and links that people typed are text', () => {
  const log = renderPostDeployLog(report({ summary: '<script>x</script> [a](http://b) `c` **d**' }));
  expect(log).toContain('\\<script\\>x\\</script\\> \\[a\\](http\\://b) \\`c\\` \\*\\*d\\*\\*.');
});

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'd2d-log-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Writes logs as the activity of a run. */
const writing = (artefactsDir: string, runId = 'a-run') => {
  const { writePostDeployLog } = createPostDeployLog({ artefactsDir });
  const environment = activityEnvironment(1, { workflowExecution: { workflowId: 'monitor/org/shop/ORCH-61', runId } });
  return (of: WindowReport) => inActivity(() => writePostDeployLog(of), environment);
};

test('each window of a work item has its log in a folder of its own, and nothing else is left there', async () => {
  const artefactsDir = join(await folder(), 'not', 'there', 'yet');
  const write = writing(artefactsDir);
  const { path } = await write(report());
  expect(path).toBe(join(artefactsDir, 'org', 'shop', 'ORCH-61', '2026-01-02T03-04-05.000Z', '16-post-deploy-log.md'));
  expect(await readFile(path, 'utf8')).toBe(renderPostDeployLog(report()));
  expect(await readdir(join(path, '..'))).toEqual(['16-post-deploy-log.md']);
  const second = await write(report({ openedAt: OPENED + 1 }));
  expect(second.path).toBe(path.replace('05.000Z', '05.001Z'));
});

test('a window that was reset keeps its log, and the one of the run after it goes beside it; a retry writes the same file', async () => {
  const artefactsDir = await folder();
  const { path } = await writing(artefactsDir)(report());
  expect(await writing(artefactsDir)(report())).toEqual({ path });
  const beside = { path: path.replace('05.000Z', '05.000Z_reset-run') };
  const again = report({ outcome: 'no_evidence' });
  for (let tries = 0; tries < 2; tries += 1) expect(await writing(artefactsDir, 'reset-run')(again)).toEqual(beside);
  expect(await readFile(path, 'utf8')).toBe(renderPostDeployLog(report()));
  expect(await readFile(beside.path, 'utf8')).toBe(renderPostDeployLog(again));
});

test('a folder that cannot be made is an error that names it, and no later try helps', async () => {
  const artefactsDir = join(await folder(), 'file');
  await writeFile(artefactsDir, '');
  await expect(writing(artefactsDir)(report())).rejects.toMatchObject({
    type: 'LogRefused',
    nonRetryable: true,
    message: expect.stringMatching(/^(ENOTDIR|EEXIST): .*\/file.*: check ORCH_ARTEFACTS_DIR$/),
  });
});

test('a worker does not start where it could not write the logs; doctor warns, as it may run elsewhere', async () => {
  const artefactsDir = join(await folder(), 'file');
  expect(await checkArtefacts(artefactsDir, false)).toEqual([]);
  expect(await checkArtefacts(join(artefactsDir, 'made'), true)).toEqual([]);
  const broken = join(artefactsDir, 'made', 'file');
  await writeFile(broken, '');
  for (const [starting, level] of [
    [true, 'fault'],
    [false, 'warning'],
  ] as const)
    expect(await checkArtefacts(broken, starting)).toEqual([
      {
        name: 'artefacts',
        level,
        message: expect.stringMatching(/cannot be written \(.*\): correct ORCH_ARTEFACTS_DIR$/),
      },
    ]);
});

const odd = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.constantFrom('.', '/', '\\', '%', '-', 'a', 'A', '2', 'F', 'E') }),
  fc.constantFrom('..', '../..', '/etc', '16-post-deploy-log.md', '', 'x'.repeat(400)),
);

test('no name leads out of the folder, and different names share no file', () => {
  fc.assert(
    fc.property(odd, odd, odd, odd, (repo, workItem, otherRepo, otherWorkItem) => {
      const path = logPath('/artefacts', { repo, workItem, openedAt: OPENED });
      const parts = relative('/artefacts', path).split(sep);
      expect(path.startsWith('/artefacts/')).toBe(true);
      expect(parts).toHaveLength(repo.split('/').length + 3);
      for (const part of parts) expect(part).toMatch(/^(?!\.)[\w.%-]{1,255}$/);
      expect(parts.filter((part) => part === '16-post-deploy-log.md')).toHaveLength(1);
      if (repo === otherRepo && workItem === otherWorkItem) return;
      expect(logPath('/artefacts', { repo: otherRepo, workItem: otherWorkItem, openedAt: OPENED })).not.toBe(path);
    }),
    { numRuns: 2_000 },
  );
});
