import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatChecks } from '../../client/commands/doctor.ts';
import type { Explanation, StatusWish } from '../../client/explain.ts';
import { formatChanges } from '../../client/format/changes.ts';
import { formatExplanation } from '../../client/format/explain.ts';
import { formatList, formatListOfAll, formatUnanswered } from '../../client/format/list.ts';
import { formatReconcile, reconcileLine } from '../../client/format/reconcile.ts';
import { coloured, type Paint, plain } from '../../client/format/text.ts';
import { formatWorkItem } from '../../client/format/work-item.ts';
import { showLive } from '../../client/live.ts';
import { createOutput, guarded, type Stream } from '../../client/output.ts';
import type { WorkItemView } from '../../client/views.ts';
import { HOSTILE, hostile, STEERING } from '../setup/hostile.ts';
import { deployStatus, deployView, execution, NOON, windowStatus, windowView } from './builders.ts';

const examples = HOSTILE.map((text): [string] => [text]);

/** A stream that keeps what gets out, behind the guard that `runCli` puts before each. */
function terminal(colour: boolean, tty = false): { readonly stream: Stream; readonly out: () => string } {
  let written = '';
  const write = (text: string): void => {
    written += text;
  };
  const size = () => ({ columns: 400, rows: 400 });
  return { stream: guarded({ tty, colour, size, write }), out: () => written };
}

/** The colours that d2d has, and nothing else of a terminal's sequences. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
const withoutColours = (text: string): string => text.replaceAll(/\u001b\[(?:1|2|22|31|32|33|39)m/g, '');

/** What search attributes say, which anybody may set who starts something. */
const recorded = (text: string) => ({
  ...{ workItem: text, repo: text, version: text, phase: text, verdict: text, outcome: text },
});

/** A work item every text of which is this one. */
function viewOf(text: string): WorkItemView {
  const notes = [{ at: NOON, text }];
  const retries = [{ activity: text, attempt: 2, message: text }];
  return {
    workItem: text,
    deploy: deployView({
      execution: execution({ ...recorded(text), workflowId: text, retries, wrapUps: [text] }),
      status: deployStatus({
        ...{ workItem: text, repo: text, version: text, requestedBy: text, reason: text, notes, finalStatus: text },
        ...{ phase: 'unknown', windowId: text },
        approval: { required: true, expiresAt: NOON, decision: 'approved', by: text, reason: text },
      }),
    }),
    window: windowView({
      execution: execution({ ...recorded(text), kind: 'window', workflowId: text, retries, wrapUps: [text] }),
      status: windowStatus({
        ...{ workItem: text, repo: text, version: text, summary: text, notes, degradedAt: NOON, finalStatus: text },
        action: { kind: 'ROLLBACK', startedAt: NOON, finishedAt: NOON, ok: true, detail: text },
        lastTicks: [{ tick: 1, at: NOON, health: 'fail', requests: 1, errors5xx: 1, detail: text }],
        messages: [{ at: NOON, name: 'cancelWindow', by: text, reason: text, effect: text }],
      }),
    }),
  };
}

/** The same, while no worker answers. */
const unansweredOf = (text: string): WorkItemView => {
  const { workItem, deploy, window } = viewOf(text);
  return {
    workItem,
    deploy: deploy && { ...deploy, status: null, unanswered: text, result: { outcome: 'refused', reason: text } },
    window: window && { ...window, status: null, unanswered: text },
  };
};

/** What was asked of its status: once taken, once given up, once tried still. */
function explanationOf(text: string): Explanation {
  const evidence = { inForce: true, dbStage: text, windowActive: false };
  const earlier = [{ at: NOON, evidence, verdict: 'ALLOW' as const, sent: text, answer: text }];
  const wish: StatusWish = {
    ...{ at: NOON, answeredAt: NOON, failed: false, workflowType: text, workflowId: text, caller: text, reason: text },
    ...{ wanted: text, evidence, verdict: text, shown: text, wrote: text, attempts: 2, failure: text, earlier },
  };
  return {
    workItem: text,
    task: { repo: text, workItem: text, stage: text },
    wishes: [wish, { ...wish, wrote: null }, { ...wish, failed: true }, { ...wish, answeredAt: null }],
    more: false,
  };
}

/** All that the commands print of texts, by what was given. */
function printed(text: string, paint: Paint): string[] {
  const row = { ...execution(recorded(text)), window: null, unanswered: text };
  const rows = [row, { ...row, outcome: null }];
  const item = { id: text, project: text };
  const counts = {
    looked: 1,
    inDeployPhase: 1,
    drifted: 1,
    healed: 0,
    putOff: 0,
    failed: 1,
    projects: {},
    beginWith: null,
  };
  const named = { item, repo: text, workItem: text, shown: text };
  return [
    formatWorkItem(viewOf(text), NOON, paint),
    formatWorkItem(unansweredOf(text), NOON, paint),
    formatChanges(null, viewOf(text), NOON, paint).join('\n'),
    formatChanges(null, unansweredOf(text), NOON, paint).join('\n'),
    formatList(rows, NOON, paint),
    formatListOfAll(rows, NOON, paint, 80),
    formatUnanswered(rows).join('\n'),
    formatChecks([{ name: 'plane', level: 'fault', message: text }], paint),
    formatReconcile([{ ...named, wanted: 'done', result: 'failed', detail: text }], paint),
    reconcileLine({
      ...counts,
      dryRun: false,
      unread: [{ project: text, why: text }],
      healings: [],
      failing: [{ workflowId: text, why: text }],
      orphaned: [{ ...named, stage: text }],
    }),
    formatExplanation(explanationOf(text), NOON, paint),
  ];
}

test('whatever is printed, a terminal gets lines of text, and colours of ours', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      for (const colour of [false, true]) {
        const { stream, out } = terminal(colour);
        const { result, note } = createOutput({ stdout: stream, stderr: stream }, false);
        for (const words of printed(text, colour ? coloured : plain)) result(words, null);
        note(text);
        expect(colour ? withoutColours(out()) : out()).not.toMatch(STEERING);
        const ours = printed('text', colour ? coloured : plain).join('\n');
        expect(out().split('\u001b')).toHaveLength(ours.split('\u001b').length);
      }
    }),
    { examples, numRuns: 50 },
  );
});

test('what a formatter lets through does not get out', () => {
  for (const colour of [false, true]) {
    const { stream, out } = terminal(colour);
    stream.write('\u001b[2J \u009b2J \u202e\n', 2);
    stream.write(`${coloured.good('ok')}\n`);
    expect(out()).toBe(
      `\\u{1b}[2J \\u{9b}2J \\u{202e}\n${colour ? '\u001b[32mok\u001b[39m' : '\\u{1b}[32mok\\u{1b}[39m'}\n`,
    );
  }
});

test('no text makes a line of its own', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const lines = (given: string): number[] => printed(given, plain).map((words) => words.split('\n').length);
      expect(lines(text)).toEqual(lines('text'));
    }),
    { examples, numRuns: 50 },
  );
});

test('what is shown live is no different, and written over what stood there', async () => {
  async function* views(): AsyncGenerator<WorkItemView> {
    yield viewOf('\u001b[2J\u202e');
    yield unansweredOf('\u001b[2J\u202e');
  }
  for (const tty of [false, true]) {
    const { stream, out } = terminal(true, tty);
    await showLive(views(), stream, () => NOON);
    expect(withoutColours(out())).not.toMatch(STEERING);
    expect(out()).toContain('\\u{1b}[2J\\u{202e}');
  }
});

test('with --json programs read the same, and a terminal gets nothing that steers it', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const { stream, out } = terminal(false);
      const { result } = createOutput({ stdout: stream, stderr: stream }, true);
      result('', viewOf(text));
      expect(out()).not.toMatch(STEERING);
      expect(JSON.parse(out())).toEqual(JSON.parse(JSON.stringify(viewOf(text))));
    }),
    { examples },
  );
});
