import { describe, expect, test } from 'vitest';
import { repositoryFault } from '../../decisions/repository-name.ts';

describe('a repository', () => {
  test.each(['shop', 'org/shop', 'Team/Shop', '7', 'a.b_c-d', 'a/b/c', 'x'.repeat(200)])('%j is one', (name) => {
    expect(repositoryFault(name)).toBeNull();
  });

  test.each([
    '',
    ' ',
    ' shop',
    'shop\n',
    '/shop',
    'shop/',
    'org//shop',
    'a/../b',
    '-rf',
    '.git',
    'my shop',
    'shop\u001b[2J',
    'shop\u202e',
    'sh\u200bop',
    'größer',
    '<img>',
    '[x](y)',
    'a|b',
    'x'.repeat(201),
  ])('%j is none', (name) => {
    expect(repositoryFault(name)).toMatch(/^repo must begin with a letter or digit/);
  });

  test('the reason shows the beginning of what was given', () => {
    expect(repositoryFault('my shop')).toBe(
      'repo must begin with a letter or digit and go on with letters, digits and . _ - / (at most 200 characters, no .. and no // in it, no / at its end), got "my shop"',
    );
    expect(repositoryFault(`-${'x'.repeat(300)}`)).toMatch(/, got "-x{79}"$/);
  });
});
