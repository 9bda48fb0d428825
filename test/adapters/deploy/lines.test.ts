import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLineReader, createTail, MAX_LINE } from '../../../adapters/deploy/lines.ts';

function read(chunks: readonly Uint8Array[]): string[] {
  const lines: string[] = [];
  const reader = createLineReader((line) => lines.push(line));
  for (const chunk of chunks) reader.write(chunk);
  reader.end();
  return lines;
}

test('where the chunks are cut does not matter, in the middle of a character either', () => {
  const whole = Buffer.from('größer\r\nals € vorher\n\nlast');
  fc.assert(
    fc.property(fc.array(fc.nat(whole.length)), (cuts) => {
      const edges = [0, ...cuts.sort((a, b) => a - b), whole.length];
      const chunks = edges.slice(1).map((edge, index) => whole.subarray(edges[index], edge));
      expect(read(chunks)).toEqual(['größer', 'als € vorher', 'last']);
    }),
  );
});

test('a line without end is kept to its bound', () => {
  const lines = read(Array.from({ length: 100 }, () => Buffer.alloc(1_000, 'x')));
  expect(lines).toEqual([`${'x'.repeat(MAX_LINE)}…`]);
});

test('a tail keeps the last lines, as many as fit', () => {
  const tail = createTail();
  expect(tail.text()).toBe('');
  for (let n = 1; n <= 30; n += 1) tail.add(`line ${n}`);
  expect(tail.text().split('\n')).toHaveLength(20);
  expect(tail.text()).toMatch(/^line 11\n.*\nline 30$/s);
  tail.add('y'.repeat(MAX_LINE * 2));
  expect(tail.text()).toBe('y'.repeat(MAX_LINE));
});
