/** Every write to work items and comments, whoever makes it: the API, a person in the web app (control), or the seed. */
import type { Activity, Comment, Project, Role, State, User, WorkItem, Workspace } from './model.ts';
import { deliver } from './webhooks.ts';
import { slugify } from './wire.ts';
import { stateById, type World } from './world.ts';

export const PRIORITIES = ['urgent', 'high', 'medium', 'low', 'none'];

/** The states of a new project, as recording 010 shows them. */
const DEFAULT_STATES: readonly Pick<State, 'name' | 'color' | 'group'>[] = [
  { name: 'Backlog', color: '#60646C', group: 'backlog' },
  { name: 'Todo', color: '#60646C', group: 'unstarted' },
  { name: 'In Progress', color: '#F59E0B', group: 'started' },
  { name: 'Done', color: '#46A758', group: 'completed' },
  { name: 'Cancelled', color: '#9AA4BC', group: 'cancelled' },
];

const LOGOS = [
  { name: 'gavel', color: '#6d7b8a' },
  { name: 'rocket', color: '#02b55c' },
  { name: 'anchor', color: '#455bf7' },
];

export function addProject(
  world: World,
  workspace: Workspace,
  owner: User,
  given: { name: string; identifier: string },
): Project {
  const project: Project = {
    id: world.uuid(),
    identifier: given.identifier,
    name: given.name,
    workspaceId: workspace.id,
    logo: LOGOS[world.tables.projects.length % LOGOS.length] ?? { name: 'rocket', color: '#02b55c' },
    createdAt: world.now(),
    createdBy: owner.id,
    lastSequence: 0,
  };
  world.tables.projects.push(project);
  addMember(world, project, owner, 20);
  for (const state of DEFAULT_STATES) addState(world, project, owner, state, true);
  return project;
}

export function addMember(world: World, project: Project, user: User, role: Role): void {
  const others = world.tables.projectMembers.filter(
    (member) => member.projectId !== project.id || member.userId !== user.id,
  );
  world.tables.projectMembers = [...others, { projectId: project.id, userId: user.id, role }];
}

export function addState(
  world: World,
  project: Project,
  by: User,
  given: Pick<State, 'name' | 'color' | 'group'> &
    Partial<Pick<State, 'description' | 'external_id' | 'external_source'>>,
  builtIn: boolean,
): State {
  const sequences = world.tables.states.filter((state) => state.project === project.id).map((state) => state.sequence);
  const last = sequences.length === 0 ? undefined : Math.max(...sequences);
  const state: State = {
    id: world.uuid(),
    created_at: world.now(),
    updated_at: world.now(),
    deleted_at: null,
    name: given.name,
    description: given.description ?? '',
    color: given.color,
    slug: builtIn ? '' : slugify(given.name),
    sequence: last === undefined ? 15000 : last + (builtIn ? 10000 : 15000),
    group: given.group,
    is_triage: false,
    default: last === undefined,
    external_source: given.external_source ?? null,
    external_id: given.external_id ?? null,
    created_by: by.id,
    updated_by: null,
    project: project.id,
    workspace: project.workspaceId,
  };
  world.tables.states.push(state);
  return state;
}

export type NewWorkItem = Pick<WorkItem, 'name'> &
  Partial<
    Pick<WorkItem, 'state' | 'priority' | 'description_html' | 'external_id' | 'external_source' | 'sequence_id'>
  >;

export const defaultState = (world: World, projectId: string): string =>
  world.tables.states.find((state) => state.project === projectId && state.default)?.id ?? '';

export function addWorkItem(world: World, project: Project, by: User, given: NewWorkItem): WorkItem {
  const state = given.state ?? defaultState(world, project.id);
  const orders = world.tables.workItems.filter((item) => item.state === state).map((item) => item.sort_order);
  const sequence = given.sequence_id ?? project.lastSequence + 1;
  project.lastSequence = Math.max(project.lastSequence, sequence);
  const item: WorkItem = {
    id: world.uuid(),
    type_id: null,
    created_at: world.now(),
    updated_at: world.now(),
    deleted_at: null,
    point: null,
    name: given.name,
    description_html: sanitised(given.description_html ?? '<p></p>'),
    description_binary: null,
    priority: given.priority ?? 'none',
    start_date: null,
    target_date: null,
    sequence_id: sequence,
    sort_order: orders.length === 0 ? 65535 : Math.max(...orders) + 10000,
    completed_at: null,
    archived_at: null,
    is_draft: false,
    external_source: given.external_source ?? null,
    external_id: given.external_id ?? null,
    created_by: by.id,
    updated_by: null,
    project: project.id,
    workspace: project.workspaceId,
    parent: null,
    state,
    estimate_point: null,
    type: null,
    assignees: [],
    labels: [],
  };
  if (stateById(world, state).group === 'completed') item.completed_at = item.created_at;
  world.tables.workItems.push(item);
  remember(world, item);
  return item;
}

/** Descriptions of work items are cleaned of scripts (021); comments are not (209). */
const sanitised = (html: string): string => html.replace(/<script\b[^>]*>.*?<\/script>/gis, '');

const remember = (world: World, item: WorkItem): void => {
  world.versions.push({ at: world.clock(), item: { ...item } });
};

/**
 * Saves a whole row, as Plane does: what somebody else changed since `draft` was loaded is overwritten (601).
 * `completed_at` follows the group of the state on a change (README 5).
 */
export function saveWorkItem(world: World, row: WorkItem, draft: WorkItem, loaded: WorkItem, by: User): void {
  const previous = row.state;
  Object.assign(row, draft, { updated_at: world.now(), updated_by: by.id });
  if (draft.state !== loaded.state) {
    row.completed_at = stateById(world, row.state).group === 'completed' ? world.now() : null;
  }
  if (row.state !== previous) {
    world.tables.statusChanges.push({
      workItemId: row.id,
      at: world.clock(),
      from: stateById(world, previous).name,
      to: stateById(world, row.state).name,
      by: by.display_name,
    });
  }
  remember(world, row);
}

/**
 * The background worker's part after a write: `updated_at` moves a second time, the rows are written, and events go to the webhook.
 * @param from who writes: the web app calls the field of a state by another name (531)
 */
export function announce(
  world: World,
  item: WorkItem,
  activities: (() => Activity[]) | null,
  from: 'api' | 'web app' = 'api',
): void {
  world.jobs.enqueue(() => {
    item.updated_at = world.now();
    if (activities === null) return;
    const rows = activities();
    world.tables.activities.push(...rows);
    deliver(world, item, rows, from === 'web app');
  });
}

export function removeWorkItem(world: World, item: WorkItem): void {
  world.tables.workItems = world.tables.workItems.filter((other) => other !== item);
  world.tables.comments = world.tables.comments.filter((comment) => comment.issue !== item.id);
}

export function addComment(world: World, item: WorkItem, by: User, given: Partial<Comment>): Comment {
  const updated = world.now();
  const comment: Comment = {
    id: world.uuid(),
    created_at: given.created_at ?? world.now(),
    updated_at: updated,
    deleted_at: null,
    comment_html: given.comment_html ?? '<p></p>',
    attachments: [],
    access: given.access ?? 'INTERNAL',
    external_source: given.external_source ?? null,
    external_id: given.external_id ?? null,
    edited_at: null,
    created_by: given.created_by ?? by.id,
    updated_by: null,
    project: item.project,
    workspace: item.workspace,
    description: world.uuid(),
    issue: item.id,
    actor: by.id,
    parent: null,
  };
  world.tables.comments.push(comment);
  return comment;
}
