import { LRUCache } from 'lru-cache';
import { PlaneForbidden, PlaneNotFound } from './errors.ts';
import type { PlaneClient, PlaneState, PlaneWorkItem, WorkItemPlace } from './plane-client.ts';
import { isUuid } from './refs.ts';

/** Plane's names of the orchestrator's statuses; a project may call them otherwise. */
export interface StatusNames {
  readonly awaiting_deploy: string;
  readonly deploying: string;
  readonly monitoring: string;
  readonly done: string;
  /** Absent: what ended degraded has no state of its own. */
  readonly degraded?: string | undefined;
}

export type Status = keyof StatusNames;

interface TrackerOptions {
  readonly client: Pick<
    PlaneClient,
    'workItem' | 'workItemsPage' | 'states' | 'freshStates' | 'stateNamed' | 'setState' | 'comment' | 'project'
  >;
  readonly names: StatusNames;
  /** The Plane project (uuid or identifier) of a repository. */
  readonly projectOf: (repo: string) => string;
}

const STATUSES: readonly Status[] = ['awaiting_deploy', 'deploying', 'monitoring', 'done', 'degraded'];

/** The names by which a task may know a work item, its key first. */
const namesIn = ({ id, key }: Pick<PlaneWorkItem, 'id' | 'key'>): readonly string[] =>
  key === null ? [id] : [key, id];

const fold = (name: string): string => name.trim().toLowerCase();

/** The ids of the states that stand for the statuses. A state is found by its name; one that is renamed keeps its id, and is still ours. */
function ownStates(names: StatusNames) {
  const learnt = new Map<string, string>();
  const called = (status: Status, { name }: PlaneState): boolean => {
    const ours = names[status];
    return ours !== undefined && fold(ours) === fold(name);
  };
  const idOf = (projectId: string, status: Status): string | undefined => learnt.get(`${projectId} ${status}`);
  return {
    /** The id of a state that has lost its name, and that no other one has taken. */
    renamed(projectId: string, status: Status, states: readonly PlaneState[]): string | undefined {
      if (states.some((state) => called(status, state))) return undefined;
      return states.find(({ id }) => id === idOf(projectId, status))?.id;
    },
    learn(projectId: string, states: readonly PlaneState[]): void {
      for (const status of STATUSES) {
        const state = states.find((each) => called(status, each));
        if (state !== undefined) learnt.set(`${projectId} ${status}`, state.id);
      }
    },
    statusOf: (projectId: string, state: PlaneState): Status | null =>
      STATUSES.find((status) => called(status, state)) ??
      STATUSES.find((status) => idOf(projectId, status) === state.id) ??
      null,
  };
}

/**
 * Plane, by a work item's id in `tasks` and in the orchestrator's own statuses. Every method throws what the client throws.
 * Where a work item is in Plane never changes, so that is asked once; what it shows is asked every time.
 */
export function createTracker({ client, names, projectOf }: TrackerOptions) {
  const places = new LRUCache<string, WorkItemPlace>({ max: 1_000 });
  const ours = ownStates(names);

  async function read(repo: string, workItem: string) {
    const item = await client.workItem(workItem, projectOf(repo));
    places.set(workItem, { id: item.id, projectId: item.projectId });
    return item;
  }

  async function place(repo: string, workItem: string): Promise<WorkItemPlace> {
    const known = places.get(workItem);
    if (known !== undefined) return known;
    if (!isUuid(workItem)) return read(repo, workItem);
    return { id: workItem, projectId: (await client.project(projectOf(repo))).id };
  }

  async function stateId(repo: string, workItem: string, status: Status): Promise<string> {
    const name = names[status];
    if (name === undefined) throw new TypeError(`no state of the tracker is set for ${status}`);
    const { projectId } = await place(repo, workItem);
    return (
      ours.renamed(projectId, status, await client.states(projectId)) ?? (await client.stateNamed(projectId, name)).id
    );
  }

  /** The project's own state for what is cancelled, whatever it calls it; the one of that name where there are several. */
  async function cancelledState(repo: string, workItem: string): Promise<string> {
    const { projectId } = await place(repo, workItem);
    const [first, ...others] = (await client.states(projectId)).filter(
      (state) => state.group === 'cancelled' && ours.statusOf(projectId, state) === null,
    );
    if (first !== undefined && others.length === 0) return first.id;
    return (await client.stateNamed(projectId, 'Cancelled')).id;
  }

  /**
   * What states of a project show, by their ids. One that the cache does not know may be one of ours, made anew, and not a person's
   * choice: then they are asked for once more.
   */
  async function shownBy(projectId: string, ids: readonly (string | null)[]) {
    const known = await client.states(projectId);
    const strange = ids.some((id) => known.every((state) => state.id !== id));
    const states = strange ? await client.freshStates(projectId) : known;
    ours.learn(projectId, states);
    return (id: string | null) => {
      const state = states.find((each) => each.id === id);
      return { shown: state?.name ?? '', status: state === undefined ? null : ours.statusOf(projectId, state) };
    };
  }

  /** Every name of a work item, its key first. */
  async function namesOf(repo: string, workItem: string): Promise<readonly string[]> {
    await client.project(projectOf(repo)); // its identifier is in the key
    return namesIn(await read(repo, workItem));
  }

  return {
    stateId,

    async hasState(repo: string, workItem: string, id: string): Promise<boolean> {
      const states = await client.states((await place(repo, workItem)).projectId);
      return states.some((state) => state.id === id);
    },

    async shown(repo: string, workItem: string) {
      const { projectId, stateId: id } = await read(repo, workItem);
      const { shown: name, status } = (await shownBy(projectId, [id]))(id);
      return { id: id ?? '', name, status };
    },

    async write(
      repo: string,
      workItem: string,
      status: Status | 'cancelled' | { readonly id: string },
      beforeSending?: () => void,
    ): Promise<void> {
      const id =
        status === 'cancelled'
          ? await cancelledState(repo, workItem)
          : typeof status === 'string'
            ? await stateId(repo, workItem, status)
            : status.id;
      await client.setState(await place(repo, workItem), id, { beforeSending });
    },

    /** A work item by Plane's own id: the ids by which a task may name it, and what it shows; `null`: it is gone. */
    async item(project: string, id: string) {
      try {
        await client.project(project); // its identifier is in the key
        const { key, stateId: state, projectId } = await client.workItem(id, project);
        return { names: namesIn({ id, key }), ...(await shownBy(projectId, [state]))(state) };
      } catch (error) {
        if (error instanceof PlaneNotFound) return null;
        throw error;
      }
    },

    async page(project: string, cursor: string | null) {
      const { id } = await client.project(project);
      const { items, next } = await client.workItemsPage(id, cursor);
      const shown = await shownBy(
        id,
        items.map((each) => each.stateId).filter((state) => state !== null),
      );
      return {
        next,
        items: items.map(({ id: uuid, key, stateId: state, updatedAt }) => ({
          item: { id: uuid, project: id },
          names: [key, uuid],
          ...shown(state),
          updatedAt,
        })),
      };
    },

    namesOf,

    /** Its names; `null`: Plane does not know it, or does not show it to us. */
    async namesIfShown(repo: string, workItem: string): Promise<readonly string[] | null> {
      try {
        return await namesOf(repo, workItem);
      } catch (error) {
        if (error instanceof PlaneNotFound || error instanceof PlaneForbidden) return null;
        throw error;
      }
    },

    async comment(repo: string, workItem: string, html: string, externalId: string): Promise<void> {
      await client.comment(await place(repo, workItem), { html, externalId });
    },
  };
}
