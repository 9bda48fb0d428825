import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { renderPostDeployLog } from '../../activities/render-post-deploy-log.ts';
import { startTemporalServer, type TemporalServer } from '../../demo/servers/temporal-server.ts';
import * as deploy from '../../workflows/deploy-run.ts';
import { inline } from '../../workflows/markdown.ts';
import * as messages from '../../workflows/window-messages.ts';
import * as win from '../../workflows/window-state.ts';
import * as view from '../../workflows/window-view.ts';
import { HOSTILE, hostile, STEERING } from '../setup/hostile.ts';
import { fail, policy } from '../workflows/item.ts';

// What stands in the details of a run is rendered by the Temporal UI's own server, which lets raw HTML and any link through.

const AT = Date.UTC(2026, 0, 2, 10, 0, 0);

let server: TemporalServer;
beforeAll(async () => {
  server = await startTemporalServer({ cli: inject('temporalCli'), ui: 'on' });
});
afterAll(() => server.stop());

/** The Markdown as the page of the Temporal UI has it. */
async function rendered(markdown: string): Promise<string> {
  const answer = await fetch(`${server.uiUrl}/render?content=${encodeURIComponent(markdown)}`);
  const [, page = ''] = /<main>([\s\S]*)<\/main>/.exec(await answer.text()) ?? [];
  expect(page.trim()).not.toBe('');
  return page;
}

const windowOf = (text: string) => {
  const input = {
    ...{ repo: text, workItem: text, version: text, requestedBy: text, selfHosting: false, policy: policy() },
    ...{ rollback: null, guarded: true, settleMs: 0, degradedState: text },
  };
  let state = win.open(input, AT);
  for (let looks = 0; looks < 3; looks += 1)
    state = win.recordLook(state, policy(), win.lookAt(state, policy()) ?? 0, fail(text));
  state = win.actionStarted(state, 'ROLLBACK', AT + 71_000);
  state = win.rollbackFinished(state, policy(), { ok: false, detail: text, at: AT + 90_000 });
  state = messages.cancelled(win.noted(state, text, AT), 'cancelWindow', { by: text, reason: text }, AT + 95_000);
  return { state, input };
};

function detailsOfWindow(text: string): string {
  const { state, input } = windowOf(text);
  return view.details(state, input);
}

const log = (text: string): string => {
  const { state, input } = windowOf(text);
  return renderPostDeployLog(view.report(state, input));
};

function detailsOfDeploy(text: string): string {
  const input = { repo: text, workItem: text, version: text, requestedBy: text };
  let run = deploy.decided(deploy.begin(), 'approved', { by: text, reason: text });
  run = deploy.armed(deploy.noted(run, text, AT), `monitor/${text}/${text}`);
  return [
    deploy.details(deploy.unknown(run, text), input),
    deploy.details(deploy.over(run, { outcome: 'deploy_failed', reason: text }, text), input),
  ].join('\n\n');
}

const sweep = (text: string): string => inline(`sweep: project ${text} unread: ${text}`);

/** The tags of HTML in their order, with all that stands in them; without the anchor of a heading, and the fractions that are drawn for 1/2. */
const tags = (html: string): string[] =>
  html
    .replaceAll(/(<h\d) id="[\p{L}\p{N}-]*"/gu, '$1')
    .replaceAll(/<(sup|sub)>\d+<\/\1>/g, '')
    .match(/<[^>]*>/g) ?? [];

test.each([
  ['the details of a window', detailsOfWindow],
  ['the details of a deploy', detailsOfDeploy],
  ['the details of a sweep', sweep],
  ['the log of a window', log],
])('%s: no text of somebody else becomes HTML, a link or anything but text', async (_, markdownOf) => {
  const ordinary = tags(await rendered(markdownOf('text')));
  expect(ordinary.join('')).not.toMatch(/<(?:a|img|script|iframe|svg)\b/i);
  await fc.assert(
    fc.asyncProperty(hostile, async (text) => {
      fc.pre(inline(text) !== '');
      const html = await rendered(markdownOf(text));
      expect(tags(html)).toEqual(ordinary);
      expect(html).not.toMatch(STEERING);
    }),
    { examples: HOSTILE.map((text): [string] => [text]), numRuns: 200 },
  );
});

test('the same texts without the escapes would be links, pictures and scripts', async () => {
  const found = await Promise.all(HOSTILE.filter((text) => !/\p{Cs}/u.test(text)).map(rendered));
  expect(found.join('')).toMatch(/<a href="javascript:alert\(1\)"/);
  expect(found.join('')).toContain('<img src=x onerror=alert(1)>');
  expect(found.join('')).toContain('<script>alert(1)</script>');
});
