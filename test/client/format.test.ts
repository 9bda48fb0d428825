import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatChecks } from '../../client/commands/doctor.ts';
import { formatChanges } from '../../client/format/changes.ts';
import { formatDeploy } from '../../client/format/deploy.ts';
import { formatList, formatListOfAll, formatUnanswered } from '../../client/format/list.ts';
import { coloured, plain } from '../../client/format/text.ts';
import { moment } from '../../client/format/time.ts';
import { formatWindow } from '../../client/format/window.ts';
import { formatWorkItem } from '../../client/format/work-item.ts';
import { fitted } from '../../client/live.ts';
import { MAX_MINUTES, parseMinutes } from '../../client/minutes.ts';
import { deployStatus, deployView, execution, NOON, tick, windowStatus, windowView } from './builders.ts';

describe('a window', () => {
  test('that is open shows its countdown, verdict, coverage and last looks', () => {
    expect(formatWindow(windowStatus(), NOON)).toBe(
      [
        'ORCH-61 · shop v2 · post-deploy window open · HEALTHY so far',
        '  no degradation: longest streak of failed health checks 0 of 3',
        '  tick 7 of 30 · next look in 12 s · ends in 11 min 30 s (12:11:30Z)',
        '  looks: 7 made, 0 missed, 0 unknown · 140 requests, 0 failed',
        '  last looks:',
        '    12:00:00Z tick 7 pass    20 requests, 0 failed',
      ].join('\n'),
    );
  });

  test('that is degraded says what was done, by whom, and whether production recovered', () => {
    const words = formatWindow(
      windowStatus({
        phase: 'acting',
        degradedAt: NOON - 60_000,
        recovered: false,
        action: { kind: 'ROLLBACK', startedAt: NOON, finishedAt: null, ok: null, detail: 'the rollback runs' },
        lastTicks: [
          tick({ health: 'fail', confirming: true, detail: 'answered 500' }),
          { ...tick({ tick: 1 }), afterRollback: true },
        ],
        messages: [{ at: NOON, name: 'extendWindow', by: 'bob', reason: 'slow', effect: 'extended by 5 minutes' }],
        notes: [{ at: NOON - 86_400_000, text: 'the signal cancelWindow was ignored' }],
      }),
      NOON,
    );
    expect(words.split('\n')).toEqual(
      expect.arrayContaining([
        'ORCH-61 · shop v2 · post-deploy window acting · DEGRADED',
        '  degraded at 11:59:00Z (1 min ago)',
        '  action: ROLLBACK, runs: the rollback runs',
        '  production has not recovered',
        '    12:00:00Z tick 7 (confirming) fail    20 requests, 0 failed · answered 500',
        '    12:00:00Z tick 1 after the rollback pass    20 requests, 0 failed',
        '    12:00:00Z extendWindow by bob (slow): extended by 5 minutes',
        '    2026-03-13 12:00:00Z the signal cancelWindow was ignored',
      ]),
    );
  });

  test('that has left the item in a state of its own says in which, and why', () => {
    const finalStatus = 'Degraded: the rollback failed';
    const words = formatWindow(windowStatus({ phase: 'closed', outcome: 'rollback_failed', finalStatus }), NOON);
    expect(words).toContain('\n  status of the work item: Degraded: the rollback failed\n');
    expect(formatWindow(windowStatus(), NOON)).not.toContain('status of the work item');
  });

  test.each([
    [{ outcome: 'closed_early', phase: 'closed' }, '· post-deploy window closed · closed early\n', '  tick 7 of 30\n'],
    [{ nextLookAt: NOON - 1 }, 'HEALTHY so far', '  tick 7 of 30 · looking now · ends in'],
    [{ endsAt: NOON - 90_000, nextLookAt: null }, 'HEALTHY so far', '  tick 7 of 30 · was to end 1 min 30 s ago\n'],
    [{ outcome: 'cancelled', phase: 'acting' }, 'cancelled', '· ends when its rollback has ended\n'],
  ] as const)('%j', (change, head, progress) => {
    const words = formatWindow(windowStatus(change), NOON);
    expect(words).toContain(head);
    expect(words).toContain(progress);
  });
});

describe('a deploy', () => {
  test('that waits for approval says until when, and what to do', () => {
    expect(formatDeploy(deployStatus(), NOON)).toBe(
      [
        'ORCH-61 · shop v2 · deploy awaiting approval',
        '  requested by alice',
        '  waits for approval until 12:10:00Z (in 10 min)',
        '  d2d approve ORCH-61, or d2d reject ORCH-61 --reason "…"',
      ].join('\n'),
    );
  });

  test('that has ended says how, why and who approved it', () => {
    const approval = { required: true, expiresAt: NOON, decision: 'approved', by: 'bob', reason: 'ok' } as const;
    const words = formatDeploy(
      deployStatus({
        phase: 'finished',
        outcome: 'deploy_failed',
        reason: 'exit code 1',
        approval,
        windowId: 'monitor/shop/ORCH-61',
        finalStatus: 'Degraded: this version was rolled back',
      }),
      NOON,
    );
    expect(words.split('\n')).toEqual([
      'ORCH-61 · shop v2 · deploy failed',
      '  exit code 1',
      '  status of the work item: Degraded: this version was rolled back',
      '  requested by alice',
      '  approved by bob (ok)',
      '  post-deploy window: monitor/shop/ORCH-61',
    ]);
  });

  test('that deploys says so once', () => {
    expect(formatDeploy(deployStatus({ phase: 'deploying' }), NOON)).toMatch(/^ORCH-61 · shop( v2)? · deploying\n/);
    expect(formatDeploy(deployStatus({ phase: 'unknown' }), NOON)).toMatch(/ · deploy unknown\n/);
  });

  test('that no worker answers for shows what Temporal itself knows', () => {
    const view = deployView({ status: null, unanswered: 'no worker answers' });
    expect(formatWorkItem({ workItem: 'ORCH-61', deploy: view, window: null }, NOON)).toBe(
      [
        'ORCH-61 · shop · deploy awaiting approval',
        '  deploy/shop/ORCH-61, running, started 1 min ago',
        '  no worker answers: this is what Temporal itself knows',
      ].join('\n'),
    );
  });

  test('what it tries again keeps it from ending: the activity, the attempt and the last failure', () => {
    const retries = [
      { activity: 'commentOnWorkItem', attempt: 7, message: 'POST /comments/: Plane answered 500.\nAgain' },
    ];
    const view = deployView({ execution: execution({ retries }) });
    expect(formatWorkItem({ workItem: 'ORCH-61', deploy: view, window: null }, NOON)).toMatch(
      /\n {2}tries again: commentOnWorkItem, attempt 7: POST \/comments\/: Plane answered 500\. Again$/,
    );
  });

  test('what it has left undone is named, also while nothing of it is tried again', () => {
    const wrapUps = ['wrap-up/shop/ORCH-61/0190-run'];
    const view = deployView({ execution: execution({ wrapUps }) });
    expect(formatWorkItem({ workItem: 'ORCH-61', deploy: view, window: null }, NOON)).toMatch(
      /\n {2}not done yet \(status, alerts, comments or log\): wrap-up\/shop\/ORCH-61\/0190-run is running$/,
    );
  });

  const TERMINATED = { running: false, status: 'TERMINATED' } as const;

  test('that was terminated says so first, and asks for nothing', () => {
    const waiting = deployView({ execution: execution(TERMINATED) });
    expect(formatWorkItem({ workItem: 'ORCH-61', deploy: waiting, window: null }, NOON)).toBe(
      ['ORCH-61 · shop v2 · deploy terminated at awaiting approval', '  requested by alice'].join('\n'),
    );
    const unknown = { ...waiting, status: deployStatus({ phase: 'unknown', reason: 'the worker was lost' }) };
    const words = formatWorkItem({ workItem: 'ORCH-61', deploy: unknown, window: null }, NOON);
    expect(words).toMatch(/^ORCH-61 · shop v2 · deploy terminated at unknown\n {2}the worker was lost\n/);
    expect(words).not.toContain('d2d resolve');
    expect(formatChanges(null, { workItem: 'ORCH-61', deploy: waiting, window: null }, NOON)).toEqual([
      'ORCH-61: deploy awaiting approval',
      'ORCH-61: the deploy was terminated in Temporal',
    ]);
    const unanswered = deployView({ execution: execution(TERMINATED), status: null, unanswered: 'no worker answers' });
    expect(formatWorkItem({ workItem: 'ORCH-61', deploy: unanswered, window: null }, NOON)).toMatch(
      /^ORCH-61 · shop · deploy terminated at awaiting approval\n/,
    );
  });

  test('whose window was terminated: it looks no more', () => {
    const window = windowView({ execution: execution({ ...TERMINATED, kind: 'window', phase: 'open' }) });
    const [head, , progress] = formatWorkItem({ workItem: 'ORCH-61', deploy: null, window }, NOON).split('\n');
    expect(head).toBe('ORCH-61 · shop v2 · post-deploy window terminated, was open · HEALTHY so far');
    expect(progress).toBe('  tick 7 of 30');
  });
});

test('a list is a table without lines, colour or trailing spaces', () => {
  const rows = [
    {
      ...execution({ kind: 'window', phase: 'open', verdict: 'HEALTHY' }),
      window: { tick: 7, plannedTicks: 30, endsAt: NOON + 690_000, outcome: null },
      unanswered: null,
    },
    { ...execution({ workItem: 'ORCH-7' }), window: null, unanswered: null },
  ];
  expect(formatList(rows, NOON)).toBe(
    [
      'WORK ITEM  REPO  KIND    PHASE              VERDICT  PROGRESS                     STARTED',
      'ORCH-61    shop  window  open               HEALTHY  tick 7/30, 11 min 30 s left  1 min ago',
      'ORCH-7     shop  deploy  awaiting approval                                        1 min ago',
    ].join('\n'),
  );
  expect(formatList(rows, NOON, coloured)).toContain('\u001b[32mHEALTHY\u001b[39m');
});

describe('a list of all', () => {
  const ended = (change: Parameters<typeof execution>[0]) => ({
    ...execution({ running: false, status: 'COMPLETED', phase: 'finished', closedAt: NOON - 15_000, ...change }),
    window: null,
    unanswered: null,
  });

  test('has the outcome, the version, the start and the duration of each', () => {
    const rows = [
      { ...execution({ kind: 'window', phase: 'open', verdict: 'DEGRADED' }), window: null, unanswered: null },
      { ...execution(), window: null, unanswered: null },
      ended({ outcome: 'done', startedAt: NOON - 180_000_000 }),
      ended({ outcome: null, version: null, workItem: 'ORCH-7' }),
      ended({ status: 'TERMINATED' }),
    ];
    expect(formatListOfAll(rows, NOON).split('\n')).toEqual([
      'WORK ITEM  REPO  KIND    VERSION  OUTCOME              STARTED    DURATION',
      'ORCH-61    shop  window  v2       (open, DEGRADED)     1 min ago  1 min',
      'ORCH-61    shop  deploy  v2       (awaiting approval)  1 min ago  1 min',
      'ORCH-61    shop  deploy  v2       done                 2 d ago    2 d 1 h',
      'ORCH-7     shop  deploy  –        –                    1 min ago  45 s',
      'ORCH-61    shop  deploy  v2       terminated           1 min ago  45 s',
    ]);
  });

  test('fits into 80 columns: versions and repositories are shortened, work items are not', () => {
    const version = '0123456789abcdef0123456789abcdef01234567';
    const rows = [ended({ repo: 'acme/shop-frontend', version, outcome: 'degraded_rolled_back' })];
    const [head = '', row = ''] = formatListOfAll(rows, NOON, coloured, 80).split('\n').map(stripVTControlCharacters);
    expect(Math.max(head.length, row.length)).toBeLessThanOrEqual(80);
    expect(row).toMatch(/^ORCH-61 +acme\/\S+ +deploy +0123456\S* +degraded rolled back +1 min ago +45 s$/);
    expect(formatListOfAll(rows, NOON)).toContain(version);
  });
});

test('why no worker answers is a line a reason, with the first work items', () => {
  const row = (at: number, unanswered: string | null) => ({
    ...execution({ workItem: `ORCH-${at}` }),
    window: null,
    unanswered,
  });
  const rows = [...Array.from({ length: 7 }, (_, at) => row(at, 'nobody')), row(8, 'it fails'), row(9, null)];
  expect(formatUnanswered(rows)).toEqual([
    'nobody: ORCH-0 (deploy), ORCH-1 (deploy), ORCH-2 (deploy), ORCH-3 (deploy), ORCH-4 (deploy) and 2 more',
    'it fails: ORCH-8 (deploy)',
  ]);
});

describe('changes', () => {
  const view = (change: Parameters<typeof windowStatus>[0] = {}) => ({
    workItem: 'ORCH-61',
    deploy: null,
    window: windowView({ status: windowStatus(change) }),
  });

  test('the first look tells how things stand', () => {
    expect(formatChanges(null, { workItem: 'ORCH-61', deploy: deployView(), window: null }, NOON)).toEqual([
      'ORCH-61: deploy awaiting approval',
      'ORCH-61: waits for approval until 12:10:00Z',
    ]);
  });

  test('nothing new is no line', () => {
    expect(formatChanges(view(), view(), NOON)).toEqual([]);
    const both = { workItem: 'ORCH-61', deploy: deployView(), window: windowView() };
    expect(formatChanges(both, structuredClone(both), NOON)).toEqual([]);
  });

  test('each look, message, verdict and end is a line of its own', () => {
    const after = view({
      lastTicks: [tick(), tick({ tick: 8, at: NOON + 30_000, health: 'fail' })],
      degradedAt: NOON + 30_000,
      summary: '3 health checks in a row failed',
      action: { kind: 'ALERT_ONLY', startedAt: NOON, finishedAt: NOON, ok: true, detail: 'an alert was raised' },
      messages: [{ at: NOON, name: 'cancelWindow', by: 'bob', reason: 'known', effect: 'the window was cancelled' }],
      outcome: 'degraded_alerted',
      phase: 'closed',
    });
    expect(formatChanges(view(), after, NOON)).toEqual([
      'ORCH-61: 12:00:30Z tick 8 fail    20 requests, 0 failed · of 30',
      'ORCH-61: DEGRADED: 3 health checks in a row failed',
      'ORCH-61: ALERT_ONLY done: an alert was raised',
      'ORCH-61: cancelWindow by bob (known): the window was cancelled',
      'ORCH-61: window degraded alerted: 3 health checks in a row failed',
    ]);
  });

  test('the end of the run is told once, and last', () => {
    const before = { workItem: 'ORCH-61', deploy: deployView(), window: null };
    const result = { outcome: 'done', reason: 'all well' } as const;
    const after = { ...before, deploy: deployView({ status: deployStatus({ ...result, phase: 'finished' }), result }) };
    expect(formatChanges(before, after, NOON)).toEqual(['ORCH-61: deploy done: all well']);
    expect(formatChanges(after, after, NOON)).toEqual([]);
  });
});

describe('words', () => {
  test('another day is named', () => {
    expect(moment(NOON, NOON + 3_600_000)).toBe('12:00:00Z');
    expect(moment(NOON, NOON + 86_400_000)).toBe('2026-03-14 12:00:00Z');
  });

  test('text from elsewhere cannot steer the terminal', () => {
    const status = windowStatus({ summary: 'x\u001b[2J', notes: [{ at: NOON, text: 'a\nb' }] });
    expect(formatWindow(status, NOON)).not.toContain('\u001b');
    expect(formatWindow(status, NOON).split('\n').at(-1)).toBe('    12:00:00Z a b');
  });

  test('what is drawn again neither wraps nor scrolls, coloured or not', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 200 }), fc.integer({ min: 1, max: 60 }), (columns, rows) => {
        const text = formatWindow(windowStatus(), NOON, coloured);
        const lines = fitted(text, { columns, rows });
        expect(lines.length).toBeLessThanOrEqual(Math.max(1, rows - 1));
        // biome-ignore lint/suspicious/noControlCharactersInRegex: colours take no room
        expect(Math.max(...lines.map((line) => line.replaceAll(/\u001b\[\d+m/g, '').length))).toBeLessThan(columns);
      }),
    );
  });

  test('a diagnosis has its faults last and sums up', () => {
    const checks = [
      { name: 'database', level: 'fault', message: 'no table' },
      { name: 'temporal', level: 'ok', message: 'answers' },
    ] as const;
    expect(formatChecks(checks, plain)).toBe(
      'ok       temporal: answers\nFAULT    database: no table\n1 fault: a worker would not start',
    );
    expect(formatChecks([checks[1]], plain)).toMatch(/\nall well$/);
    expect(formatChecks([{ ...checks[0], level: 'warning' }], plain)).toMatch(
      /\nno fault, 1 warning: a worker would start$/,
    );
  });
});

test('minutes are above 0 and sane, whatever is given', () => {
  expect([parseMinutes('10'), parseMinutes(' .5 '), parseMinutes('10080')]).toEqual([10, 0.5, MAX_MINUTES]);
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.double().map(String)), (text) => {
      try {
        const minutes = parseMinutes(text);
        expect(minutes > 0 && minutes <= MAX_MINUTES).toBe(true);
      } catch (error) {
        expect(error).toMatchObject({ kind: 'refused', message: expect.stringContaining('minutes must be') });
      }
    }),
  );
});
