import { expect, test } from 'vitest';
import { showLive } from '../../client/live.ts';
import type { Stream } from '../../client/output.ts';
import type { WorkItemView } from '../../client/views.ts';
import { eventually } from '../setup/eventually.ts';
import { deployView, NOON, windowStatus, windowView } from './builders.ts';

/** A stream that keeps what is written, one item a write, and over how many lines. */
function recorder(tty: boolean): Stream & { readonly written: string[]; readonly over: number[] } {
  const written: string[] = [];
  const over: number[] = [];
  const size = () => ({ columns: 200, rows: 50 });
  const write = (text: string, lines = 0): void => {
    written.push(text);
    over.push(lines);
  };
  return { written, over, tty, colour: false, size, write };
}

const waiting: WorkItemView = { workItem: 'ORCH-61', deploy: deployView(), window: null };
const watched: WorkItemView = {
  workItem: 'ORCH-61',
  deploy: null,
  window: windowView({ status: windowStatus({ lastTicks: [] }) }),
};

async function* views(...these: WorkItemView[]): AsyncGenerator<WorkItemView> {
  yield* these;
}

test('on a terminal the next look is drawn over the one before', async () => {
  const stream = recorder(true);
  expect(await showLive(views(waiting, watched), stream, () => NOON)).toBe(watched);
  const [first, second] = stream.written;
  expect(first?.split('\n')).toHaveLength(5); // four lines and what follows the last
  expect(first).not.toContain('\u001b');
  expect(second?.startsWith('ORCH-61 · shop v2 · post-deploy window open')).toBe(true);
  expect(stream.over).toEqual([0, 4]);
});

test('on a terminal the countdown moves on between two changes', async () => {
  const stream = recorder(true);
  let now = NOON;
  async function* slow(): AsyncGenerator<WorkItemView> {
    yield watched;
    await eventually(() => expect(stream.written.length).toBeGreaterThan(1));
  }
  await showLive(slow(), stream, () => {
    now += 1_000;
    return now;
  });
  expect(stream.written[0]).toContain('ends in 11 min 29 s');
  expect(stream.written[1]).toContain('ends in 11 min 28 s');
});

test('elsewhere each change is a line', async () => {
  const stream = recorder(false);
  await showLive(views(waiting, waiting), stream, () => NOON);
  expect(stream.written).toEqual([
    'ORCH-61: deploy awaiting approval\n',
    'ORCH-61: waits for approval until 12:10:00Z\n',
  ]);
});
