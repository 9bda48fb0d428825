import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commentHtml } from '../../../adapters/plane/comment-html.ts';
import { PlaneRejected, PlaneUnavailable } from '../../../adapters/plane/errors.ts';
import { HOSTILE, hostile, STEERING } from '../../setup/hostile.ts';
import { failure, simulated } from './support.ts';

const comment = { html: commentHtml(['Deploy started']), externalId: 'deploy-42:ORCH-61:started' };

test('a comment is added once for an external id', async () => {
  const { plane, client } = await simulated();
  const item = plane.control.workItem('ORCH-61');
  const first = await client.comment(item, comment);
  expect(first.created).toBe(true);
  expect(await client.comment(item, comment)).toEqual({ id: first.id, created: false });
  expect(plane.control.workItem('ORCH-61').comments).toEqual([
    { id: first.id, html: '<p>Deploy started</p>', externalId: comment.externalId, by: 'deploy-bot' },
  ]);
  expect(JSON.parse(plane.control.requests()[0]?.body ?? '')).toEqual({
    comment_html: '<p>Deploy started</p>',
    external_source: 'deploy-to-done',
    external_id: comment.externalId,
  });
});

test('two calls at once with one external id store one comment, though Plane itself would store two', async () => {
  const { plane, client } = await simulated();
  const item = plane.control.workItem('ORCH-61');
  plane.control.fault({ mode: 'hold', phase: 'midway', match: { times: 1 } });
  const calls = [client.comment(item, comment), client.comment(item, comment)];
  const other = client.comment(item, { ...comment, externalId: 'another' });
  await plane.control.whenHeld(1);
  expect((await other).created).toBe(true);
  plane.control.release();
  expect((await Promise.all(calls)).map(({ created }) => created)).toEqual([true, false]);
  expect(plane.control.workItem('ORCH-61').comments.map(({ externalId }) => externalId)).toEqual([
    'another',
    comment.externalId,
  ]);
});

test('a comment that failed after it was stored is found by the next try', async () => {
  const { plane, client } = await simulated();
  const item = plane.control.workItem('ORCH-61');
  plane.control.fault({ mode: 'applyThenStatus', status: 500, match: { times: 1 } });
  const error = await failure(client.comment(item, comment));
  expect(error).toBeInstanceOf(PlaneUnavailable);
  expect(error.writeMayHaveApplied).toBe(true);
  expect((await client.comment(item, comment)).created).toBe(false);
  expect(plane.control.workItem('ORCH-61').comments).toHaveLength(1);
});

test('external ids that Plane would not check, or not take, are refused here', async () => {
  const { plane, client, asked } = await simulated();
  const item = plane.control.workItem('ORCH-61');
  for (const externalId of ['', ' ', 'x'.repeat(256)]) {
    expect(await failure(client.comment(item, { ...comment, externalId }))).toBeInstanceOf(PlaneRejected);
  }
  expect(asked()).toEqual([]);
});

test('comment HTML never carries an unescaped value', () => {
  expect(commentHtml(['Deploy of <script>alert("1")</script> & co', "it's\nred"])).toBe(
    '<p>Deploy of &lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; co</p><p>it&#39;s<br>red</p>',
  );
  expect(commentHtml([])).toBe('');
});

test('in a comment whatever anybody has written is text, without what misleads a reader', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const html = commentHtml([text, text]);
      expect(html).not.toMatch(STEERING);
      const escaped = html.replaceAll(/<\/?p>|<br>/g, '');
      expect(escaped).not.toMatch(/[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/);
      expect(html.match(/<p>/g)).toHaveLength(2);
    }),
    { examples: HOSTILE.map((text): [string] => [text]) },
  );
});
