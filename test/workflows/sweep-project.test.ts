import { expect, test } from 'vitest';
import type { Drift, InDeployPhase, ReadPage } from '../../activities/reconcile.ts';
import type { SweptProject } from '../../workflows/messages.ts';
import { type Corrected, sweepProject } from '../../workflows/sweep-project.ts';

// What one sweep leaves for the next; on a real Plane and Postgres: test/activities/reconcile.test.ts.

const DAY_MS = 24 * 60 * 60_000;

const shown = (n: number): InDeployPhase => ({
  ...{ item: { id: `${n}`, project: 'p' }, names: [`ORCH-${n}`], shown: 'Deploying', status: 'deploying' },
});
const drift = ({ item, names: [workItem = ''], shown: shows }: InDeployPhase): Drift => ({
  ...{ repo: 'shop', workItem, item, shown: shows, wanted: 'done' },
});

async function sweep(
  there: readonly InDeployPhase[],
  {
    last,
    began = DAY_MS * 100,
    left = [],
    pages = 1,
  }: {
    readonly last?: SweptProject;
    readonly began?: number;
    readonly left?: readonly string[];
    /** So many, with the same on each. */
    readonly pages?: number;
  } = {},
  correct: (drifts: readonly Drift[]) => Corrected | null = () => null,
) {
  const reads: ReadPage[] = [];
  const compared: number[] = [];
  const { project } = await sweepProject(
    'ORCH',
    { began, full: false, last },
    {
      async readPage(asked) {
        reads.push(asked);
        const more = reads.length < pages;
        return { looked: there.length, inDeployPhase: there, left, next: more ? `${reads.length}` : null };
      },
      async findDrifts({ items }) {
        compared.push(items.length);
        return correct([]) === null ? [] : items.map(drift);
      },
      correct: async (drifts) => correct(drifts) ?? { settled: [], failed: [] },
    },
  );
  return { project, reads, compared, known: project.inDeployPhase.map(({ item }) => item.id) };
}

const many = (count: number): InDeployPhase[] => Array.from({ length: count }, (_, n) => shown(n));

test('so many are compared in one go that it comes to an end', async () => {
  expect((await sweep(many(250))).compared).toEqual([100, 100, 50]);
});

test('where more than 500 are in the deploy phase the next sweep reads everything', async () => {
  const { project } = await sweep(many(501));
  expect(project).toMatchObject({ fullAt: 0, inDeployPhase: [] });
  expect((await sweep([], { last: project })).reads).toMatchObject([{ since: null }]);
  expect((await sweep([], { last: (await sweep(many(500))).project })).reads).toMatchObject([
    { since: expect.any(Number) },
  ]);
});

test('a full pass is made once a day; what was known before is forgotten with it', async () => {
  const { project } = await sweep([shown(1)]);
  const soon = await sweep([], { last: project, began: project.fullAt + DAY_MS - 1 });
  expect(soon.reads).toMatchObject([{ since: project.readUpTo - 5 * 60_000, known: ['1'] }]);
  expect(soon.project.fullAt).toBe(project.fullAt);
  expect(soon.known).toEqual(['1']);
  const full = await sweep([], { last: soon.project, began: project.fullAt + DAY_MS });
  expect(full.reads).toMatchObject([{ since: null, known: [] }]);
  expect(full.known).toEqual([]);
});

test('what shows on two pages, as others were changed meanwhile, is compared once', async () => {
  const { reads, compared, known } = await sweep([1, 2].map(shown), { pages: 2 });
  expect(reads.map(({ cursor }) => cursor)).toEqual([null, '1']);
  expect(compared).toEqual([2]);
  expect(known).toEqual(['1', '2']);
});

test('what has left the deploy phase since is not compared, and known no more', async () => {
  const { project } = await sweep([1, 2].map(shown));
  const { compared, known } = await sweep([], { last: project, left: ['1'] });
  expect(compared).toEqual([1]);
  expect(known).toEqual(['2']);
});

test('what is settled is known no more, and what failed is compared last of all, longest ago first', async () => {
  const four = [1, 2, 3, 4].map(shown);
  const first = await sweep(four, {}, () => ({ settled: ['2'], failed: ['3', '1'] }));
  expect(first.compared).toEqual([4]); // and none of them again
  expect(first.known).toEqual(['1', '3', '4']);
  expect(first.project.failing).toEqual(['3', '1']);
  for (const there of [four, []]) {
    const order: string[] = [];
    const { project } = await sweep(there, { last: first.project }, (drifts) => {
      const ids = drifts.map(({ item }) => item.id);
      order.push(...ids);
      return { settled: ids.filter((id) => id === '1'), failed: ids.filter((id) => id === '3') };
    });
    expect(order).toEqual(there.length === 0 ? ['4', '3', '1'] : ['2', '4', '3', '1']);
    expect(project.failing).toEqual(['3']);
  }
});

test('what fails has its turn, each before any has another, also where so much is in the deploy phase that all is read again', async () => {
  const all = many(1_200);
  const ids = all.map(({ item }) => item.id);
  const tried: string[] = [];
  /** Ten that fail, and no more is tried, as of `reconcileStatuses`. */
  const tenFail = () => {
    let failures = 0;
    return (drifts: readonly Drift[]): Corrected => {
      const failed = drifts.map(({ item }) => item.id).slice(0, 10 - failures);
      failures += failed.length;
      tried.push(...failed);
      return { settled: [], failed };
    };
  };
  let last: SweptProject | undefined;
  for (let sweeps = 0; sweeps < 240; sweeps += 1)
    last = (await sweep(all, last === undefined ? {} : { last }, tenFail())).project;
  expect(tried).toEqual([...ids, ...ids]);
  expect(last?.failing).toEqual(ids);
});

test('what fails no more, or has left the deploy phase, is like any other', async () => {
  const { project } = await sweep([1, 2, 3].map(shown), {}, () => ({ settled: [], failed: ['1', '2', '3'] }));
  const next = await sweep([], { last: project, left: ['1'] });
  expect(next.known).toEqual(['2', '3']);
  expect(next.project.failing).toEqual([]);
  const gone = await sweep([3].map(shown), { last: project, began: DAY_MS * 101 }, () => ({ settled: [], failed: [] }));
  expect(gone.project.failing).toEqual(['3']);
});

test('the next sweep is told of the 2 000 that were tried last, and no more', async () => {
  const all = many(2_050);
  const { project } = await sweep(all, {}, (drifts) => ({ settled: [], failed: drifts.map(({ item }) => item.id) }));
  expect(project.failing).toEqual(all.slice(50).map(({ item }) => item.id));
});

test('what a sweep of an older version has left does', async () => {
  const { failing: _, ...older } = (await sweep([shown(1)])).project;
  expect((await sweep([], { last: older as SweptProject })).known).toEqual(['1']);
});
