import { rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { bundleWorkflows } from '../setup/bundle.ts';
import { workflowBundle } from '../setup/temporal.ts';
import { DEPLOY_ENDINGS, OTHERS, WINDOW_ENDINGS } from './endings.ts';
import { parseRecorded, readRecorded, recordedHistories, replay } from './histories.ts';

// Histories of every ending, recorded from earlier versions of the workflows (invariant 8); endings.test.ts records them.

const names = await recordedHistories();
const recorded = await Promise.all(
  names.map(async (name) => ({ name, history: parseRecorded(await readRecorded(name)) })),
);

test('there is a history for each ending', () => {
  const endings = [
    ...Object.keys(DEPLOY_ENDINGS).map((outcome) => `deployToDone.${outcome}`),
    ...Object.keys(WINDOW_ENDINGS).map((outcome) => `postDeployMonitor.${outcome}`),
    ...Object.keys(OTHERS),
  ];
  expect(names.toSorted()).toEqual(endings.toSorted());
});

test('the workflows replay each of them', async () => {
  const verdicts = await replay(workflowBundle().codePath, recorded);
  expect(verdicts).toEqual(Object.fromEntries(names.map((name) => [name, null])));
});

test('runs of earlier versions, which took any text for a version, replay', async () => {
  const spoilt = (await readRecorded('deployToDone.done')).replaceAll(/"data":"([^"]+)"/g, (_, data: string) => {
    const payload = Buffer.from(data, 'base64').toString().replaceAll('"version":"v2"', '"version":"v 2; x"');
    return `"data":"${Buffer.from(payload).toString('base64')}"`;
  });
  expect(Buffer.from(/"data":"([^"]+)"/.exec(spoilt)?.[1] ?? '', 'base64').toString()).toContain('v 2; x');
  const history = parseRecorded(spoilt);
  expect(await replay(workflowBundle().codePath, [{ name: 'spoilt', history }])).toEqual({ spoilt: null });
});

test('workflows with one command more are refused by each of them', async () => {
  const codePath = await bundleWorkflows(fileURLToPath(new URL('./broken/index.ts', import.meta.url)));
  try {
    const verdicts = await replay(codePath, recorded);
    expect(Object.keys(verdicts).toSorted()).toEqual(names.toSorted());
    for (const name of names) expect(verdicts[name], name).toMatch(/nondeterminism/i);
  } finally {
    await rm(dirname(codePath), { recursive: true });
  }
});

test.each(names)('%s tells nothing of the machine that it was recorded on', async (name) => {
  const text = await readRecorded(name);
  const payloads = [...text.matchAll(/"data":"([^"]+)"/g)].map(([, data]) =>
    Buffer.from(data ?? '', 'base64').toString(),
  );
  for (const part of [text, ...payloads]) {
    expect(part).not.toContain(process.cwd());
    expect(part).not.toMatch(new RegExp(`\\d@|@${hostname()}\\b|node_modules`));
  }
});
