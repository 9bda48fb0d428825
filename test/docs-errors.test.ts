import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { FAILURE_TYPES } from '../activities/failures.ts';

// docs/errors.md says what the code says: its catalogue is the code's, its messages stand in the sources, its tests exist.

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const SOURCES = [
  'activities',
  'adapters',
  'client',
  'demo',
  'settings',
  'workflows',
  'settings.ts',
  'worker.ts',
  'world.ts',
];

const text = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8');

/** Letters and digits alone: a message stands in its source in pieces, with quotes and line breaks in between. */
const bare = (given: string): string => given.replaceAll(/[^\p{L}\p{N}]/gu, '');

let tables: string[][];
let sources: string;
beforeAll(async () => {
  const lines = (await text('docs/errors.md')).split('\n').filter((line) => /^\| (?!input|type)/.test(line));
  tables = lines.map((line) => line.slice(2, -2).split(' | '));
  const paths = await Promise.all(SOURCES.map(filesIn));
  sources = bare((await Promise.all(paths.flat().map(text))).join('\n'));
});

async function filesIn(path: string): Promise<string[]> {
  if (path.endsWith('.ts')) return [path];
  const names = await readdir(join(ROOT, path), { recursive: true });
  return names.filter((name) => name.endsWith('.ts')).map((name) => join(path, name));
}

test('the catalogue of failure types is that of the code, and says the same of trying again', () => {
  const catalogue = tables.filter((cells) => cells.length === 4).map(([type = '', again]) => [bare(type), again]);
  expect(catalogue).toEqual(Object.entries(FAILURE_TYPES).map(([type, { retry }]) => [type, retry ? 'yes' : 'no']));
});

test('each test that is named exists, and each message is one of the code or of that test', async () => {
  const rows = tables.filter((cells) => cells.length !== 4);
  expect(rows.length).toBeGreaterThan(40);
  const faults: string[] = [];
  for (const [input = '', message = '', named = ''] of rows) {
    const [file = '', ...name] = named.split(': ');
    const source = await text(join('test', file));
    if (!quoted(name.join(': ')).test(source)) faults.push(`${input}: there is no such test in ${file}`);
    if (!message.startsWith('`')) continue; // no message at all
    const own = bare(source);
    const wrong = message.split('…').filter((piece) => ![sources, own].some((where) => where.includes(bare(piece))));
    faults.push(...wrong.map((piece) => `${input}: "${piece}" is no message`));
  }
  expect(faults).toEqual([]);
});

/** A name as the first argument of a test. */
const quoted = (name: string): RegExp =>
  new RegExp(`\\(\\s*(['"\`])${name.replaceAll(/[.*+?^$(){}|[\]\\]/g, '\\$&').replaceAll(/['’]/g, '.')}\\1,`);
