/**
 * The part of Plane's REST API v1 that deploy-to-done needs, over undici. It never retries: its callers are Temporal activities, and
 * each error says what they need for that (see errors.ts). Its requests wait for their turn (see budget.ts).
 */
import { LRUCache } from 'lru-cache';
import { oneAtATime } from '../one-at-a-time.ts';
import { type Budget, createBudget } from './budget.ts';
import { PlaneMisconfigured, PlaneNotFound, PlaneRejected, PlaneUnavailable } from './errors.ts';
import { createRateAccount } from './rate-account.ts';
import { canonicalUuid, isUuid, workItemRef } from './refs.ts';
import { type CallOptions, createRequests } from './requests.ts';
import { matchState, onlyState, type PlaneState } from './states.ts';
import { createTransport, DEFAULT_TIMEOUTS, type PlaneRequest, type PlaneTimeouts } from './transport.ts';
import { planeEndpoint } from './urls.ts';
import * as wire from './wire.ts';

export type { CallOptions } from './requests.ts';
export type { PlaneState } from './states.ts';
export type { PlaneTimeouts } from './transport.ts';

export interface PlaneClientOptions {
  /** Address of the server, for example `https://plane.example.org`; the API is expected below `/api/v1/`. */
  readonly url: string;
  readonly apiKey: string;
  /** The workspace's slug, as in the address of its pages. */
  readonly workspace: string;
  readonly timeouts?: Partial<PlaneTimeouts>;
  /** How many requests a minute corrections and sweeps leave to what matters more; none where it is left out. */
  readonly keep?: { readonly correction: number; readonly sweep: number };
}

export interface PlaneProject {
  readonly id: string;
  /** The part before the number in a key: `ORCH`. */
  readonly identifier: string;
  readonly name: string;
}

export interface PlaneWorkItem {
  readonly id: string;
  readonly projectId: string;
  /** `ORCH-61`; null where the item was asked for by uuid and its project's identifier is not known here. */
  readonly key: string | null;
  readonly name: string;
  readonly stateId: string | null;
}

/** Work items as a list shows them. */
export interface PlaneWorkItemsPage {
  readonly items: readonly {
    readonly id: string;
    /** `ORCH-61`. */
    readonly key: string;
    readonly stateId: string | null;
    /** Epoch ms. */
    readonly updatedAt: number;
  }[];
  /** For the next page; `null`: this is the last one. */
  readonly next: string | null;
}

/** Where a work item is: what writes need. */
export interface WorkItemPlace {
  readonly id: string;
  readonly projectId: string;
}

/** Every method throws errors of errors.ts, and the reason of an aborted signal. */
export interface PlaneClient {
  /** Whose key this is. One request. */
  me(options?: CallOptions): Promise<{ id: string; displayName: string }>;
  /** A project by uuid or identifier (any case). Cached for a day. */
  project(ref: string, options?: CallOptions): Promise<PlaneProject>;
  /** A work item by key (`ORCH-61`, any case; the project is not looked at) or by uuid (in `project`: uuid or identifier). One request, or two where an identifier is not cached. */
  workItem(ref: string, project: string, options?: CallOptions): Promise<PlaneWorkItem>;
  /**
   * One page of a project's work items, at most 1 000, those that were changed last first. Pages are counted, not held: an item that is
   * changed meanwhile moves to the front, so that others show twice; one that is deleted lets another slip onto a page that was read.
   */
  workItemsPage(projectId: string, cursor: string | null, options?: CallOptions): Promise<PlaneWorkItemsPage>;
  /** Begins a piece of work once its requests are left of the key's rate limit: see budget.ts. */
  within: Budget['within'];
  /** The project's states, in its order. Cached for 10 minutes. */
  states(projectId: string, options?: CallOptions): Promise<readonly PlaneState[]>;
  /** The same, asked anew: for a state that the cache does not know. One request a page. */
  freshStates(projectId: string, options?: CallOptions): Promise<readonly PlaneState[]>;
  /**
   * A state by name: exact after trimming, else the only one that differs in case alone. A miss in the cache asks Plane once more.
   * @throws PlaneUnknownState (lists the names there) or PlaneAmbiguousState.
   */
  stateNamed(projectId: string, name: string, options?: CallOptions): Promise<PlaneState>;
  /**
   * Exactly one PATCH, whatever the item shows now: read first to skip one that changes nothing (it would bump `updated_at`).
   * @throws PlaneUnavailable where the answer shows another state than the one set.
   */
  setState(
    item: WorkItemPlace,
    stateId: string,
    options?: CallOptions & Pick<PlaneRequest, 'beforeSending'>,
  ): Promise<void>;
  /**
   * Adds a comment once: a second call with the same `externalId` (unique in the whole project, at most 255 characters; name the
   * work item in it) finds the first, `created: false`. In this process at most one POST for an external id is on its way.
   */
  comment(
    item: WorkItemPlace,
    comment: { readonly html: string; readonly externalId: string },
    options?: CallOptions,
  ): Promise<{ id: string; created: boolean }>;
  /** Waits for calls in flight (bounded by the whole-call time-out) and closes the connections. */
  close(): Promise<void>;
}

/** `external_source` of every comment: with the external id it makes a repeated POST harmless. */
export const EXTERNAL_SOURCE = 'deploy-to-done';

/** Long enough to save requests (60 a minute for each key), short enough to see a renamed state. */
const CACHE_TTL_MS = 10 * 60_000;
/** A project keeps its id, and its identifier as a rule: a worker asks for it when it starts, and then once a day. */
const PROJECT_TTL_MS = 24 * 60 * 60_000;
const MAX_EXTERNAL_ID = 255;
const LIST = { per_page: '1000', fields: 'id,sequence_id,state,updated_at', order_by: '-updated_at' };
const ITEM_FIELDS = { fields: 'id,name,project,sequence_id,state' };

/**
 * @throws PlaneMisconfigured for a URL, key or workspace that cannot work. No connection is opened before the first call.
 */
export function createPlaneClient({ url, apiKey, workspace, timeouts, keep }: PlaneClientOptions): PlaneClient {
  const endpoint = planeEndpoint(url);
  if (!/^[\x21-\x7e]+$/.test(apiKey))
    throw badOption('the Plane API key is empty, or has spaces or other characters that no key has');
  if (!/^[\w-]+$/.test(workspace)) {
    throw badOption(`the Plane workspace must be its slug, such as acme, got ${JSON.stringify(workspace)}`);
  }
  const transport = createTransport(endpoint.origin, apiKey, { ...DEFAULT_TIMEOUTS, ...timeouts });
  const kept = { run: 0, correction: 0, sweep: 0, ...keep };
  const budget = createBudget(
    createRateAccount(() => performance.now()),
    kept,
  );
  const { ask, read, get, list } = createRequests(transport, apiKey, budget);
  const projects = new LRUCache<string, PlaneProject>({ max: 200, ttl: PROJECT_TTL_MS });
  const statesOf = new LRUCache<string, readonly PlaneState[]>({ max: 200, ttl: CACHE_TTL_MS });
  // Plane looks for an external id and then inserts, with no constraint behind it: of eight POSTs at once six were stored (recording 603).
  const comments = oneAtATime();

  const inWorkspace = (segments: readonly string[], query?: Readonly<Record<string, string>>): string =>
    endpoint.path(['workspaces', workspace, ...segments], query);
  const itemPath = ({ id, projectId }: WorkItemPlace, ...rest: string[]): string =>
    inWorkspace([
      'projects',
      canonicalUuid(projectId, 'a project id'),
      'work-items',
      canonicalUuid(id, 'a work item id'),
      ...rest,
    ]);

  async function fetchProject(ref: string, options: CallOptions): Promise<PlaneProject> {
    if (isUuid(ref)) return get(wire.Project, inWorkspace(['projects', ref.toLowerCase()]), options);
    const all = await list(wire.Project, (query) => inWorkspace(['projects'], query), options);
    const project = all.find(({ identifier }) => identifier.toUpperCase() === ref.toUpperCase());
    if (project !== undefined) return project;
    throw new PlaneNotFound(
      `workspace ${workspace} has no project ${JSON.stringify(ref)} that this key sees. It sees ${all.map(({ identifier }) => identifier).join(', ') || 'none'}.`,
      { method: 'GET', path: inWorkspace(['projects']), status: null, writeMayHaveApplied: false },
    );
  }

  const projectOnce = sharedCalls<PlaneProject>();
  const statesOnce = sharedCalls<readonly PlaneState[]>();

  async function project(ref: string, options: CallOptions = {}): Promise<PlaneProject> {
    const name = ref.trim().toUpperCase();
    return (
      projects.get(name) ??
      projectOnce(name, async () => {
        const { id, identifier, name: title } = await fetchProject(ref.trim(), options);
        const found: PlaneProject = { id, identifier, name: title };
        projects.set(id.toUpperCase(), found);
        projects.set(identifier.toUpperCase(), found);
        return found;
      })
    );
  }

  async function fetchStates(projectId: string, options: CallOptions): Promise<readonly PlaneState[]> {
    const states = await list(wire.State, (query) => inWorkspace(['projects', projectId, 'states'], query), options);
    statesOf.set(projectId, states);
    return states;
  }

  const knownStates = async (projectId: string, options: CallOptions): Promise<readonly PlaneState[]> =>
    statesOf.get(projectId) ?? statesOnce(projectId, () => fetchStates(projectId, options));

  return {
    project,

    async me(options = {}) {
      const { id, display_name } = await get(wire.Me, endpoint.path(['users', 'me']), options);
      return { id, displayName: display_name };
    },

    async workItem(ref, projectRef, options = {}) {
      const name = workItemRef(ref);
      if ('key' in name) {
        const item = await get(wire.WorkItem, inWorkspace(['work-items', name.key], ITEM_FIELDS), options);
        return { id: item.id, projectId: item.project, key: name.key, name: item.name, stateId: item.state };
      }
      const projectId = isUuid(projectRef) ? projectRef.toLowerCase() : (await project(projectRef, options)).id;
      const path = inWorkspace(['projects', projectId, 'work-items', name.id], ITEM_FIELDS);
      const item = await get(wire.WorkItem, path, options);
      const identifier = projects.get(projectId.toUpperCase())?.identifier;
      const key =
        identifier === undefined || item.sequence_id === undefined ? null : `${identifier}-${item.sequence_id}`;
      return { id: item.id, projectId: item.project, key, name: item.name, stateId: item.state };
    },

    within: budget.within,

    async workItemsPage(projectId, cursor, options = {}) {
      const { id, identifier } = await project(projectId, options);
      const query = cursor === null ? LIST : { ...LIST, cursor };
      const path = inWorkspace(['projects', canonicalUuid(id, 'a project id'), 'work-items'], query);
      const page = await get(wire.WorkItemsPage, path, options);
      return {
        items: page.results.map((row) => ({
          id: row.id,
          key: `${identifier}-${row.sequence_id}`,
          stateId: row.state,
          updatedAt: row.updated_at,
        })),
        next: page.next_page_results ? page.next_cursor : null,
      };
    },

    states: (projectId, options = {}) => knownStates(canonicalUuid(projectId, 'a project id'), options),

    freshStates: (projectId, options = {}) => fetchStates(canonicalUuid(projectId, 'a project id'), options),

    async stateNamed(projectId, name, options = {}) {
      const id = canonicalUuid(projectId, 'a project id');
      const cached = statesOf.get(id);
      let states = cached ?? (await knownStates(id, options));
      let match = matchState(states, name);
      if ('missing' in match && cached !== undefined) {
        states = await fetchStates(id, options);
        match = matchState(states, name);
      }
      return onlyState(match, name, states, inWorkspace(['projects', id, 'states']));
    },

    async setState(item, stateId, { signal, beforeSending } = {}) {
      const state = canonicalUuid(stateId, 'a state id');
      const request: PlaneRequest = { method: 'PATCH', path: itemPath(item), body: { state }, signal, beforeSending };
      const answer = await ask(request).catch((error: unknown) => {
        // Plane does not know the state (any more), or it is another project's: do not trust the cached names either.
        if (error instanceof PlaneRejected && error.status === 400) statesOf.delete(item.projectId.toLowerCase());
        throw error;
      });
      const shown = read(wire.PatchedWorkItem, answer, request).state;
      if (shown?.toLowerCase() === state) return;
      throw new PlaneUnavailable(
        `asked for state ${state}, but the answer shows ${shown !== null && isUuid(shown) ? shown : 'none'}: Plane did not take it.`,
        {
          method: request.method,
          path: request.path,
          status: answer.status,
          writeMayHaveApplied: true,
        },
      );
    },

    async comment(item, { html, externalId }, { signal } = {}) {
      const path = itemPath(item, 'comments');
      const request: PlaneRequest = {
        method: 'POST',
        path,
        body: { comment_html: html, external_source: EXTERNAL_SOURCE, external_id: externalId },
        conflictIsGood: true,
        signal,
      };
      if (externalId.trim() === '' || externalId.length > MAX_EXTERNAL_ID) {
        throw new PlaneRejected(
          `an external id must have 1 to ${MAX_EXTERNAL_ID} characters, got ${externalId.length}.`,
          {
            method: 'POST',
            path,
            status: null,
            writeMayHaveApplied: false,
          },
        );
      }
      return comments(`${item.projectId} ${externalId}`, async () => {
        const answer = await ask(request);
        return { id: read(wire.CommentReference, answer, request).id, created: answer.status !== 409 };
      });
    },

    close: () => transport.close(),
  };
}

const badOption = (what: string): PlaneMisconfigured =>
  new PlaneMisconfigured(`${what}.`, { method: 'GET', path: '/', status: null, writeMayHaveApplied: false });

/** Many runs that begin at once ask once for what all of them need, and share what comes of it. */
function sharedCalls<T>(): (key: string, ask: () => Promise<T>) => Promise<T> {
  const going = new Map<string, Promise<T>>();
  return (key, ask) => {
    const call = going.get(key) ?? ask().finally(() => going.delete(key));
    going.set(key, call);
    return call;
  };
}
