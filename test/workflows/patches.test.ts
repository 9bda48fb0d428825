import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { patchIds } from '../../workflows/patches.ts';
import { readRecorded, recordedHistories } from './histories.ts';

// What runs of earlier versions do otherwise is said in one place, for every id that is asked for or on record.

/** The window passes these to its own `hasEnded`. */
const PASSED_ON = ['ending-first', 'ending-after-clock'];

const FOLDER = new URL('../../workflows/', import.meta.url);
const files = (await readdir(FOLDER)).filter((name) => name.endsWith('.ts') && name !== 'patches.ts');
const sources = await Promise.all(files.map((name) => readFile(new URL(name, FOLDER), 'utf8')));

test('the workflows ask for patches by `since` alone', () => {
  expect(files.filter((_, n) => /\bpatched\b/.test(sources[n] ?? ''))).toEqual([]);
});

test.each(patchIds)('%s is asked for', (id) => {
  expect(sources.some((source) => source.includes(`since('${id}')`) || PASSED_ON.includes(id))).toBe(true);
});

async function markersOf(name: string): Promise<string[]> {
  const payloads = [...(await readRecorded(name)).matchAll(/"data":"([^"]+)"/g)].map(([, data]) =>
    Buffer.from(data ?? '', 'base64').toString(),
  );
  return payloads.flatMap((payload) => /^\{"id":"([^"]+)","deprecated":/.exec(payload)?.[1] ?? []);
}

test('the markers of recorded histories are explained', async () => {
  const markers = new Set((await Promise.all((await recordedHistories()).map(markersOf))).flat());
  expect(markers).toContain('wrap-up');
  for (const id of markers) expect(patchIds).toContain(id);
});
