import { expect, test } from 'vitest';
import { parseArguments } from '../../demo/arguments.ts';

const COMPRESSED = {
  time: 'compressed',
  action: 'alert',
  guard: 'on',
  webhooks: 'off',
  afterwards: 'stop',
  output: 'people',
};

test.each([
  [[], { ...COMPRESSED, scenario: 'green' }],
  [['red', '--rollback'], { ...COMPRESSED, scenario: 'red', action: 'rollback' }],
  [['flap'], { ...COMPRESSED, scenario: 'flap', webhooks: 'on' }],
  [['flap', '--no-webhooks'], { ...COMPRESSED, scenario: 'flap' }],
  [['flap', '--no-guard'], { ...COMPRESSED, scenario: 'flap', guard: 'off' }],
  [['crash'], { ...COMPRESSED, scenario: 'crash', action: 'rollback' }],
  [
    ['cancel', '--real-time', '--keep', '--json'],
    { ...COMPRESSED, scenario: 'cancel', time: 'real', afterwards: 'keep', output: 'json' },
  ],
])('%j', (args, options) => {
  expect(parseArguments(args)).toEqual({ options });
});

test.each([
  [['blue'], "'blue' is invalid for argument 'scenario'. Allowed choices are green, red, flap, cancel, crash."],
  [['green', '--fast'], "unknown option '--fast'"],
  [['green', 'red'], 'too many arguments'],
  [['green', '--rollback'], '--rollback belongs to red, not to green'],
  [['red', '--no-webhooks'], '--no-webhooks belongs to flap, not to red'],
  [['crash', '--no-guard'], '--no-guard belongs to flap, not to crash'],
])('bad usage %j ends with 2 and says why', (args, text) => {
  expect(parseArguments(args)).toEqual({ exitCode: 2, text: expect.stringContaining(text) });
});

test('--help names every scenario and the exit codes', () => {
  const parsed = parseArguments(['--help']);
  expect(parsed).toMatchObject({ exitCode: 0 });
  for (const word of ['green', 'red', 'flap', 'cancel', 'crash', '130 Ctrl-C'])
    expect(parsed).toMatchObject({ text: expect.stringContaining(word) });
});
