import { afterEach, beforeEach, expect, test } from 'vitest';
import { migrate } from '../../../adapters/postgres/migrate.ts';
import type { Querier } from '../../../adapters/postgres/querier.ts';
import { whyNotSetToDone } from '../../../adapters/postgres/trial-update.ts';
import { emptyDatabase, type FreshDatabase } from '../../setup/database.ts';

let fresh: FreshDatabase;
beforeEach(async () => {
  fresh = await emptyDatabase();
  await migrate({ url: fresh.url });
});
afterEach(() => fresh.close());

const task = (workItem: string, stage: string) =>
  fresh.sql(`insert into tasks (repo, work_item_id, stage) values ('shop', $1, $2)`, [workItem, stage]);

/** A trigger that runs before each row of `tasks` is updated. */
async function beforeUpdate(body: string): Promise<void> {
  await fresh.sql(`create function refuse() returns trigger language plpgsql as $$ begin ${body} end $$`);
  await fresh.sql('create trigger refuse before update on tasks for each row execute function refuse()');
}

/** A user who is none of the owners, to whom row-level security applies. */
async function asOther<T>(run: (querier: Querier) => Promise<T>): Promise<T> {
  const role = `other_${Date.now()}`;
  await fresh.sql(`create role ${role}`);
  await fresh.sql(`grant all on tasks to ${role}`);
  await fresh.sql(`set role ${role}`);
  try {
    return await run({ query: async (text) => ({ rows: await fresh.sql(text), rowCount: null }) });
  } finally {
    await fresh.sql('reset role');
    await fresh.sql(`drop owned by ${role}`);
    await fresh.sql(`drop role ${role}`);
  }
}

test('an update that works is undone; where no task is on its way there is nothing to try', async () => {
  expect(await whyNotSetToDone(fresh.database)).toBeNull();
  await task('OVER-1', 'done');
  expect(await whyNotSetToDone(fresh.database)).toBeNull();
  await task('ORCH-1', 'review');
  const before = await fresh.sql('select * from tasks');
  expect(await whyNotSetToDone(fresh.database)).toBeNull();
  expect(await fresh.sql('select * from tasks')).toEqual(before);
});

test('a trigger that refuses, in the words of its exception', async () => {
  await task('ORCH-1', 'deploy');
  await beforeUpdate(`raise exception 'only the board sets %', new.stage;`);
  expect(await whyNotSetToDone(fresh.database)).toBe(
    'An update of tasks.stage to done is refused, so that deploys cannot be set to done: only the board sets done (tried with ORCH-1, at stage "deploy")',
  );
});

test('a trigger that drops the update, a row without a stage', async () => {
  await fresh.sql('alter table tasks alter stage drop not null');
  await fresh.sql(`insert into tasks (repo, work_item_id) values ('shop', 'ORCH-1')`);
  await beforeUpdate('return null;');
  expect(await whyNotSetToDone(fresh.database)).toMatch(
    /^An update of tasks\.stage to done changed no row \(tried with ORCH-1, at stage ""\): a trigger or row-level security/,
  );
});

test('a task at the stage of new ones is tried first: how others become done may be none of ours', async () => {
  await task('ORCH-1', 'development');
  await task('ORCH-2', 'deploy');
  await beforeUpdate(`if old.stage <> 'deploy' then raise exception 'not from here'; end if; return new;`);
  expect(await whyNotSetToDone(fresh.database)).toBeNull();
});

test('a constraint, also one that is checked at the commit only', async () => {
  await task('ORCH-1', 'deploy');
  await fresh.sql(
    `create function late() returns trigger language plpgsql as $$ begin raise exception 'too late'; end $$`,
  );
  await fresh.sql(`create constraint trigger late after update on tasks deferrable initially deferred
                     for each row execute function late()`);
  expect(await whyNotSetToDone(fresh.database)).toContain('too late');
});

test('a row that somebody else has locked says nothing', async () => {
  await task('ORCH-1', 'deploy');
  await fresh.sql('begin');
  await fresh.sql('select from tasks for update');
  expect(await whyNotSetToDone(fresh.database)).toBeNull();
  await fresh.sql('rollback');
});

test('row-level security: no policy, one for reading alone, one for everything', async () => {
  await task('ORCH-1', 'deploy');
  await fresh.sql('alter table tasks enable row level security');
  await asOther(async (querier) => {
    expect(await whyNotSetToDone(querier)).toMatch(
      /^Row-level security is in force on tasks for this user, who sees no/,
    );
  });
  await fresh.sql('create policy reading on tasks for select using (true)');
  await asOther(async (querier) => {
    expect(await whyNotSetToDone(querier)).toMatch(/changed no row \(tried with ORCH-1, at stage "deploy"\)/);
  });
  await fresh.sql('create policy everything on tasks using (true)');
  await asOther(async (querier) => expect(await whyNotSetToDone(querier)).toBeNull());
});
