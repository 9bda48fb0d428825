import { describe, expect, test } from 'vitest';
import { VERSION_PATTERN, versionFault } from '../../decisions/version.ts';

describe('a version', () => {
  test.each([
    'v2',
    '7',
    '9fceb02',
    '9fceb02d0ae598e95dc970b74767f19372d61af8',
    '1.2.3-rc.1+build.5',
    '2024-05-01T12:00:00Z',
    'refs/tags/v1.2.3',
    'registry.example.org:5000/acme/shop:v1.2.3@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    'image=shop_2',
    'x'.repeat(200),
  ])('%j is one', (version) => {
    expect(versionFault(version)).toBeNull();
  });

  test.each([
    '',
    '-rf',
    '--force',
    '.hidden',
    '/etc/passwd',
    'a/../b',
    '1..2',
    'v2 v3',
    'v2\n',
    'v2\nv3',
    'v\0',
    'v2;x',
    'v2|x',
    'v2&x',
    'v2<x',
    '$(x)',
    'v$x',
    'v`x`',
    "v'x",
    'v"x',
    'v\\x',
    'v{x}',
    'v*',
    'v?x',
    'v#x',
    'v%20x',
    'vé',
    'x'.repeat(201),
  ])('%j is none', (version) => {
    expect(versionFault(version)).toMatch(/^version must begin with a letter or digit/);
    expect(VERSION_PATTERN.test(version)).toBe(false);
  });

  test('the reason shows the beginning of what was given', () => {
    expect(versionFault('v 2')).toBe(
      'version must begin with a letter or digit and go on with letters, digits and . _ - + / : @ = (at most 200 characters, and no ..), got "v 2"',
    );
    expect(versionFault(`-${'x'.repeat(300)}`)).toMatch(/, got "-x{79}"$/);
  });
});
