import type { InTurn } from './in-turn.ts';
import type { TrackedItem } from './reconcile.ts';
import { sentWrites } from './sent-writes.ts';
import type { Correction, StatusSetters } from './status-setters.ts';

export interface HealWorkItemDeps {
  readonly tracker: {
    /** A work item by the tracker's own id: the ids by which a task may name it, and what it shows; `null`: it is gone. */
    item(
      project: string,
      id: string,
    ): Promise<{ readonly names: readonly string[]; readonly shown: string; readonly status: string | null } | null>;
  };
  readonly tasks: {
    findNamed(names: readonly string[]): Promise<readonly { readonly repo: string; readonly workItem: string }[]>;
  };
  readonly healStatus: StatusSetters['healStatus'];
  readonly inTurn: InTurn;
}

/** Which work item to look at, and why. */
export interface HealRequest extends TrackedItem {
  readonly reason: string;
}

/** What one look at a work item found, and did. */
export interface Healed extends Correction {
  readonly repo: string;
}

/** Each throws what the tracker, the lock, Postgres or Temporal throw. */
export function createHealWorkItem({ tracker, tasks, healStatus, inTurn }: HealWorkItemDeps) {
  async function look({ id, project, reason }: HealRequest): Promise<Healed | null> {
    const item = await tracker.item(project, id);
    // What an earlier try has sent is told with what is found after it.
    const nothingSent = sentWrites().all.length === 0;
    const rests = item?.status == null || item.status === 'done' || item.status === 'degraded';
    if (item === null || (nothingSent && rests)) return null;
    const [task] = await tasks.findNamed(item.names);
    if (task === undefined) return null;
    const { repo, workItem } = task;
    return { repo, ...(await healStatus({ repo, workItem, caller: 'healWorkItem', reason })) };
  }

  return {
    /** Looks at one work item, and corrects a deploy-phase status that should not stand; `null`: nothing of ours is shown, or nobody knows its task. */
    healWorkItem: (request: HealRequest): Promise<Healed | null> => inTurn('correction', () => look(request)),
  };
}

export type HealWorkItem = ReturnType<typeof createHealWorkItem>;
