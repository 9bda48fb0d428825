import { DatabaseError } from 'pg';
import { needsPerson, type Querier } from './querier.ts';

/** SQLSTATEs of our own, by which the trial says what it has found. It always fails, and so is always undone. */
const WORKS = 'D2D01';
const UNCHANGED = 'D2D02';
const HIDDEN = 'D2D03';

/**
 * Sets one task to `done`, as a deploy does at its end: one at the stage of new tasks, or else any that is not terminal. Where there is
 * none, the statement still meets what refuses every update. Deferred constraints are checked at once, as nothing is committed.
 */
const TRIAL = `do $trial$
declare
  item tasks.work_item_id%type;
  stood text;
  changed bigint;
begin
  perform set_config('lock_timeout', '1s', true);
  select work_item_id, stage::text into item, stood from tasks where stage::text = 'deploy' limit 1;
  if not found then
    select work_item_id, coalesce(stage::text, '') into item, stood from tasks
     where lower(trim(coalesce(stage::text, ''))) not in ('done', 'cancelled') limit 1;
  end if;
  begin
    update tasks set stage = 'done', updated_at = now()
     where work_item_id = item and coalesce(stage::text, '') = stood;
    get diagnostics changed = row_count;
    set constraints all immediate;
  exception when others then
    raise exception using errcode = sqlstate,
      message = sqlerrm || case when item is null then '' else format(' (tried with %s, at stage "%s")', item, stood) end;
  end;
  if item is not null and changed <> 1 then
    raise exception using errcode = '${UNCHANGED}', message = format('%s, at stage "%s"', item, stood);
  end if;
  if row_security_active(to_regclass('tasks')::oid) and not exists (select from tasks) then
    raise exception using errcode = '${HIDDEN}', message = 'deploy-to-done sees no task';
  end if;
  raise exception using errcode = '${WORKS}', message = 'deploy-to-done has tried whether a task can be set to done';
end
$trial$`;

/**
 * Why a task could not be set to `done`, by an update that is tried and undone: a trigger, row-level security, a constraint. `null`:
 * nothing is known to keep it from that. Other tasks may meet something else.
 * @throws DatabaseUnavailable
 */
export async function whyNotSetToDone(querier: Querier): Promise<string | null> {
  try {
    await querier.query(TRIAL);
    return null;
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    switch (error.code) {
      case WORKS:
        return null;
      case UNCHANGED:
        return `An update of tasks.stage to done changed no row (tried with ${error.message}): a trigger or row-level security prevents it, so that deploys cannot be set to done.`;
      case HIDDEN:
        return 'Row-level security is in force on tasks for this user, who sees no task: add a policy for it, or alter its role with bypassrls.';
      default:
        return needsPerson(error)
          ? `An update of tasks.stage to done is refused, so that deploys cannot be set to done: ${error.message}`
          : null;
    }
  }
}
