import { describe, expect, test } from 'vitest';
import { workItemFault } from '../../decisions/work-item-name.ts';

const UUID = '7b2f6f0e-51c3-4a66-9d0f-0a52a7d1c9aa';

describe('a work item', () => {
  test.each([
    'ORCH-61',
    'orch-61',
    'ORCH-061',
    'A-1',
    'WEB_2-123456789',
    'ÇAĞRI-7',
    '開発-7',
    UUID,
    UUID.toUpperCase(),
  ])('%j is one', (name) => {
    expect(workItemFault(name)).toBeNull();
  });

  test.each([
    '',
    'ORCH',
    '61',
    '-61',
    'ORCH-',
    'ORCH-x',
    'ORCH-1234567890',
    ' ORCH-61',
    'ORCH-61\n',
    'ORCH-61\nORCH-62',
    'release of march',
    'ORCH/61',
    '../ORCH-61',
    'ORCH\u001b[31m-61',
    'ORCH\u202e-61',
    'OR\u200bCH-61',
    'OR\u3164CH-61',
    '<b>-61',
    '`x`-61',
    'ORCH-٦١',
    UUID.slice(1),
    `${UUID}0`,
    `${'X'.repeat(101)}-1`,
  ])('%j is none', (name) => {
    expect(workItemFault(name)).toMatch(/^workItem must be a key such as ORCH-61/);
  });

  test('the reason shows the beginning of what was given', () => {
    expect(workItemFault('release of march')).toBe(
      'workItem must be a key such as ORCH-61 (letters, digits and _, then - and a number) or a UUID, got "release of march"',
    );
    expect(workItemFault('x'.repeat(300))).toMatch(/, got "x{80}"$/);
  });
});
