/** The activity rows of one change, made from the request as Plane makes them: they can claim what did not happen (127 to 129). */
import type { Activity, User, WorkItem } from './model.ts';
import type { World } from './world.ts';

type Change = Pick<Activity, 'field' | 'old_value' | 'new_value'> &
  Partial<Pick<Activity, 'old_identifier' | 'new_identifier' | 'comment'>>;

export function createdRow(world: World, item: WorkItem, by: User, epoch: number): Activity {
  const change = { field: null, old_value: null, new_value: null, comment: 'created the issue' };
  return { ...row(world, item, by, epoch, change), created_at: item.created_at, verb: 'created' };
}

/** `loaded` is the item as the request found it, so two that raced both name the same old value (600). */
export function updateRows(
  world: World,
  loaded: WorkItem,
  request: Readonly<Record<string, unknown>>,
  by: User,
  epoch: number,
): Activity[] {
  return Object.entries(request)
    .map(([key, value]) => changeOf(world, loaded, key, value))
    .filter((change) => change !== null)
    .map((change) => row(world, loaded, by, epoch, change));
}

function changeOf(world: World, loaded: WorkItem, key: string, value: unknown): Change | null {
  switch (key) {
    case 'state':
    case 'state_id': {
      // Compared as text: another spelling of the same uuid is a "change" (107).
      if (value === loaded.state) return null;
      const next = world.tables.states.find((state) => state.id === String(value).toLowerCase());
      return {
        field: 'state',
        old_value: nameOf(world, loaded.state),
        new_value: next?.name ?? null,
        old_identifier: loaded.state,
        new_identifier: next?.id ?? null,
      };
    }
    case 'name':
    case 'priority':
      if (value === loaded[key]) return null;
      return { field: key, old_value: loaded[key], new_value: String(value) };
    case 'assignees': {
      if (!Array.isArray(value) || value.every((id) => loaded.assignees.includes(id))) return null;
      const added = world.tables.users.find((user) => value.includes(user.id));
      return {
        field: 'assignees',
        old_value: '',
        new_value: added?.display_name ?? '',
        new_identifier: added?.id ?? null,
        comment: 'added assignee ',
      };
    }
    default:
      return null;
  }
}

const nameOf = (world: World, stateId: string): string | null =>
  world.tables.states.find((state) => state.id === stateId)?.name ?? null;

function row(world: World, item: WorkItem, by: User, epoch: number, change: Change): Activity {
  return {
    id: world.uuid(),
    created_at: world.now(),
    updated_at: world.now(),
    deleted_at: null,
    verb: 'updated',
    field: change.field,
    old_value: change.old_value,
    new_value: change.new_value,
    comment: change.comment ?? `updated the ${change.field} to`,
    attachments: [],
    old_identifier: change.old_identifier ?? null,
    new_identifier: change.new_identifier ?? null,
    epoch,
    project: item.project,
    workspace: item.workspace,
    issue: item.id,
    issue_comment: null,
    actor: by.id,
  };
}
