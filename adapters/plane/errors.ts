/**
 * What can go wrong between us and Plane, as one small family: callers branch on the class and on `writeMayHaveApplied`.
 *
 * Sources: the recorded answers of Plane CE 1.3.1 (test/adapters/plane/recordings) and its source. A 500 after the commit,
 * a reset after it, and some 400s after it were all seen, so "it failed" never means "it was not written".
 */

/** Facts of one failed call. `path` carries no query; nothing in here ever carries the API key. */
export interface PlaneFailure {
  readonly method: string;
  readonly path: string;
  /** HTTP status, or null where no answer came (or no request was made). */
  readonly status: number | null;
  /** True where Plane may have stored the write although the call failed: read back before writing again. */
  readonly writeMayHaveApplied: boolean;
  readonly cause?: unknown;
}

/** Common part of the family. Never thrown itself. */
export abstract class PlaneError extends Error {
  readonly method: string;
  readonly path: string;
  readonly status: number | null;
  readonly writeMayHaveApplied: boolean;

  constructor(what: string, failure: PlaneFailure) {
    const doubt = failure.writeMayHaveApplied
      ? ' The write may have been applied: read it back before writing again.'
      : '';
    super(
      `${failure.method} ${failure.path}: ${what}${doubt}`,
      failure.cause === undefined ? undefined : { cause: failure.cause },
    );
    this.name = new.target.name;
    this.method = failure.method;
    this.path = failure.path;
    this.status = failure.status;
    this.writeMayHaveApplied = failure.writeMayHaveApplied;
  }
}

/** The API key is missing, wrong, expired or revoked (401, or Plane's 403 "Given API token is not valid"). Nothing was written. */
export class PlaneUnauthorized extends PlaneError {}

/** The key is good, but not for this: no membership, a guest's write, or a project or workspace that does not exist (403). */
export class PlaneForbidden extends PlaneError {}

/** The work item, state or project is not there: unknown, deleted or archived (404), or its name cannot be one. */
export class PlaneNotFound extends PlaneError {}

/** Plane's own rate limit (429, 60 a minute for each key by default). Never applied: the same call is safe after `retryAfterMs`. */
export class PlaneRateLimited extends PlaneError {
  /** How long Plane asked to wait, ms, within 1 000..3 600 000; 60 000 where it did not say. */
  readonly retryAfterMs: number;

  constructor(what: string, failure: PlaneFailure, retryAfterMs: number) {
    super(what, failure);
    this.retryAfterMs = retryAfterMs;
  }
}

/** What answered is not the Plane API that this client speaks: a redirect, a web page, an unknown route. A matter of settings. */
export class PlaneMisconfigured extends PlaneError {}

/** Plane understood and refused (400, 413, 415 ...). The same request will be refused again. */
export class PlaneRejected extends PlaneError {}

/** The project has no state of that name. */
export class PlaneUnknownState extends PlaneError {}

/** Several states of the project answer to that name, and none of them exactly. */
export class PlaneAmbiguousState extends PlaneError {}

/** No usable answer: 5xx, refused, reset, timed out, damaged, or an answer that contradicts the request. Worth another try. */
export class PlaneUnavailable extends PlaneError {}
