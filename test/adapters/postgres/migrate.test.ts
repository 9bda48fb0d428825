import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MIGRATIONS_TABLE, migrate } from '../../../adapters/postgres/migrate.ts';
import { DatabaseUnavailable, type Querier } from '../../../adapters/postgres/querier.ts';
import { tableFaults } from '../../../adapters/postgres/table-faults.ts';
import { createTasks } from '../../../adapters/postgres/tasks.ts';
import { whyNotSetToDone } from '../../../adapters/postgres/trial-update.ts';
import { emptyDatabase, type FreshDatabase } from '../../setup/database.ts';

let fresh: FreshDatabase;
beforeEach(async () => {
  fresh = await emptyDatabase();
});
afterEach(() => fresh.close());

const faults = (): Promise<string[]> => tableFaults(fresh.database);

/** `tasks` as a view of somebody else's table with one item. */
async function viewOfItems(view: string): Promise<void> {
  await fresh.sql('create table items (repo text, key text primary key, stage text, updated_at timestamptz)');
  await fresh.sql(`insert into items values ('shop', 'ORCH-1', 'deploy')`);
  await fresh.sql(`create view tasks as ${view}`);
}

const SIMPLE = 'select repo, key as work_item_id, stage, updated_at from items';
const GROUPED = `select repo, key as work_item_id, stage, max(updated_at) as updated_at from items group by repo, key, stage`;

describe('migrate', () => {
  test('creates the table; a second time there is nothing to do', async () => {
    expect(await migrate({ url: fresh.url })).toHaveLength(1);
    expect(await faults()).toEqual([]);
    expect(await migrate({ url: fresh.url })).toEqual([]);
  });

  test('its index on names is the one that a look by another spelling takes', async () => {
    await migrate({ url: fresh.url });
    await fresh.sql(`insert into tasks (repo, work_item_id, stage) select 'shop', 'ORCH-' || n, 'deploy'
                       from generate_series(1, 5000) n`);
    await fresh.sql('analyze tasks');
    const asked: string[] = [];
    const spy: Querier = {
      query(text, values) {
        asked.push(text);
        return fresh.database.query(text, values);
      },
    };
    expect(await createTasks(spy).findNamed(['orch-0042'])).toMatchObject([{ workItem: 'ORCH-42' }]);
    const plan = await fresh.sql(`explain ${asked[0]}`, [['orch-0042']]);
    expect(JSON.stringify(plan)).toContain('tasks_work_item_name');
  });

  test('two at once: one migrates, the other finds it done', async () => {
    const ran = await Promise.all([migrate({ url: fresh.url }), migrate({ url: fresh.url })]);
    expect(ran.flat()).toHaveLength(1);
  });

  test('a table that was there keeps its rows and columns, and the bookkeeping of its owner is not touched', async () => {
    await fresh.sql('create table pgmigrations (id int)');
    await fresh.sql(`create table tasks (work_item_id varchar(40) primary key, repo text, stage text, owner text,
                                         updated_at timestamptz)`);
    await fresh.sql(`insert into tasks values ('ORCH-61', 'orchestrator', 'done', 'theirs', null)`);
    await migrate({ url: fresh.url });
    expect(await faults()).toEqual([]);
    expect(await fresh.sql('select owner from tasks')).toEqual([{ owner: 'theirs' }]);
    const tables = await fresh.sql<{ tablename: string }>(
      `select tablename from pg_tables where schemaname = 'public' order by 1`,
    );
    expect(tables.map((row) => row.tablename)).toEqual([MIGRATIONS_TABLE, 'pgmigrations', 'tasks']);
    expect(await fresh.sql(`select from pg_indexes where tablename = 'tasks'`)).toHaveLength(1); // its own
    expect(await createTasks(fresh.database).compareAndSetStage('ORCH-61', 'done', 'deploy')).toBe(true);
  });

  test('a database that is not there', async () => {
    await expect(migrate({ url: `${fresh.url}_not` })).rejects.toBeInstanceOf(DatabaseUnavailable);
  });
});

describe('tableFaults', () => {
  test('no table', async () => {
    expect(await faults()).toEqual([
      'The database has no table tasks on its search path: make it with d2d migrate, or name its schema in the database URL.',
    ]);
  });

  test('a table that is another one: every fault at once', async () => {
    await fresh.sql('create table tasks (id int, work_item_id text, status text)');
    expect(await faults()).toEqual([
      'The table tasks has no column repo: add it, or rename the one that means it.',
      'The table tasks has no column stage: add it, or rename the one that means it.',
      'The table tasks has no column updated_at: add it, or rename the one that means it.',
      'The column tasks.work_item_id is not unique, so a work item may have several stages: create unique index on tasks (work_item_id).',
    ]);
  });

  test('a unique index over more columns, or over some rows, does not make work items unique', async () => {
    await migrate({ url: fresh.url });
    await fresh.sql('alter table tasks drop constraint tasks_work_item_id_key');
    await fresh.sql('create unique index on tasks (work_item_id, repo)');
    await fresh.sql(`create unique index on tasks (work_item_id) where stage = 'done'`);
    expect(await faults()).toHaveLength(1);
    await fresh.sql('create unique index on tasks (work_item_id)');
    expect(await faults()).toEqual([]);
  });

  test.each([
    ['of one table', SIMPLE],
    ['with a trigger', GROUPED],
  ])('a view %s will do', async (_, view) => {
    await viewOfItems(view);
    if (view === GROUPED) {
      await fresh.sql(`create function store() returns trigger language plpgsql as
        'begin update items set stage = new.stage where key = old.work_item_id; return new; end'`);
      await fresh.sql('create trigger store instead of update on tasks for each row execute function store()');
    }
    expect(await faults()).toEqual([]);
    expect(await whyNotSetToDone(fresh.database)).toBeNull();
    const tasks = createTasks(fresh.database);
    expect(await tasks.find('ORCH-1')).toMatchObject({ stage: 'deploy' });
    expect(await tasks.compareAndSetStage('ORCH-1', 'deploy', 'done')).toBe(true);
    expect(await tasks.stageOf('ORCH-1')).toBe('done');
  });

  test('a view that cannot be updated', async () => {
    await viewOfItems(GROUPED);
    expect(await faults()).toEqual([
      'The view tasks cannot be updated: make it a view of one table without aggregates, or give it an instead of update trigger.',
    ]);
  });

  test('a view that shows a work item twice', async () => {
    await viewOfItems(`${SIMPLE} union all ${SIMPLE}`);
    expect(await faults()).toContain(
      'tasks has several rows of work item ORCH-1, which may have several stages: leave one of them.',
    );
  });

  test('a user without the rights', async () => {
    await migrate({ url: fresh.url });
    const role = `reader_${Date.now()}`;
    await fresh.sql(`create role ${role}`);
    await fresh.sql(`grant select (repo, work_item_id) on tasks to ${role}`);
    await fresh.sql(`set role ${role}`);
    try {
      expect(await tableFaults({ query: async (text) => ({ rows: await fresh.sql(text), rowCount: null }) })).toEqual([
        'The column tasks.stage is not readable: grant select on tasks to this user.',
        'The column tasks.stage is not writable: grant update on tasks to this user.',
        'The column tasks.updated_at is not writable: grant update on tasks to this user.',
      ]);
    } finally {
      await fresh.sql('reset role');
    }
  });
});
