import { expect, test } from 'vitest';
import { agrees, type Summary, summaryText } from '../../demo/display/summary.ts';
import { holds, same } from '../../demo/scenarios/checks.ts';

const LOOK = { colour: false, columns: 120 };

const summary = (checks: Summary['checks'], sequence: readonly string[] = ['Todo', 'Done']): Summary => ({
  scenario: 'green',
  checks,
  statuses: [{ workItem: 'ORCH-61', sequence }],
  logs: ['/artefacts/16-post-deploy-log.md'],
  notes: ['a note'],
});

test('a summary agrees only if every check does', () => {
  expect(agrees(summary([same('stage', 'done', 'done'), same('alerts', 0, 0)]))).toBe(true);
  expect(agrees(summary([same('stage', 'done', 'done'), same('alerts', 0, 1)]))).toBe(false);
});

test('null, an empty list and zero are not the same', () => {
  expect(same('x', null, 0).ok).toBe(false);
  expect(same('x', [], 0).ok).toBe(false);
  expect(same('x', ['v1', 'v2'], ['v2', 'v1']).ok).toBe(false);
});

test('what was expected and seen, the statuses, the log and the verdict are shown', () => {
  const text = summaryText(summary([same('stage', 'done', 'deploy'), holds('looks', 'some', 3, true)]), LOOK);
  expect(text).toMatch(/NO.*stage.*done.*deploy/);
  expect(text).toMatch(/ok.*looks.*some.*3/);
  expect(text).toContain('Plane, ORCH-61: Todo → Done');
  expect(text).toContain('Post-deploy log: /artefacts/16-post-deploy-log.md');
  expect(text).toContain('a note');
  expect(text).toContain('green: 1 of 2 expectations were NOT met');
});

test('a long sequence is shown by its ends', () => {
  const sequence = Array.from({ length: 40 }, (_, index) => `S${index}`);
  expect(summaryText(summary([], sequence), LOOK)).toContain('S9 → … 27 more … → S37 → S38 → S39');
});
