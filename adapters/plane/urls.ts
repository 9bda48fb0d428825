/**
 * Every URL of the client is built here, always with the trailing slash: without it Plane answers 301 (recording 061), and a
 * client that follows it turns the PATCH into a GET that answers 200 and writes nothing.
 */
import { PlaneMisconfigured } from './errors.ts';

export interface PlaneEndpoint {
  /** Scheme, host and port, for the connection pool. */
  readonly origin: string;
  /** The path of one resource: segments below `/api/v1/`, each escaped. */
  path(segments: readonly string[], query?: Readonly<Record<string, string>>): string;
}

const refuse = (why: string): PlaneMisconfigured =>
  new PlaneMisconfigured(
    `the Plane URL ${why}. Give the address of the server itself, such as https://plane.example.org (its API is expected below /api/v1/).`,
    { method: 'GET', path: '/', status: null, writeMayHaveApplied: false },
  );

/**
 * Reads the base URL. A base path is kept; a trailing `/api/v1` is taken off, because documentation shows it both ways.
 * @throws PlaneMisconfigured where it is not a plain http(s) URL. The value is not repeated: it may hold a password.
 */
export function planeEndpoint(url: string): PlaneEndpoint {
  if (!URL.canParse(url.trim())) throw refuse('is not a URL');
  const base = new URL(url.trim());
  if (base.protocol !== 'http:' && base.protocol !== 'https:') throw refuse('must begin with http:// or https://');
  if (base.username !== '' || base.password !== '') throw refuse('must not carry a user or password');
  if (base.search !== '' || base.hash !== '') throw refuse('must not have a query or fragment');
  const prefix = base.pathname.replace(/\/+$/, '').replace(/\/api\/v1$/, '');
  return {
    origin: base.origin,
    path(segments, query) {
      const path = `${prefix}/api/v1/${segments.map(encodeURIComponent).join('/')}/`;
      return query === undefined ? path : `${path}?${new URLSearchParams(query)}`;
    },
  };
}
