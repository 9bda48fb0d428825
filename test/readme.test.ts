import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { OUTCOME_EXIT_CODES } from '../client/exit-codes.ts';
import { RAW_COMMANDS } from './system/raw-commands.ts';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

test.each(Object.entries(RAW_COMMANDS))('the README shows the command line that is tested: %s', (_name, command) => {
  expect(README).toContain(command);
});

test.each(Object.entries(OUTCOME_EXIT_CODES))('the README gives the exit code of %s', (outcome, code) => {
  const row = README.split('\n').find((line) => line.startsWith('| ') && line.includes(`\`${outcome}\``));
  expect(row).toContain(String(code));
});
