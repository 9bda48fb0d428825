/** Rows as the API shows them: `fields` keeps the named keys, `expand` puts objects in the place of ids. */
import type { Comment, Project, User } from './model.ts';
import { userById, type World } from './world.ts';

type Row = Readonly<Record<string, unknown>>;

const names = (query: URLSearchParams, parameter: string): string[] =>
  (query.get(parameter) ?? '').split(',').filter((name) => name !== '');

/** Unknown names in either parameter are dropped without a word (recordings 043 to 045). */
export function render(world: World, row: object, query: URLSearchParams): Row {
  const fields = names(query, 'fields');
  const expand = new Set(names(query, 'expand'));
  const shown = Object.entries(row).filter(([key]) => fields.length === 0 || fields.includes(key));
  return Object.fromEntries(shown.map(([key, value]) => [key, expand.has(key) ? expanded(world, key, value) : value]));
}

function expanded(world: World, key: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((id) => (key === 'assignees' ? user(world, id) : id));
  if (typeof value !== 'string') return value;
  switch (key) {
    case 'state': {
      const state = world.tables.states.find(({ id }) => id === value);
      return state && { id: state.id, name: state.name, color: state.color, group: state.group };
    }
    case 'project': {
      const project = world.tables.projects.find(({ id }) => id === value);
      return project && projectLite(project);
    }
    case 'issue':
      return world.tables.workItems.find(({ id }) => id === value);
    case 'actor':
    case 'created_by':
    case 'updated_by':
      return user(world, value);
    default:
      return value;
  }
}

const user = (world: World, id: string): User => userById(world, id);

const projectLite = ({ id, identifier, name }: Project): Row => ({
  id,
  identifier,
  name,
  cover_image: null,
  icon_prop: null,
  emoji: null,
  description: '',
  cover_image_url: null,
});

/** A comment as GET shows it; answers to POST and PATCH lack `is_member`. */
export const commentRead = ({ id, ...rest }: Comment): Row => ({ id, is_member: true, ...rest });

/** A project for one user: a list shows `sort_order` as well. */
export function projectView(world: World, project: Project, viewer: User, inList: boolean): Row {
  const members = world.tables.projectMembers.filter(({ projectId }) => projectId === project.id);
  const own = members.find(({ userId }) => userId === viewer.id);
  return {
    id: project.id,
    total_members: members.length,
    total_cycles: 0,
    total_modules: 0,
    is_member: own !== undefined,
    ...(inList ? { sort_order: own === undefined ? null : 65535 } : {}),
    member_role: own?.role ?? null,
    is_deployed: false,
    cover_image_url: null,
    created_at: project.createdAt,
    updated_at: project.createdAt,
    deleted_at: null,
    name: project.name,
    description: '',
    description_text: null,
    description_html: null,
    network: 2,
    identifier: project.identifier,
    emoji: null,
    icon_prop: null,
    module_view: false,
    cycle_view: false,
    issue_views_view: false,
    page_view: true,
    intake_view: false,
    is_time_tracking_enabled: false,
    is_issue_type_enabled: false,
    guest_view_all_features: false,
    cover_image: null,
    archive_in: 0,
    close_in: 0,
    logo_props: { icon: project.logo, in_use: 'icon' },
    archived_at: null,
    timezone: 'UTC',
    external_source: null,
    external_id: null,
    created_by: project.createdBy,
    updated_by: null,
    workspace: project.workspaceId,
    default_assignee: null,
    project_lead: null,
    cover_image_asset: null,
    estimate: null,
    default_state: null,
  };
}
