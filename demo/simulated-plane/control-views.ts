/** How the control object shows a work item and its past. */
import { keyOf, stateById, userById, type World, workItemByKey } from './world.ts';

export interface WorkItemView {
  readonly id: string;
  readonly key: string;
  readonly projectId: string;
  readonly name: string;
  /** Name of its state. */
  readonly state: string;
  readonly stateId: string;
  readonly updatedAt: string;
  readonly completedAt: string | null;
  readonly archived: boolean;
  /** Oldest first. */
  readonly comments: readonly {
    readonly id: string;
    readonly html: string;
    readonly externalId: string | null;
    readonly by: string;
  }[];
}

export interface StatusChangeView {
  /** Epoch ms. */
  readonly at: number;
  readonly from: string;
  readonly to: string;
  readonly by: string;
}

/** @throws where there is none of that key; archived ones are found. */
export function workItemView(world: World, key: string): WorkItemView {
  const item = workItemByKey(world, key);
  return {
    id: item.id,
    key: keyOf(world, item),
    projectId: item.project,
    name: item.name,
    state: stateById(world, item.state).name,
    stateId: item.state,
    updatedAt: item.updated_at,
    completedAt: item.completed_at,
    archived: item.archived_at !== null,
    comments: world.tables.comments
      .filter((comment) => comment.issue === item.id)
      .map(({ id, comment_html, external_id, actor }) => ({
        id,
        html: comment_html,
        externalId: external_id,
        by: userById(world, actor).display_name,
      })),
  };
}

export function statusHistory(world: World, key: string): StatusChangeView[] {
  const { id } = workItemByKey(world, key);
  return world.tables.statusChanges
    .filter((change) => change.workItemId === id)
    .map(({ at, from, to, by }) => ({ at, from, to, by }));
}
