/** What a simulated Plane begins with. */
import { addMember, addProject, addState, addWorkItem } from './changes.ts';
import type { Group, Role, User } from './model.ts';
import { need, stateByName, type World } from './world.ts';

export interface UserSeed {
  readonly displayName: string;
  /** Their API key; without one they only appear. */
  readonly key?: string;
  /** Role in every project, or null for a member of the workspace alone. */
  readonly role: Role | null;
}

export interface ProjectSeed {
  /** The part of a key before the number: `ORCH`. */
  readonly identifier: string;
  readonly name: string;
  /** Besides the five that every project has. */
  readonly states?: readonly { readonly name: string; readonly group: Group; readonly color: string }[];
  readonly workItems?: readonly {
    readonly name: string;
    /** Default: the next one. */
    readonly number?: number;
    /** A state's name; default Backlog. */
    readonly state?: string;
    readonly priority?: string;
    readonly archived?: boolean;
  }[];
}

export interface PlaneSeed {
  /** Slug of the workspace. */
  readonly workspace: string;
  /** The first one owns everything. */
  readonly users: readonly UserSeed[];
  readonly projects: readonly ProjectSeed[];
}

/** The key of the deploy bot in the default seed. It opens nothing but the simulator. */
export const DEFAULT_API_KEY = 'plane_api_simulated';

export const DEPLOY_STATES = [
  { name: 'Awaiting Deploy', group: 'started', color: '#F59E0B' },
  { name: 'Deploying', group: 'started', color: '#3B82F6' },
  { name: 'Monitoring after Deploy', group: 'started', color: '#8B5CF6' },
] as const;

export const DEFAULT_SEED: PlaneSeed = {
  workspace: 'acme',
  users: [
    { displayName: 'deploy-bot', key: DEFAULT_API_KEY, role: 20 },
    { displayName: 'human', role: 20 },
    { displayName: 'guest', role: 5 },
  ],
  projects: [
    {
      identifier: 'ORCH',
      name: 'Orchestrator',
      states: DEPLOY_STATES,
      workItems: [
        { name: 'Move task logs to object storage' },
        { name: 'Zażółć — "quoted" & <tagged>', state: 'Todo' },
        { name: 'Retry webhooks with jitter', state: 'In Progress', priority: 'high' },
        { name: 'Drop the legacy scheduler', state: 'Done', archived: true },
        { name: 'Deploy status guard', number: 61, state: 'In Progress', priority: 'urgent' },
      ],
    },
    {
      identifier: 'OPS',
      name: 'Operations',
      states: DEPLOY_STATES,
      workItems: [{ name: 'Rotate certificates', state: 'Todo' }],
    },
  ],
};

/** Puts a seed into a world; what is there already stays. */
export function plant(world: World, seed: PlaneSeed): void {
  const workspace = {
    id: world.uuid(),
    slug: seed.workspace,
    name: seed.workspace.replace(/^./, (first) => first.toUpperCase()),
  };
  world.tables.workspaces.push(workspace);
  const people = seed.users.map((given) => {
    const user = addUser(world, given.displayName);
    world.tables.workspaceMembers.push({ workspaceId: workspace.id, userId: user.id });
    if (given.key !== undefined)
      world.tables.keys.push({ token: given.key, userId: user.id, state: 'valid', service: false });
    return { user, role: given.role };
  });
  const owner = need(people[0], 'first user in the seed').user;
  for (const given of seed.projects) {
    const project = addProject(world, workspace, owner, given);
    for (const { user, role } of people) if (role !== null) addMember(world, project, user, role);
    for (const state of given.states ?? []) addState(world, project, owner, state, false);
    for (const { name, number, state, priority, archived } of given.workItems ?? []) {
      const item = addWorkItem(world, project, owner, {
        name,
        ...(number === undefined ? {} : { sequence_id: number }),
        ...(state === undefined ? {} : { state: stateByName(world, project.id, state).id }),
        ...(priority === undefined ? {} : { priority }),
      });
      if (archived === true) item.archived_at = item.created_at.slice(0, 10);
    }
  }
}

export function addUser(world: World, displayName: string): User {
  const user: User = {
    id: world.uuid(),
    first_name: displayName.replace(/^./, (first) => first.toUpperCase()),
    last_name: '',
    email: `${displayName}@acme.test`,
    avatar: '',
    avatar_url: null,
    display_name: displayName,
  };
  world.tables.users.push(user);
  return user;
}
