import { isUuid, workItemRef } from '../adapters/plane/refs.ts';
import { refused } from './errors.ts';

/** A row of `tasks`, as far as names are concerned. */
export interface KnownTask {
  readonly repo: string;
  readonly workItem: string;
  readonly stage: string;
}

export interface TaskLookup {
  /** The tasks that go by one of these names, however it is spelled. */
  findNamed(names: readonly string[]): Promise<readonly KnownTask[]>;
}

/** An item of the tracker under all its names; `null`: it does not know one. */
export interface PlaneLookup {
  workItem(ref: string): Promise<{ readonly id: string; readonly key: string | null } | null>;
}

export interface NameSources {
  readonly tasks: TaskLookup;
  readonly plane?: PlaneLookup | undefined;
}

/** What a name means: the id in `tasks`, which is the only key of locks, workflow ids and logs. */
export interface ResolvedWorkItem {
  readonly workItem: string;
  /** The task that it is; `null` where none is known. */
  readonly task: KnownTask | null;
  /** The ids that an execution of it may bear, the likeliest first; `workItem` is the first of them. */
  readonly spellings: readonly string[];
}

/** Something like ORCH-61, whatever its case and zeros. */
const IDENTIFIER = /^[\p{L}\p{N}_]+-\d{1,9}$/u;

const unique = (names: readonly string[]): string[] => [...new Set(names)];

/** The ways in which a person may have meant a name, the one to start with first. */
function spellingsOf(name: string): string[] {
  if (isUuid(name)) return unique([name.toLowerCase(), name]);
  if (!IDENTIFIER.test(name)) return [name];
  const ref = workItemRef(name);
  return unique([name.toUpperCase(), name, ...('key' in ref ? [ref.key] : [])]);
}

/**
 * What a name means where nobody can be asked: itself, upper-cased where it is an identifier.
 * @throws D2dError (`refused`) where it is empty.
 */
export function bareWorkItem(name: string): ResolvedWorkItem {
  const trimmed = name.trim();
  if (trimmed === '') throw refused('the work item must be named, such as ORCH-61');
  const spellings = spellingsOf(trimmed);
  return { workItem: spellings[0] ?? trimmed, task: null, spellings };
}

/**
 * The id in `tasks` that a name stands for. In this order: the name as it is, trimmed and upper-cased, then the item's uuid and
 * key as Plane knows them; else the name itself.
 * @throws D2dError (`refused`) where it is empty, and what the database or Plane throw: with one of them away, an item could
 * otherwise be taken for another one.
 */
export async function resolveWorkItem(name: string, { tasks, plane }: NameSources): Promise<ResolvedWorkItem> {
  const bare = bareWorkItem(name);
  const tried = unique([name, name.trim(), ...bare.spellings]);
  const known = await firstTask(tried, tasks);
  if (known !== null) return of(known, tried);

  const [asked] = bare.spellings.slice(-1); // Plane wants a key without leading zeros
  const mayBeItem = isUuid(bare.workItem) || IDENTIFIER.test(bare.workItem);
  const item = mayBeItem && asked !== undefined ? ((await plane?.workItem(asked)) ?? null) : null;
  if (item === null) return bare;
  const names = unique([item.id, ...(item.key === null ? [] : [item.key])]).filter((each) => !tried.includes(each));
  const task = await firstTask(names, tasks);
  return task === null ? bare : of(task, [...tried, ...names]);
}

const of = (task: KnownTask, names: readonly string[]): ResolvedWorkItem => ({
  workItem: task.workItem,
  task,
  spellings: unique([task.workItem, ...names]),
});

/** The one that is spelled like the earliest of the names, else any that is meant by them. */
async function firstTask(names: readonly string[], tasks: TaskLookup): Promise<KnownTask | null> {
  const found = names.length === 0 ? [] : await tasks.findNamed(names);
  const spelled = names.map((name) => found.find(({ workItem }) => workItem === name));
  return spelled.find((task) => task !== undefined) ?? found[0] ?? null;
}
