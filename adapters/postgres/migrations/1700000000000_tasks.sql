-- Up Migration

-- A database that has such a table already keeps it as it is.
do $$
begin
  if to_regclass('tasks') is null then
    create table tasks (
      id bigint generated always as identity primary key,
      repo text not null,
      work_item_id text not null unique,
      stage text not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );
    -- For work items by another spelling; the expression is that of tasks.ts.
    create index tasks_work_item_name on tasks
      (regexp_replace(upper(trim(work_item_id)) collate "default", '^([^-]+)-0*([0-9]+)$', '\1-\2'));
  end if;
end
$$;
