/** Which path is which resource, what it allows, and who may. `issues` is the older name of `work-items`, with the same views. */
import { type Handler, NOT_SIMULATED } from './answer.ts';
import { changeComment, createComment, deleteComment, listComments, readComment } from './comments.ts';
import {
  createProject,
  listActivities,
  listMembers,
  listProjects,
  readActivity,
  readMe,
  readProject,
} from './projects.ts';
import { changeState, createState, deleteState, listStates, readState } from './states.ts';
import {
  changeWorkItem,
  createWorkItem,
  deleteWorkItem,
  listWorkItems,
  readByKey,
  readWorkItem,
  searchWorkItems,
} from './work-items.ts';

/**
 * Who may: `anyone` with a key; a member of the `workspace`; of the `project`, where guests only read; or of the project for
 * `everything`, guests included.
 */
export type Access = 'anyone' | 'workspace' | 'project' | 'everything';

export interface Route {
  readonly pattern: RegExp;
  readonly access: Access;
  /** In the order of the `Allow` header. */
  readonly methods: Readonly<Record<string, Handler>>;
}

export interface RouteMatch {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const PROJECT = `/api/v1/workspaces/:slug/projects/:project`;
const ITEM = `${PROJECT}/:alias/:item`;

const ROUTES: readonly Route[] = [
  route('/api/v1/users/me/', 'anyone', { GET: readMe }),
  route('/api/v1/workspaces/:slug/projects/', 'workspace', { GET: listProjects, POST: createProject }),
  route(`${PROJECT}/`, 'project', { GET: readProject, PATCH: () => NOT_SIMULATED, DELETE: () => NOT_SIMULATED }),
  route(`${PROJECT}/members/`, 'project', { GET: listMembers, POST: () => NOT_SIMULATED }),
  route(`${PROJECT}/states/`, 'project', { GET: listStates, POST: createState }),
  route(`${PROJECT}/states/:state/`, 'project', { GET: readState, PATCH: changeState, DELETE: deleteState }),
  route('/api/v1/workspaces/:slug/:alias/search/', 'workspace', { GET: searchWorkItems }),
  route('/api/v1/workspaces/:slug/:alias/:identifier-:number/', 'project', { GET: readByKey }),
  route(`${PROJECT}/:alias/`, 'project', { GET: listWorkItems, POST: createWorkItem }),
  route(`${ITEM}/`, 'project', { GET: readWorkItem, PATCH: changeWorkItem, DELETE: deleteWorkItem }),
  route(`${ITEM}/comments/`, 'everything', { GET: listComments, POST: createComment }),
  route(`${ITEM}/comments/:comment/`, 'everything', { GET: readComment, PATCH: changeComment, DELETE: deleteComment }),
  route(`${ITEM}/activities/`, 'project', { GET: listActivities }),
  route(`${ITEM}/activities/:activity/`, 'project', { GET: readActivity }),
];

export function matchRoute(path: string): RouteMatch | null {
  for (const candidate of ROUTES) {
    const match = candidate.pattern.exec(path);
    if (match !== null) return { route: candidate, params: match.groups ?? {} };
  }
  return null;
}

/** `:slug`, `:identifier` and `:number` are any text, `:alias` either name of work items, all others lower-case uuids. */
function route(template: string, access: Access, methods: Readonly<Record<string, Handler>>): Route {
  const source = template.replace(/:(\w+)/g, (_whole, name: string) => {
    if (name === 'alias') return '(?:work-items|issues)';
    return `(?<${name}>${['slug', 'identifier', 'number'].includes(name) ? '[^/]+' : UUID})`;
  });
  return { pattern: new RegExp(`^${source}$`), access, methods };
}
