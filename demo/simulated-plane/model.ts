/**
 * The simulated Plane's tables. Rows of what the API shows are kept in the API's own shape and key order, so that rendering is a
 * copy; what it does not show (keys, memberships, the record of state changes) has shapes of its own.
 */

export type Group = 'backlog' | 'unstarted' | 'started' | 'completed' | 'cancelled';
/** Plane's project roles: guest 5, member 15, admin 20. */
export type Role = 5 | 15 | 20;

export interface User {
  id: string;
  first_name: string;
  last_name: string;
  email: string;
  avatar: string;
  avatar_url: null;
  display_name: string;
}

export interface Workspace {
  id: string;
  slug: string;
  name: string;
}

export interface ApiKey {
  token: string;
  userId: string;
  /** `valid`, or refused as Plane refuses expired and revoked ones: alike. */
  state: 'valid' | 'expired' | 'revoked';
  /** A service key has a rate limit of its own, five times the normal one. */
  service: boolean;
}

export interface Project {
  id: string;
  identifier: string;
  name: string;
  workspaceId: string;
  logo: { name: string; color: string };
  createdAt: string;
  createdBy: string;
  lastSequence: number;
}

export interface State {
  id: string;
  created_at: string;
  updated_at: string;
  deleted_at: null;
  name: string;
  description: string;
  color: string;
  slug: string;
  sequence: number;
  group: Group;
  is_triage: boolean;
  default: boolean;
  external_source: string | null;
  external_id: string | null;
  created_by: string;
  updated_by: string | null;
  project: string;
  workspace: string;
}

export interface WorkItem {
  id: string;
  type_id: null;
  created_at: string;
  updated_at: string;
  deleted_at: null;
  point: null;
  name: string;
  description_html: string;
  description_binary: null;
  priority: string;
  start_date: string | null;
  target_date: string | null;
  sequence_id: number;
  sort_order: number;
  completed_at: string | null;
  archived_at: string | null;
  is_draft: boolean;
  external_source: string | null;
  external_id: string | null;
  created_by: string;
  updated_by: string | null;
  project: string;
  workspace: string;
  parent: string | null;
  state: string;
  estimate_point: null;
  type: null;
  assignees: string[];
  labels: string[];
}

export interface Comment {
  id: string;
  created_at: string;
  updated_at: string;
  deleted_at: null;
  comment_html: string;
  attachments: never[];
  access: string;
  external_source: string | null;
  external_id: string | null;
  edited_at: null;
  created_by: string;
  updated_by: string | null;
  project: string;
  workspace: string;
  description: string;
  issue: string;
  actor: string;
  parent: null;
}

export interface Activity {
  id: string;
  created_at: string;
  updated_at: string;
  deleted_at: null;
  verb: string;
  field: string | null;
  old_value: string | null;
  new_value: string | null;
  comment: string;
  attachments: never[];
  old_identifier: string | null;
  new_identifier: string | null;
  epoch: number;
  project: string;
  workspace: string;
  issue: string;
  issue_comment: null;
  actor: string;
}

/** One applied change of a work item's state: what the board really showed, whoever made it. */
export interface StatusChange {
  workItemId: string;
  /** Epoch ms. */
  at: number;
  /** Names of the states at that time. */
  from: string;
  to: string;
  /** Display name of who made it. */
  by: string;
}

export interface Tables {
  workspaces: Workspace[];
  users: User[];
  /** Members of workspaces and of projects. */
  workspaceMembers: { workspaceId: string; userId: string }[];
  projectMembers: { projectId: string; userId: string; role: Role }[];
  keys: ApiKey[];
  projects: Project[];
  states: State[];
  workItems: WorkItem[];
  comments: Comment[];
  activities: Activity[];
  statusChanges: StatusChange[];
}

export const emptyTables = (): Tables => ({
  workspaces: [],
  users: [],
  workspaceMembers: [],
  projectMembers: [],
  keys: [],
  projects: [],
  states: [],
  workItems: [],
  comments: [],
  activities: [],
  statusChanges: [],
});
