/** What a handler is asked and what it answers, with the bodies that Plane gives verbatim. */
import type { Project, User, Workspace } from './model.ts';
import type { World } from './world.ts';

export interface Answer {
  readonly status: number;
  /** JSON value; undefined is no body. */
  readonly body: unknown;
  /** True where something was written. */
  readonly applied: boolean;
}

export interface Call {
  readonly world: World;
  readonly method: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
  readonly user: User;
  readonly workspace: Workspace;
  readonly project: Project;
  /** Waited for between the load and the save of a write: the window of Plane's races (recordings 600, 601 and 603). */
  readonly midway: () => Promise<void>;
  /** Whether the background worker will hear of the write; false while the message broker is down (621). */
  readonly jobsLost: boolean;
  /** How old the rows of a GET are, ms: a lagging read replica. */
  readonly lagMs: number;
}

export type Handler = (call: Call) => Answer | Promise<Answer>;

export const answer = (status: number, body: unknown): Answer => ({ status, body, applied: false });
export const written = (status: number, body: unknown): Answer => ({ status, body, applied: true });

export const UNAUTHENTICATED = answer(401, { detail: 'Authentication credentials were not provided.' });
export const INVALID_KEY = answer(403, { detail: 'Given API token is not valid' });
export const FORBIDDEN = answer(403, { detail: 'You do not have permission to perform this action.' });
export const NOT_FOUND = answer(404, { error: 'The requested resource does not exist.' });
export const UNKNOWN_ROUTE = answer(404, { error: 'Page not found.' });
export const NOT_ACCEPTABLE = answer(406, { detail: 'Could not satisfy the request Accept header.' });
export const RATE_LIMITED = answer(429, { error_code: 5900, error_message: 'RATE_LIMIT_EXCEEDED' });
export const SERVER_ERROR = answer(500, { error: 'Something went wrong please try again later' });
export const INVALID_PAYLOAD = answer(400, { error: 'The payload is not valid' });
export const NOT_SIMULATED = answer(501, { error: 'The simulated Plane does not do this.' });
