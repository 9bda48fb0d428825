import fc from 'fast-check';
import { marked } from 'marked';
import { describe, expect, test } from 'vitest';
import { oneLine, visible } from '../../decisions/shown-text.ts';
import { code, inline, paragraph } from '../../workflows/markdown.ts';
import { HOSTILE, hostile, STEERING } from '../setup/hostile.ts';

/** GitHub's flavour, in which raw HTML and any link come through. */
const rendered = (markdown: string): string => marked.parse(markdown, { async: false, gfm: true }).trim();

const CHARACTERS: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&amp;': '&',
  '&quot;': '"',
  '&#39;': "'",
};

/** What a reader sees of HTML of which all is text but these tags. */
function textOf(html: string, ...tags: string[]): string {
  const text = html.replaceAll(/<\/?([a-z0-9]+)>/g, (tag, name) => (tags.includes(name) ? '' : tag));
  expect(text).not.toMatch(/[<>]/);
  return text.replaceAll(/&(?:lt|gt|amp|quot|#39);/g, (name) => CHARACTERS[name] ?? name);
}

/** GitHub's flavour links addresses of mail whatever is escaped; such a link only opens a mail. */
const withoutMail = (html: string): string => html.replaceAll(/<a href="mailto:[^"]*">([^<]*)<\/a>/g, '$1');

/** A renderer may drop blanks at the ends, and makes one of several. */
const blanks = (text: string): string => text.replaceAll(/[ \u00a0]+/g, ' ').trim();

const examples = HOSTILE.map((text): [string] => [text]);

describe('of what anybody may have written, rendered Markdown holds the text and nothing else', () => {
  test('in a line', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const html = withoutMail(rendered(`Action: ${inline(text)}`));
        expect(html).not.toMatch(STEERING);
        expect(blanks(textOf(html, 'p'))).toBe(blanks(`Action: ${oneLine(text)}`));
      }),
      { examples },
    );
  });

  test('as a paragraph of its own, in which lines stay lines', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const html = withoutMail(rendered(`before\n\n${paragraph(text)}\n\nafter`));
        const lines = visible(text.replaceAll(/[\r\n]+/g, '\n'))
          .split('\n')
          .map(oneLine)
          .filter((line) => line !== '');
        const shown = textOf(html, 'p').split('\n');
        expect(shown.map(blanks)).toEqual(['before', ...lines.map(blanks), 'after']);
      }),
      { examples },
    );
  });

  test('in a cell of a table', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const html = withoutMail(rendered(`| a | b |\n|---|---|\n| 1 | ${inline(text)} |`));
        const cells = html.match(/<td>[\s\S]*?<\/td>/g) ?? [];
        expect(cells).toHaveLength(2);
        expect(blanks(textOf(cells[1] ?? '', 'td'))).toBe(blanks(oneLine(text)));
      }),
      { examples },
    );
  });

  test('as code', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const html = rendered(`Window: ${code(`x${text}y`)}.`);
        expect(html).toMatch(/^<p>Window: <code>[^<]*<\/code>\.<\/p>$/);
        expect(html).not.toMatch(STEERING);
      }),
      { examples },
    );
  });
});

test('ordinary texts stay readable', () => {
  expect(inline('3 health checks in a row failed: GET /healthz answered 503, 1.5 % of 20')).toBe(
    '3 health checks in a row failed: GET /healthz answered 503, 1.5 % of 20',
  );
  expect(inline('2026-01-02T10:00:00Z v1.2.3-rc.1+build.5 (oncall)')).toBe(
    '2026-01-02T10:00:00Z v1.2.3-rc.1+build.5 (oncall)',
  );
  expect(inline('d2d cancel ORCH-61 --run')).toBe('d2d cancel ORCH-61 \\-\\-run');
  expect(paragraph('the command ended with code 1; the last lines:\r\n\n  # step 2\n  no such image\n')).toBe(
    'the command ended with code 1; the last lines:\n\\# step 2\nno such image',
  );
  expect(code('monitor/shop/ORCH-61')).toBe('`monitor/shop/ORCH-61`');
});
