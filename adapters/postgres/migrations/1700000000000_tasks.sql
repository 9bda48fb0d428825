-- Up Migration

-- A database that has such a table already keeps it as it is.
create table if not exists tasks (
  id bigint generated always as identity primary key,
  repo text not null,
  work_item_id text not null unique,
  stage text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
