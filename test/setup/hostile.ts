import fc from 'fast-check';
import { codePoint } from './code-points.ts';

/** Texts that try to be more than a text where they are shown. */
export const HOSTILE: readonly string[] = [
  'red \u001b[31mtext\u001b[0m',
  'all gone \u001b[2J\u001b[H',
  'a title \u001b]0;owned\u0007',
  'a link \u001b]8;;https://evil.example\u001b\\click\u001b]8;;\u001b\\',
  'by a C1 control \u009b2J and \u0085 and \u007f',
  'over\rwritten \b\b\b and \v and \f and \0',
  'turned round \u202egnp.exe\u202c',
  'isolated \u2066x\u2069 \u200e\u200f\u061c',
  'hidden ad\u200bm\u200ci\u200dn\u2060\ufeff\u00ad\u3164\u{e0041}\u{e0100}',
  'half \ud83d of a pair, and \udca9 the other',
  'two lines\u2028and \u2029more',
  'one\nORCH-1: deploy done\r\nthree',
  '[x](javascript:alert(1)) and [y](https://evil.example "z")',
  '![x](https://evil.example/x.png)',
  '<img src=x onerror=alert(1)> <script>alert(1)</script> <!-- x -->',
  '<https://evil.example> <a@evil.example> <a href="javascript:alert(1)">x</a>',
  'https://evil.example/a?b=c HTTP://EVIL.example www.evil.example WWW.evil.example ftp://x.y file://x mailto:a@x.y',
  '[x]: https://evil.example\n\n[x]',
  'a|b\n|---|---|\n|c|d|',
  'a\n:-:\nb',
  '`x` ``y` ```z',
  '```\ncode\n```',
  '~~~\ncode',
  '    indented',
  '# x\n===\n---\n+ y\n- z\n* a\n1. b\n2) c\n> d\n: e',
  'title\n=====',
  '**x** __y__ ~~z~~ *a*b_c_ ^d^ $e$ $$f$$ {#g} {workflowId}',
  '&lt;img&gt; &#60;img src=x&#62; &amp; &copy;',
  '\\<img src=x\\> \\\\<b>x</b> \\',
  '[^1] and [ ] and - [x] done',
];

const ATOMS = [
  ...'<>&"\'`*_[](){}#+-.!|~^$=:;/\\@ \n\t\r1a',
  ...[
    '\u001b[31m',
    '\u001b[2J',
    '\u009b',
    '\u007f',
    '\u202e',
    '\u2066',
    '\u061c',
    '\u200d',
    '\ufeff',
    '\u2028',
    '\ud83d',
  ],
  ...[
    'http://',
    'HTTPS://',
    'www.',
    'mailto:',
    'javascript:',
    '<img src=x onerror=x>',
    '](',
    '![',
    '\n\n',
    '\n---\n',
    '```',
  ],
  ...['<!--', '-->', '<a href=', '&#60;', '\\u{202e}', '{workflowId}'],
];

/** Anything that may be shown. */
export const hostile: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: fc.constantFrom(...ATOMS), maxLength: 40 }),
  fc.string({ unit: fc.oneof(codePoint, fc.constantFrom(...ATOMS)), maxLength: 40 }),
);

/** What no shown text holds: control characters but tab and line feed, bidi controls, characters without a width, line separators, half pairs. */
export const STEERING = /(?![\n\t])[\p{Cc}\p{Cs}\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\u3164\ufeff]/u;
