import type { Querier } from './querier.ts';

export interface Task {
  readonly repo: string;
  readonly workItem: string;
  /** As it stands in the row, and empty where that has none: who compares it trims and lower-cases it (`decide`). */
  readonly stage: string;
}

export interface Tasks {
  /** Null where there is no such task. */
  find(workItem: string): Promise<Task | null>;
  /** Null where there is no such task. */
  stageOf(workItem: string): Promise<string | null>;
  /**
   * The tasks that go by one of these names, however it is spelled: `orch-061` is `ORCH-61`. Those that are spelled as they were
   * asked for come first.
   */
  findNamed(names: readonly string[]): Promise<readonly (Task & { readonly asked: string })[]>;
  /** Sets the stage only if it is exactly `from`; returns whether it did. */
  compareAndSetStage(workItem: string, from: string, to: string): Promise<boolean>;
  /** Returns whether it was created; false: the work item has a task already, which stays as it is. */
  insert(task: Task): Promise<boolean>;
}

interface Row {
  repo: string;
  work_item_id: string;
  stage: string;
}

/**
 * A name without what people spell differently: case, and the zeros before a number (as `workItemRef` of Plane). The table that
 * `d2d migrate` makes has an index on it. The collation is named because those that ignore case take no regular expressions.
 */
const folded = (name: string): string =>
  `regexp_replace(upper(trim(${name})) collate "default", '^([^-]+)-0*([0-9]+)$', '\\1-\\2')`;

/** Of a row without one it is empty, which is no terminal stage. */
const STAGE = "coalesce(stage::text, '')";

/** A task without one belongs to no repository that has settings. */
const REPO = "coalesce(repo::text, '')";

const taskOf = ({ repo, work_item_id, stage }: Row): Task => ({ repo, workItem: work_item_id, stage });

/**
 * The rows of `tasks`, by work item. Read through the ordinary pool, or through the connection that holds the lock.
 * All of it throws what `Querier.query` throws.
 */
export const createTasks = (querier: Querier): Tasks => ({
  async find(workItem) {
    const { rows } = await querier.query<{ repo: string; stage: string }>(
      `select ${REPO} as repo, ${STAGE} as stage from tasks where work_item_id = $1`,
      [workItem],
    );
    const [row] = rows;
    return row === undefined ? null : { repo: row.repo, workItem, stage: row.stage };
  },
  async stageOf(workItem) {
    const { rows } = await querier.query<{ stage: string }>(
      `select ${STAGE} as stage from tasks where work_item_id = $1`,
      [workItem],
    );
    return rows[0]?.stage ?? null;
  },
  async findNamed(names) {
    const { rows } = await querier.query<Row & { asked: string }>(
      `select asked, ${REPO} as repo, work_item_id, ${STAGE} as stage
         from unnest($1::text[]) as asked join tasks on ${folded('work_item_id::text')} = ${folded('asked')}
        order by work_item_id::text <> asked`,
      [names],
    );
    return rows.map((row) => ({ ...taskOf(row), asked: row.asked }));
  },
  async compareAndSetStage(workItem, from, to) {
    const { rowCount } = await querier.query(
      `update tasks set stage = $3, updated_at = now() where work_item_id = $1 and ${STAGE} = $2`,
      [workItem, from, to],
    );
    return rowCount === 1;
  },
  async insert({ repo, workItem, stage }) {
    const { rowCount } = await querier.query(
      'insert into tasks (repo, work_item_id, stage) values ($1, $2, $3) on conflict (work_item_id) do nothing',
      [repo, workItem, stage],
    );
    return rowCount === 1;
  },
});
