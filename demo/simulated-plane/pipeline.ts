/**
 * One API request, in the order in which Plane's framework looks at it: route, Accept, key, permission, rate limit, method, body,
 * handler. The order decides which refusals carry which headers (recordings 300 to 407).
 */
import {
  type Answer,
  answer,
  type Call,
  FORBIDDEN,
  INVALID_KEY,
  NOT_ACCEPTABLE,
  RATE_LIMITED,
  UNAUTHENTICATED,
  UNKNOWN_ROUTE,
} from './answer.ts';
import type { Project, Workspace } from './model.ts';
import { parseLikePython } from './python-json.ts';
import { type Access, matchRoute, type RouteMatch } from './routes.ts';
import type { Throttle } from './throttle.ts';
import { userById, type World } from './world.ts';

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly raw: string;
}

/** What a fault changes about the handling. */
export type Handling = Pick<Call, 'midway' | 'jobsLost' | 'lagMs'> & { readonly ignoreState: boolean };

export interface Outcome {
  readonly answer: Answer;
  readonly headers: Readonly<Record<string, string>>;
  /** Display name of the key's user, once known. */
  readonly by: string | null;
}

export async function handleApi(
  world: World,
  throttle: Throttle,
  request: ApiRequest,
  handling: Handling,
): Promise<Outcome> {
  const match = matchRoute(request.path);
  if (match === null) return unrouted(request);
  const allow = { allow: Object.keys(match.route.methods).join(', ') };
  const refuse = (refusal: Answer, more: Record<string, string> = {}): Outcome => ({
    answer: refusal,
    headers: { ...allow, ...more },
    by: null,
  });

  const accept = request.headers['accept'] ?? '*/*';
  if (!/\*\/\*|application\/(?:\*|json)/.test(accept)) return refuse(NOT_ACCEPTABLE, { vary: 'Cookie, origin' });

  const token = request.headers['x-api-key']?.trim() ?? '';
  if (token === '') return refuse(UNAUTHENTICATED, { vary: 'origin' });
  const key = world.tables.keys.find((candidate) => candidate.token === token);
  if (key === undefined || key.state !== 'valid') return refuse(INVALID_KEY, { vary: 'origin' });
  const user = userById(world, key.userId);

  const scope = scopeOf(world, match);
  if (!mayEnter(world, match.route.access, request.method, user.id, scope)) {
    return { ...refuse(FORBIDDEN), by: user.display_name };
  }
  const admitted = throttle.admit(token, key.service);
  if (admitted !== 'off' && 'retryAfter' in admitted) {
    return { ...refuse(RATE_LIMITED, { 'retry-after': String(admitted.retryAfter) }), by: user.display_name };
  }
  const limits: Record<string, string> =
    admitted === 'off'
      ? {}
      : { 'x-ratelimit-remaining': String(admitted.remaining), 'x-ratelimit-reset': String(admitted.resetAt) };
  const headers = { ...allow, ...limits };

  const handler = match.route.methods[request.method];
  if (handler === undefined) {
    return {
      answer: answer(405, { detail: `Method "${request.method}" not allowed.` }),
      headers,
      by: user.display_name,
    };
  }
  const input = bodyOf(request);
  if ('refusal' in input) return { answer: input.refusal, headers, by: user.display_name };
  const body = handling.ignoreState ? withoutState(input.body) : input.body;
  const { method, query } = request;
  const given = await handler({ world, method, params: match.params, query, body, user, ...scope, ...handling });
  return { answer: given, headers, by: user.display_name };
}

/** Without its trailing slash a path that exists answers 301 with a relative Location, for every method (060, 061). */
function unrouted({ path, query }: ApiRequest): Outcome {
  if (matchRoute(`${path}/`) === null) return { answer: UNKNOWN_ROUTE, headers: {}, by: null };
  const search = query.size > 0 ? `?${query}` : '';
  return { answer: answer(301, undefined), headers: { location: `${path}/${search}` }, by: null };
}

const NO_WORKSPACE: Workspace = { id: '', slug: '', name: '' };
const NO_PROJECT: Project = {
  id: '',
  identifier: '',
  name: '',
  workspaceId: '',
  logo: { name: '', color: '' },
  createdAt: '',
  createdBy: '',
  lastSequence: 0,
};

function scopeOf(world: World, { params }: RouteMatch): { workspace: Workspace; project: Project } {
  const workspace = world.tables.workspaces.find(({ slug }) => slug === params['slug']) ?? NO_WORKSPACE;
  const project = world.tables.projects.find(
    ({ id, identifier, workspaceId }) =>
      workspaceId === workspace.id && (id === params['project'] || identifier === params['identifier']),
  );
  return { workspace, project: project ?? NO_PROJECT };
}

/** What does not exist is refused like what one may not see (30d to 310). */
function mayEnter(
  world: World,
  access: Access,
  method: string,
  userId: string,
  { workspace, project }: { workspace: Workspace; project: Project },
): boolean {
  if (access === 'anyone') return true;
  if (access === 'workspace') {
    return world.tables.workspaceMembers.some(
      (member) => member.workspaceId === workspace.id && member.userId === userId,
    );
  }
  const role = world.tables.projectMembers.find(
    (member) => member.projectId === project.id && member.userId === userId,
  )?.role;
  if (role === undefined) return false;
  return access === 'everything' || role >= 15 || ['GET', 'HEAD', 'OPTIONS'].includes(method);
}

function bodyOf({ method, headers, raw }: ApiRequest): { body: Record<string, unknown> } | { refusal: Answer } {
  if (method === 'GET' || method === 'DELETE' || raw === '') return { body: {} };
  const type = (headers['content-type'] ?? '').split(';', 1).join('').trim();
  if (type === 'application/x-www-form-urlencoded') return { body: Object.fromEntries(new URLSearchParams(raw)) };
  if (type !== 'application/json') {
    return { refusal: answer(415, { detail: `Unsupported media type "${type}" in request.` }) };
  }
  const parsed = parseLikePython(raw);
  if ('fault' in parsed) return { refusal: answer(400, { detail: `JSON parse error - ${parsed.fault}` }) };
  const { value } = parsed;
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return { body: Object.fromEntries(Object.entries(value)) };
  return {
    refusal: answer(400, { non_field_errors: [`Invalid data. Expected a dictionary, but got ${pythonType(value)}.`] }),
  };
}

function pythonType(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  return 'NoneType';
}

const withoutState = (body: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(body).filter(([key]) => key !== 'state'));
