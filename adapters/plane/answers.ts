/** What one of Plane's answers means: its JSON, or the error of the family that it stands for. */
import { parseJson } from '../http/json.ts';
import { retryAfter } from '../http/retry-after.ts';
import {
  type PlaneError,
  type PlaneFailure,
  PlaneForbidden,
  PlaneMisconfigured,
  PlaneNotFound,
  PlaneRateLimited,
  PlaneRejected,
  PlaneUnauthorized,
  PlaneUnavailable,
} from './errors.ts';
import { type PlaneAnswer, type PlaneRequest, shownPath } from './transport.ts';

/** 400s that Plane's views give for any exception inside, also after the commit (seen upstream in #5252 and #7505). */
const AMBIGUOUS_400 = new Set([
  'The payload is not valid',
  'Please provide valid detail',
  'The required key does not exist.',
]);
const INVALID_KEY = 'Given API token is not valid';
const UNKNOWN_ROUTE = 'Page not found.';
const SHOWN_CHARACTERS = 300;
const DEFAULT_RETRY_AFTER_MS = 60_000;
const MAX_RETRY_AFTER_MS = 3_600_000;

/** An answer that was taken for good: JSON, status 2xx, or the 409 that a request expects. */
export interface GoodAnswer {
  readonly status: number;
  readonly json: unknown;
}

/**
 * Sorts an answer.
 * @throws one of the family of errors.ts for everything that is not good.
 */
export function judge(
  request: PlaneRequest,
  answer: PlaneAnswer,
  apiKey: string,
  now: number = Date.now(),
): GoodAnswer {
  const json = isHtml(answer) ? undefined : parseJson(answer.text);
  const good =
    (answer.status >= 200 && answer.status < 300) || (answer.status === 409 && request.conflictIsGood === true);
  if (good && json !== undefined) return { status: answer.status, json };
  throw asError(request, answer, json, apiKey, now);
}

function asError(request: PlaneRequest, answer: PlaneAnswer, json: unknown, apiKey: string, now: number): PlaneError {
  const { status } = answer;
  const isWrite = request.method !== 'GET';
  const failure = (writeMayHaveApplied: boolean): PlaneFailure => ({
    method: request.method,
    path: shownPath(request.path),
    status,
    writeMayHaveApplied,
  });
  const text =
    answer.unreadable === undefined ? shorten(answer.text, apiKey) : `(its body cannot be read: ${answer.unreadable})`;
  const said = `Plane answered ${status} ${text}.`;
  const web = isHtml(answer);

  if (status >= 300 && status < 400) {
    const target = shorten(shownPath(answer.location ?? '?'), apiKey);
    return new PlaneMisconfigured(
      `answered ${status}, a redirect to ${target}, which is never followed. Set the Plane URL to the address of the API itself (scheme, host, base path).`,
      failure(false),
    );
  }
  if (status === 429) {
    const waitMs = pauseMs(answer.retryAfter, now);
    return new PlaneRateLimited(`${said} Try again in ${Math.ceil(waitMs / 1000)} s.`, failure(false), waitMs);
  }
  if (status >= 500 || status === 408) return new PlaneUnavailable(said, failure(isWrite));
  if (status === 409 || status === 425) return new PlaneUnavailable(said, failure(false));
  if (web && status !== 413) {
    return new PlaneMisconfigured(
      `answered ${status} with a web page instead of JSON. The Plane URL leads to the web app, a login page or a proxy, not to the API.`,
      failure(false),
    );
  }
  if (status < 300)
    return new PlaneUnavailable(`answered ${status}, but not with whole JSON: ${text}.`, failure(isWrite));
  switch (status) {
    case 401:
      return new PlaneUnauthorized(`${said} Check the API key.`, failure(false));
    case 403:
      return field(json, 'detail') === INVALID_KEY
        ? new PlaneUnauthorized(`${said} The API key is wrong, expired or revoked: give a valid one.`, failure(false))
        : new PlaneForbidden(
            `${said} The key's user is not a member who may do this, or the project or workspace does not exist.`,
            failure(false),
          );
    case 404:
      return field(json, 'error') !== null && field(json, 'error') !== UNKNOWN_ROUTE
        ? new PlaneNotFound(`${said} It is unknown, deleted or archived.`, failure(false))
        : new PlaneMisconfigured(
            `${said} No such route: the Plane URL is wrong, or the server is older than 1.3.`,
            failure(false),
          );
    case 405:
      return new PlaneMisconfigured(
        `${said} This server does not know the call: it is older than 1.3.`,
        failure(false),
      );
    default: {
      const doubtful = status === 400 && AMBIGUOUS_400.has(field(json, 'error') ?? '');
      return new PlaneRejected(`${said} The same request will be refused again.`, failure(isWrite && doubtful));
    }
  }
}

/** `Retry-After` in ms: whole seconds (Plane) or an HTTP date (a proxy before it), within 1 s and 1 h. */
const pauseMs = (value: string | null, now: number): number =>
  Math.min(Math.max(retryAfter(value, now) ?? DEFAULT_RETRY_AFTER_MS, 1000), MAX_RETRY_AFTER_MS);

const isHtml = ({ contentType, text }: PlaneAnswer): boolean =>
  /\bhtml\b/i.test(contentType) || (!/\bjson\b/i.test(contentType) && /^\s*</.test(text));

function field(json: unknown, name: string): string | null {
  if (typeof json !== 'object' || json === null) return null;
  const value: unknown = Object.getOwnPropertyDescriptor(json, name)?.value;
  return typeof value === 'string' ? value : null;
}

/** One line of at most 300 characters; should a page echo the key, it is struck out. */
export function shorten(text: string, apiKey: string): string {
  const line = text.replaceAll(apiKey, '[key]').replace(/\s+/g, ' ').trim();
  if (line === '') return '(empty)';
  return line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}…` : line;
}
