import { messageOf } from '../adapters/error-message.ts';
import { PlaneForbidden, PlaneNotFound } from '../adapters/plane/errors.ts';
import type { PlaneClient } from '../adapters/plane/plane-client.ts';
import { isUuid } from '../adapters/plane/refs.ts';
import { DatabaseUnavailable } from '../adapters/postgres/querier.ts';
import { D2dError } from './errors.ts';
import {
  bareWorkItem,
  type NameSources,
  type PlaneLookup,
  type ResolvedWorkItem,
  resolveWorkItem,
} from './resolve-work-item.ts';

/** Plane as a source of names. What it does not have, or does not show us, is unknown to it. */
export const planeLookup = (plane: Pick<PlaneClient, 'workItem' | 'project'>, project: string): PlaneLookup => ({
  async workItem(ref) {
    try {
      if (isUuid(ref)) await plane.project(project); // once known, it tells the item's key
      return await plane.workItem(ref, project);
    } catch (error) {
      if (error instanceof PlaneNotFound || error instanceof PlaneForbidden) return null;
      throw error;
    }
  },
});

/**
 * Resolves names with what is at hand. A start needs to be sure, as a second name for one item would be a second lock; for
 * everything else an authority that is away is passed over with a note: a window must be stopped although Postgres is down.
 */
export const createResolve =
  (sources: NameSources | null, note: (text: string) => void) =>
  async (name: string, purpose: 'start' | 'find'): Promise<ResolvedWorkItem> => {
    if (sources === null) return bareWorkItem(name);
    try {
      return await resolveWorkItem(name, sources);
    } catch (error) {
      if (error instanceof D2dError) throw error;
      const what =
        error instanceof DatabaseUnavailable ? messageOf(error) : `${name} cannot be looked up: ${messageOf(error)}`;
      if (purpose === 'start')
        throw new D2dError('unreachable', what.replace(/\.$/, ''), 'd2d doctor says more', error);
      note(`${what}; going by the name alone`);
      return bareWorkItem(name);
    }
  };
