import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTasks, type Tasks } from '../../../adapters/postgres/tasks.ts';
import { type FreshDatabase, freshDatabase } from '../../setup/database.ts';

let fresh: FreshDatabase;
let tasks: Tasks;
beforeAll(async () => {
  fresh = await freshDatabase();
  tasks = createTasks(fresh.database);
});
afterAll(() => fresh.close());

describe('reading', () => {
  test('a task is found by its work item', async () => {
    await tasks.insert({ repo: 'shop', workItem: 'READ-1', stage: 'deploy' });
    expect(await tasks.find('READ-1')).toEqual({ repo: 'shop', workItem: 'READ-1', stage: 'deploy' });
    expect(await tasks.stageOf('READ-1')).toBe('deploy');
  });

  test.each(['READ-404', '', "'; drop table tasks; --"])(
    'a work item without a task has none: %j',
    async (workItem) => {
      expect(await tasks.find(workItem)).toBeNull();
      expect(await tasks.stageOf(workItem)).toBeNull();
    },
  );
});

describe('reading many', () => {
  test('the tasks among work items, however many there are', async () => {
    await tasks.insert({ repo: 'shop', workItem: 'MANY-1', stage: 'deploy' });
    await tasks.insert({ repo: 'till', workItem: 'MANY-2', stage: 'done' });
    const asked = ['MANY-1', 'MANY-404', 'MANY-2', ...Array.from({ length: 2_000 }, (_, n) => `NONE-${n}`)];
    const found = await tasks.findNamed(asked);
    expect(found.toSorted((a, b) => a.workItem.localeCompare(b.workItem))).toEqual([
      { repo: 'shop', workItem: 'MANY-1', stage: 'deploy', asked: 'MANY-1' },
      { repo: 'till', workItem: 'MANY-2', stage: 'done', asked: 'MANY-2' },
    ]);
    expect(await tasks.findNamed([])).toEqual([]);
  });

  test.each([
    ['FOLD-1', 'fold-001'],
    ['FOLD-002', 'FOLD-2'],
    [' fold-30 ', 'FOLD-30'],
    ['B7E1D3A0-0000-4000-8000-00000000000A', 'b7e1d3a0-0000-4000-8000-00000000000a'],
  ])('a task named %j is found as %j', async (workItem, asked) => {
    await tasks.insert({ repo: 'shop', workItem, stage: 'done' });
    expect(await tasks.findNamed([asked])).toEqual([{ repo: 'shop', workItem, stage: 'done', asked }]);
  });

  test('names that only look alike are others; the one that is spelled as asked for comes first', async () => {
    for (const workItem of ['like-7', 'LIKE-7', 'LIKE-70', 'LIKE7', 'LIKE-7-0'])
      await tasks.insert({ repo: 'shop', workItem, stage: 'deploy' });
    const found = await tasks.findNamed(['LIKE-7']);
    expect(found.map(({ workItem }) => workItem)).toEqual(['LIKE-7', 'like-7']);
  });
});

describe('creating', () => {
  test('a task that is there already stays as it is', async () => {
    expect(await tasks.insert({ repo: 'shop', workItem: 'NEW-1', stage: 'deploy' })).toBe(true);
    expect(await tasks.insert({ repo: 'other', workItem: 'NEW-1', stage: 'done' })).toBe(false);
    expect(await tasks.find('NEW-1')).toEqual({ repo: 'shop', workItem: 'NEW-1', stage: 'deploy' });
  });

  test('of ten that create the same task at once exactly one does', async () => {
    const created = await Promise.all(
      Array.from({ length: 10 }, () => tasks.insert({ repo: 'shop', workItem: 'NEW-2', stage: 'deploy' })),
    );
    expect(created.filter(Boolean)).toHaveLength(1);
  });
});

describe('compare and set', () => {
  test('sets the stage and its time only where the stage is the expected one', async () => {
    await tasks.insert({ repo: 'shop', workItem: 'CAS-1', stage: 'deploy' });
    const before = await fresh.sql(`select updated_at from tasks where work_item_id = 'CAS-1'`);
    expect(await tasks.compareAndSetStage('CAS-1', 'review', 'done')).toBe(false);
    expect(await fresh.sql(`select updated_at from tasks where work_item_id = 'CAS-1'`)).toEqual(before);
    expect(await tasks.compareAndSetStage('CAS-1', 'deploy', 'done')).toBe(true);
    expect(
      await fresh.sql(`select stage, updated_at > created_at as later from tasks where work_item_id = 'CAS-1'`),
    ).toEqual([{ stage: 'done', later: true }]);
  });

  test('of ten that race exactly one wins, and the stage is what the winner set', async () => {
    await tasks.insert({ repo: 'shop', workItem: 'CAS-2', stage: 'deploy' });
    const won = await Promise.all(
      Array.from({ length: 10 }, (_, index) => tasks.compareAndSetStage('CAS-2', 'deploy', `winner-${index}`)),
    );
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(await tasks.stageOf('CAS-2')).toBe(`winner-${won.indexOf(true)}`);
  });

  test('there is nothing to set without a task', async () => {
    expect(await tasks.compareAndSetStage('CAS-404', 'deploy', 'done')).toBe(false);
  });
});

test('a row without a stage is a task that is not terminal, and can be set; one without a repository has none', async () => {
  await fresh.sql('alter table tasks alter stage drop not null, alter repo drop not null');
  await fresh.sql(`insert into tasks (repo, work_item_id) values ('shop', 'NULL-1'), (null, 'NULL-2')`);
  const unset = { repo: 'shop', workItem: 'NULL-1', stage: '' };
  expect(await tasks.find('NULL-1')).toEqual(unset);
  expect(await tasks.stageOf('NULL-1')).toBe('');
  expect(await tasks.findNamed(['null-1'])).toEqual([{ ...unset, asked: 'null-1' }]);
  expect(await tasks.find('NULL-2')).toMatchObject({ repo: '' });
  expect(await tasks.compareAndSetStage('NULL-1', '', 'done')).toBe(true);
  expect(await tasks.stageOf('NULL-1')).toBe('done');
});
