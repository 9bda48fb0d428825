/** What tests and the demo do to a simulated Plane from outside its API: people, time, faults; and what they look at. */
import { createdRow, updateRows } from './activity-rows.ts';
import { addMember, addProject, addState, addWorkItem, announce, removeWorkItem, saveWorkItem } from './changes.ts';
import { type StatusChangeView, statusHistory, type WorkItemView, workItemView } from './control-views.ts';
import type { FaultRule, Faults, HeldRequest } from './faults.ts';
import { emptyTables, type Group, type Role, type State } from './model.ts';
import type { LoggedRequest } from './request-log.ts';
import { addUser, type PlaneSeed, plant } from './seed.ts';
import type { Throttle } from './throttle.ts';
import type { Webhook } from './webhooks.ts';
import { keyOf, need, projectByIdentifier, stateByName, userById, type World, workItemByKey } from './world.ts';

/** All names of people are display names, of states names, of projects identifiers, of work items keys such as ORCH-61. */
export interface Control {
  /** Empties everything, faults and log too, and plants a seed. */
  reset(seed: PlaneSeed): void;
  addProject(project: { identifier: string; name: string; workspace: string; owner: string }): { id: string };
  addState(project: string, state: { name: string; group: Group; color?: string }): { id: string };
  addWorkItem(item: {
    project: string;
    name: string;
    state?: string;
    number?: number;
    priority?: string;
  }): WorkItemView;
  /** `workspaces`: slugs; a slug that is not there is made. */
  addUser(user: { displayName: string; workspaces: readonly string[] }): { id: string };
  addMember(project: string, displayName: string, role: Role): void;
  addKey(key: { token: string; displayName: string; state?: 'valid' | 'expired' | 'revoked'; service?: boolean }): void;
  /** The key answers 403 from now on. */
  revokeKey(token: string): void;
  restoreKey(token: string): void;

  /** @throws where there is none; archived ones are found. */
  workItem(key: string): WorkItemView;
  /** Every applied change of its state, oldest first; a write of the same state again is none. */
  statusHistory(key: string): StatusChangeView[];
  /** Every request to the API since the start or `clearRequests()`. */
  requests(): LoggedRequest[];
  clearRequests(): void;

  /** A person moves the item in the web app (default by `human`). */
  uiSetState(key: string, state: string, by?: string): void;
  uiRename(key: string, name: string, by?: string): void;
  archive(key: string): void;
  deleteWorkItem(key: string): void;
  renameState(project: string, from: string, to: string): void;
  /** Also one in use: its items go to the default state. */
  deleteState(project: string, name: string): void;

  fault(rule: FaultRule): void;
  clearFaults(): void;
  /** Requests that a `hold` fault has stopped, oldest first. */
  held(): HeldRequest[];
  whenHeld(count: number): Promise<void>;
  /** Lets the oldest held go on (default all); says how many. */
  release(count?: number): number;

  /** Requests per key and window (default 60 in 60 000 ms); null switches the limit off. Counting starts anew. */
  setRateLimit(limit: number | null, windowMs?: number): void;
  /** Where events go from now on; `null`: nowhere. */
  setWebhook(webhook: Webhook | null): void;
  /** Stops Plane's background worker: activity rows wait. */
  holdJobs(): void;
  resumeJobs(): void;
  /** Does at once what the background worker has to do. */
  settleJobs(): void;
  /** Ends all connections and refuses new ones, for so long or until `acceptConnections()`. */
  refuseConnections(ms?: number): Promise<void>;
  acceptConnections(): Promise<void>;
}

export interface ControlDeps {
  readonly world: World;
  readonly throttle: Throttle;
  readonly faults: Faults;
  readonly log: LoggedRequest[];
  readonly refuseConnections: (ms?: number) => Promise<void>;
  readonly acceptConnections: () => Promise<void>;
}

const DEFAULT_WINDOW_MS = 60_000;
const PERSON = 'human';

export function createControl({
  world,
  throttle,
  faults,
  log,
  refuseConnections,
  acceptConnections,
}: ControlDeps): Control {
  const person = (displayName: string) =>
    need(
      world.tables.users.find((user) => user.display_name === displayName),
      `user ${displayName}`,
    );
  const keyRow = (token: string) =>
    need(
      world.tables.keys.find((key) => key.token === token),
      'such API key',
    );

  /** A change in the web app is saved and announced like any other. */
  function change(key: string, values: { state: string } | { name: string }, by: string): void {
    const item = workItemByKey(world, key);
    const loaded = { ...item };
    const user = person(by);
    const epoch = Math.floor(world.clock() / 1000);
    saveWorkItem(world, item, { ...item, ...values }, loaded, user);
    announce(world, item, () => updateRows(world, loaded, values, user, epoch), 'web app');
  }

  const view = (key: string): WorkItemView => workItemView(world, key);

  return {
    reset(seed) {
      world.tables = emptyTables();
      world.versions.length = 0;
      faults.clear();
      log.length = 0;
      plant(world, seed);
    },
    addProject({ workspace, owner, ...given }) {
      const space = need(
        world.tables.workspaces.find(({ slug }) => slug === workspace),
        `workspace ${workspace}`,
      );
      return { id: addProject(world, space, person(owner), given).id };
    },
    addState(project, { color = '#60646C', ...given }) {
      const row = projectByIdentifier(world, project);
      return { id: addState(world, row, userById(world, row.createdBy), { ...given, color }, false).id };
    },
    addWorkItem({ project, name, state, number, priority }) {
      const row = projectByIdentifier(world, project);
      const by = userById(world, row.createdBy);
      const item = addWorkItem(world, row, by, {
        name,
        ...(state === undefined ? {} : { state: stateByName(world, row.id, state).id }),
        ...(number === undefined ? {} : { sequence_id: number }),
        ...(priority === undefined ? {} : { priority }),
      });
      const epoch = Math.floor(world.clock() / 1000);
      announce(world, item, () => [createdRow(world, item, by, epoch)]);
      return view(keyOf(world, item));
    },
    addUser({ displayName, workspaces }) {
      const user = addUser(world, displayName);
      for (const slug of workspaces) {
        let workspace = world.tables.workspaces.find((candidate) => candidate.slug === slug);
        if (workspace === undefined) {
          workspace = { id: world.uuid(), slug, name: slug };
          world.tables.workspaces.push(workspace);
        }
        world.tables.workspaceMembers.push({ workspaceId: workspace.id, userId: user.id });
      }
      return { id: user.id };
    },
    addMember: (project, displayName, role) =>
      addMember(world, projectByIdentifier(world, project), person(displayName), role),
    addKey({ token, displayName, state = 'valid', service = false }) {
      world.tables.keys.push({ token, userId: person(displayName).id, state, service });
    },
    revokeKey(token) {
      keyRow(token).state = 'revoked';
    },
    restoreKey(token) {
      keyRow(token).state = 'valid';
    },

    workItem: view,
    statusHistory: (key) => statusHistory(world, key),
    requests: () => log.map((entry) => ({ ...entry })),
    clearRequests() {
      log.length = 0;
    },

    uiSetState: (key, state, by = PERSON) =>
      change(key, { state: stateByName(world, workItemByKey(world, key).project, state).id }, by),
    uiRename: (key, name, by = PERSON) => change(key, { name }, by),
    archive(key) {
      workItemByKey(world, key).archived_at = world.now().slice(0, 10);
    },
    deleteWorkItem: (key) => removeWorkItem(world, workItemByKey(world, key)),
    renameState(project, from, to) {
      stateByName(world, projectByIdentifier(world, project).id, from).name = to;
    },
    deleteState(project, name) {
      const gone = stateByName(world, projectByIdentifier(world, project).id, name);
      const fallback = need(
        world.tables.states.find((state: State) => state.project === gone.project && state.default && state !== gone),
        `other default state in ${project}`,
      );
      for (const item of world.tables.workItems) if (item.state === gone.id) item.state = fallback.id;
      world.tables.states = world.tables.states.filter((state) => state !== gone);
    },

    fault: (rule) => faults.add(rule),
    clearFaults: () => faults.clear(),
    held: () => faults.held(),
    whenHeld: (count) => faults.whenHeld(count),
    release: (count = Number.POSITIVE_INFINITY) => faults.release(count),

    setWebhook(webhook) {
      world.webhook = webhook;
    },
    setRateLimit: (limit, windowMs = DEFAULT_WINDOW_MS) => throttle.setLimit(limit, windowMs),
    holdJobs: () => world.jobs.hold(),
    resumeJobs: () => world.jobs.resume(),
    settleJobs: () => world.jobs.settle(),
    refuseConnections,
    acceptConnections,
  };
}
