import { describe, expect, test } from 'vitest';
import type { WindowPolicy } from '../../decisions/index.ts';
import * as messages from '../../workflows/window-messages.ts';
import type { Look, MonitorInput, WindowState } from '../../workflows/window-state.ts';
import * as win from '../../workflows/window-state.ts';
import * as view from '../../workflows/window-view.ts';
import { fail, pass, policy, unknown } from './item.ts';

const OPENED = Date.UTC(2026, 0, 2, 10, 0, 0);
const OPS = { by: 'oncall', reason: 'seen enough' };

const input = (change: Partial<WindowPolicy> = {}): MonitorInput => ({
  repo: 'shop',
  workItem: 'ORCH-1',
  version: 'v2',
  requestedBy: null,
  selfHosting: false,
  policy: policy(change),
  rollback: null,
  guarded: true,
  settleMs: 60_000,
});

function watched(looks: readonly Look[]): WindowState {
  let state = win.open(input(), OPENED);
  for (const look of looks) state = win.recordLook(state, policy(), win.lookAt(state, policy()) ?? 0, look);
  return state;
}

const degraded = watched([pass(), fail(), fail(), fail()]);
const rolling = win.actionStarted(degraded, 'ROLLBACK', OPENED + 71_000);
const rolledBack = win.rollbackFinished(rolling, policy(), { ok: true, detail: 'v1 is back', at: OPENED + 90_000 });
const full = watched(Array.from({ length: 10 }, () => pass()));
const healthy = win.ranOut(full, policy(), OPENED + 300_000);
const blind = win.ranOut(watched(Array.from({ length: 10 }, unknown)), policy(), OPENED + 300_000);
const cancelled = (state: WindowState) => messages.cancelled(state, 'cancelWindow', OPS, OPENED + 80_000);

test.each<[string, WindowState, string, string, string | null]>([
  ['open', watched([pass()]), 'open', 'HEALTHY', null],
  ['open without any evidence', watched([unknown()]), 'open', 'HEALTHY', null],
  ['degraded', degraded, 'open', 'DEGRADED', null],
  ['alerted', win.actionStarted(degraded, 'ALERT_ONLY', OPENED), 'open', 'DEGRADED', null],
  ['rolling back', rolling, 'acting', 'DEGRADED', null],
  ['rolled back, watched on', rolledBack, 'acting', 'DEGRADED', null],
  ['cancelled while it rolls back', cancelled(rolling), 'acting', 'DEGRADED', 'rollback_failed'],
  ['cancelled after it', cancelled(rolledBack), 'closed', 'DEGRADED', 'degraded_rolled_back'],
  ['healthy', healthy, 'closed', 'HEALTHY', 'healthy'],
  ['no evidence', blind, 'closed', 'NO_EVIDENCE', 'no_evidence'],
  ['cancelled', cancelled(watched([pass()])), 'closed', 'NO_EVIDENCE', 'cancelled'],
  ['cancelled before anything was seen', cancelled(watched([])), 'closed', 'NO_EVIDENCE', 'cancelled'],
])('%s: phase, verdict, outcome', (_, state, phase, verdict, outcome) => {
  expect(view.phase(state)).toBe(phase);
  expect(view.verdictAttribute(state)).toBe(verdict);
  expect(view.outcome(state)).toBe(outcome);
});

describe('a window in which looks failed, too few to prove a degradation', () => {
  function over(looks: readonly Look[], rules?: win.Rules): WindowState {
    let state = win.open(input(), OPENED, rules);
    for (const look of looks) state = win.recordLook(state, policy(), win.lookAt(state, policy()) ?? 0, look);
    return win.ranOut(state, policy(), OPENED + 300_000);
  }
  const pair = [fail(), pass()];
  const flapping = [...Array.from({ length: 9 }, () => pair).flat(), pass()]; // ticks fail, what confirms them passes
  const onlyLast = [...Array.from({ length: 9 }, () => pass()), fail()];

  test.each([
    ['its last look failed, though not enough of them to prove a degradation', onlyLast],
    ['fewer than half of its looks passed, though not enough failed to prove a degradation', flapping],
    ['fewer than half of its looks saw anything', [pass()]],
  ])('nobody knows whether it is healthy: %s', (why, looks) => {
    const state = over(looks, 3);
    expect(view.outcome(state)).toBe('no_evidence');
    expect(view.verdictAttribute(state)).toBe('NO_EVIDENCE');
    const { summary } = view.report(state, input());
    expect(summary).toMatch(new RegExp(`^nobody knows whether it is healthy: ${why}; no degradation: longest streak`));
    expect(view.closingWords(view.report(state, input()))).toContain(summary);
  });

  test('is healthy by the rules of earlier versions, and where it passed again', () => {
    expect(view.outcome(over(onlyLast, 2))).toBe('healthy');
    expect(view.outcome(over(flapping))).toBe('healthy');
    const recovered = over([...Array.from({ length: 8 }, () => pass()), ...pair, pass()], 3);
    expect(view.outcome(recovered)).toBe('healthy');
    expect(view.status(recovered, input()).summary).toMatch(/^no degradation/);
  });

  test('a look that comes after the end, and fails, leaves it in doubt', () => {
    const late = (look: Look, rules: win.Rules) => {
      let state = win.open(input(), OPENED, rules);
      for (let n = 0; n < 8; n += 1) state = win.recordLook(state, policy(), win.lookAt(state, policy()) ?? 0, pass());
      const at = OPENED + 900_000;
      return win.recordLook(state, policy(), win.lookAt(state, policy()) ?? 0, { ...look, at });
    };
    expect(view.outcome(late(pass(), 3))).toBe('healthy');
    expect(view.outcome(late(fail(), 3))).toBe('no_evidence');
    expect(view.outcome(late(fail(), 2))).toBe('healthy');
    expect(view.report(late(fail(), 3), input()).coverage).toMatchObject({ made: 8, missed: 2 });
  });

  test('says nothing of it while it is open', () => {
    expect(view.status(win.open(input(), OPENED, 3), input()).summary).toMatch(/^no degradation/);
  });
});

test.each<[string, WindowState]>([
  ['tick 1 of 10', watched([])],
  ['tick 2 of 10', watched([pass()])],
  ['confirm tick 2 of 10', watched([pass(), fail()])],
  ['tick 10 of 10', watched(Array.from({ length: 9 }, () => pass()))],
  ['end of the window', full],
  ['recovery after the rollback', rolledBack],
])('the timer says: %s', (summary, state) => {
  expect(view.timerSummary(state, input())).toBe(summary);
});

describe('details', () => {
  test('a window at a glance', () => {
    const state = win.actionStarted(
      watched([pass(10, 1), fail('a|b'), fail('a|b'), fail('a|b')]),
      'ALERT_ONLY',
      OPENED,
    );
    expect(view.details(state, input()).split('\n')).toEqual([
      '**DEGRADED** · tick 2 of 10 · ends 10:05:00 UTC, 3 min 50 s from the last look',
      '',
      '3 health checks in a row failed (threshold 3): a\\|b; 10 requests seen, 1 failed, fewer than the 20 that the error ratio needs',
      '',
      'Looks: 4 made, 0 missed, 0 unknown · 10 requests, 1 failed',
      '',
      'Action: ALERT_ONLY, an alert is being raised',
      '',
      'Production has not recovered.',
      '',
      '| tick | time | health | requests | failed | |',
      '|---|---|---|---|---|---|',
      '| 2 | 10:01:10 | fail | 0 | 0 |  |',
      '| 2 | 10:01:05 | fail | 0 | 0 |  |',
      '| 2 | 10:01:00 | fail | 0 | 0 | a\\|b |',
      '| 1 | 10:00:30 | pass | 10 | 1 |  |',
    ]);
  });

  test('looks after a rollback are numbered anew, and say so', () => {
    const looked = win.recordLook(rolledBack, policy(), win.lookAt(rolledBack, policy()) ?? 0, pass());
    expect(view.status(looked, input()).lastTicks.map(({ tick, afterRollback }) => [tick, afterRollback])).toEqual([
      ...[1, 2, 2, 2].map((tick) => [tick, undefined]),
      [1, true],
    ]);
    expect(view.details(looked, input())).toMatch(/\n\| 1 after the rollback \| \d\d:\d\d:\d\d \| pass/);
  });

  test('the end, and who ended it', () => {
    const text = view.details(cancelled(watched([pass()])), input());
    expect(text).toContain('**cancelled** · tick 1 of 10 · closed');
    expect(text).toContain('10:01:20 cancelWindow by oncall (seen enough): the window was cancelled');
  });

  test('the last ten looks only', () => {
    expect(view.details(healthy, input()).match(/\| pass \|/g)).toHaveLength(10);
    expect(view.status(watched(Array.from({ length: 9 }, () => pass())), input()).lastTicks).toHaveLength(9);
  });
});

test('status', () => {
  expect(view.status(watched([pass(10), pass(10)]), input())).toMatchObject({
    phase: 'open',
    openedAt: OPENED,
    endsAt: OPENED + 300_000,
    nextLookAt: OPENED + 90_000,
    tick: 2,
    plannedTicks: 10,
    degradedAt: null,
    recovered: null,
    outcome: null,
    summary:
      'no degradation: longest streak of failed health checks 0 of 3; 0 of 20 requests failed (0.0 %, threshold 5.0 %)',
  });
  expect(view.status(rolledBack, input()).endsAt).toBe(OPENED + 150_000);
  expect(view.status(healthy, input()).nextLookAt).toBeNull();
});

test('what did not go as it should stands in the details and in the report', () => {
  const state = win.noted(watched([pass()]), 'the signal hello was ignored', OPENED + 31_000);
  expect(view.details(state, input())).toMatch(/\n\n\d\d:\d\d:\d\d the signal hello was ignored$/);
  expect(view.report(cancelled(state), input()).notes).toEqual([
    { at: OPENED + 31_000, text: 'the signal hello was ignored' },
  ]);
});

describe('what the ticket is told', () => {
  const words = (state: WindowState) => view.closingWords(view.report(state, input()));

  test('cancelled', () => {
    expect(words(cancelled(watched([pass()])))).toEqual([
      'ORCH-1: the post-deploy window of shop ended: cancelled.',
      'no degradation: longest streak of failed health checks 0 of 3; 10 requests seen, fewer than the 20 that the error ratio needs',
      'Ended by oncall: seen enough.',
      '1 looks of 10 planned ticks, 0 missed, 0 unknown.',
    ]);
  });

  test('rolled back, and not recovered', () => {
    const looked = win.recordLook(rolledBack, policy(), win.lookAt(rolledBack, policy()) ?? 0, fail());
    const over = win.ranOut(looked, policy(), OPENED + 150_000);
    expect(words(over)).toEqual([
      'ORCH-1: the post-deploy window of shop ended: degraded rolled back.',
      expect.stringContaining('3 health checks in a row failed'),
      'Action: ROLLBACK, v1 is back.',
      'Production had not recovered when the window ended.',
      '4 looks of 10 planned ticks, 0 missed, 0 unknown.',
    ]);
    const report = view.report(over, input());
    expect(report).toMatchObject({ endedBy: null, recovered: false, endedAt: OPENED + 150_000 });
    expect(report).not.toHaveProperty('recoveryUnknown');
  });

  test('rolled back, and too little was seen to know more', () => {
    const over = win.ranOut(rolledBack, policy(), OPENED + 150_000);
    expect(words(over)).toContain('Nobody knows whether production has recovered: too little was seen.');
    expect(view.report(over, input())).toMatchObject({ recovered: false, recoveryUnknown: true });
    expect(view.details(over, input())).toContain('Nobody knows whether production has recovered');
  });

  test('nobody knows whether it was rolled back', () => {
    const end = { ok: false, unknown: true, detail: 'the answer was lost', at: OPENED + 90_000 } as const;
    const over = win.ranOut(win.rollbackFinished(rolling, policy(), end), policy(), OPENED + 150_000);
    expect(words(over)).toContain('Action: ROLLBACK, nobody knows whether it worked: the answer was lost.');
  });
});
