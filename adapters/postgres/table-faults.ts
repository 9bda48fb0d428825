import type { Querier } from './querier.ts';

/** What the worker does with each column of `tasks`; creating a task needs more, and says so when it is tried. */
const NEEDED = [
  { column: 'repo', read: true, write: false },
  { column: 'work_item_id', read: true, write: false },
  { column: 'stage', read: true, write: true },
  { column: 'updated_at', read: false, write: true },
] as const;

interface Column {
  readonly name: string;
  readonly readable: boolean;
  readonly writable: boolean;
  /** `relkind` of the table: `v` is a view, `f` a foreign table. */
  readonly kind: string;
  /** Whether rows of the table can be updated at all; some views do not let them. */
  readonly updatable: boolean;
}

/**
 * What is wrong with the table `tasks`, one sentence each with what to do; empty: nothing.
 * @throws what `Querier.query` throws: then nothing is known of the table.
 */
export async function tableFaults(querier: Querier): Promise<string[]> {
  const { rows } = await querier.query<Column>(
    `select attname as name, relkind as kind,
            has_column_privilege(attrelid, attnum, 'select') as readable,
            has_column_privilege(attrelid, attnum, 'update') as writable,
            pg_relation_is_updatable(attrelid, true) & 4 > 0 as updatable
       from pg_attribute join pg_class on pg_class.oid = attrelid
      where attrelid = to_regclass('tasks') and attnum > 0 and not attisdropped`,
  );
  const [first] = rows;
  if (first === undefined) {
    return [
      'The database has no table tasks on its search path: make it with d2d migrate, or name its schema in the database URL.',
    ];
  }
  const columns = new Map(rows.map((row) => [row.name, row]));
  const faults = NEEDED.flatMap(({ column, read, write }) => {
    const found = columns.get(column);
    if (found === undefined)
      return [`The table tasks has no column ${column}: add it, or rename the one that means it.`];
    return [
      ...(read && !found.readable
        ? [`The column tasks.${column} is not readable: grant select on tasks to this user.`]
        : []),
      ...(write && !found.writable
        ? [`The column tasks.${column} is not writable: grant update on tasks to this user.`]
        : []),
    ];
  });
  if (!first.updatable) faults.push(NOT_UPDATABLE);
  const workItems = columns.get('work_item_id');
  return workItems === undefined ? faults : [...faults, ...(await uniquenessFaults(querier, workItems))];
}

const NOT_UPDATABLE =
  'The view tasks cannot be updated: make it a view of one table without aggregates, or give it an instead of update trigger.';

const NOT_UNIQUE =
  'The column tasks.work_item_id is not unique, so a work item may have several stages: create unique index on tasks (work_item_id).';

/** A view and a foreign table can have no index of their own: of these the rows are looked at. */
async function uniquenessFaults(querier: Querier, { kind, readable }: Column): Promise<string[]> {
  if (kind !== 'v' && kind !== 'f') return (await hasUniqueWorkItems(querier)) ? [] : [NOT_UNIQUE];
  if (!readable) return [];
  const { rows } = await querier.query<{ readonly twice: string }>(
    `select work_item_id::text as twice from tasks
      where work_item_id is not null group by work_item_id having count(*) > 1 limit 1`,
  );
  return rows.map(
    ({ twice }) => `tasks has several rows of work item ${twice}, which may have several stages: leave one of them.`,
  );
}

async function hasUniqueWorkItems(querier: Querier): Promise<boolean> {
  const { rows } = await querier.query(
    `select from pg_index join pg_attribute on attrelid = indrelid and attnum = indkey[0]
      where indrelid = to_regclass('tasks') and indisunique and indisvalid and indnkeyatts = 1
        and indpred is null and attname = 'work_item_id'`,
  );
  return rows.length > 0;
}
