/** `order_by` of work items: a leading minus turns it round; states order by their group; an unknown field is an error. */

import { PRIORITIES } from './changes.ts';
import type { Group, WorkItem } from './model.ts';
import { stateById, type World } from './world.ts';

const GROUPS: readonly Group[] = ['backlog', 'unstarted', 'started', 'completed', 'cancelled'];

export function sortWorkItems(world: World, items: readonly WorkItem[], orderBy: string): WorkItem[] | null {
  const valueIn = sortValue(world, orderBy.replace(/^-/, ''));
  if (valueIn === null) return null;
  const sign = orderBy.startsWith('-') ? -1 : 1;
  return items.toSorted((left, right) => sign * compare(valueIn(left), valueIn(right)));
}

function sortValue(world: World, field: string): ((item: WorkItem) => string | number) | null {
  switch (field) {
    case 'created_at':
    case 'updated_at':
    case 'name':
    case 'sequence_id':
    case 'sort_order':
      return (item) => item[field];
    case 'priority':
      return (item) => PRIORITIES.indexOf(item.priority);
    case 'state__name':
    case 'state__group':
      return (item) => GROUPS.indexOf(stateById(world, item.state).group);
    default:
      return null;
  }
}

const compare = (left: string | number, right: string | number): number => (left < right ? -1 : left > right ? 1 : 0);
