import { normaliseRepo, sameRepo } from './repository-name.ts';
import { field, items } from './total.ts';

/** Where a behaviour is switched on: its kill-switch and its list of repositories. */
export interface Scope {
  /** The kill-switch. Anything but `true` is off. */
  readonly enabled: boolean;
  /** Repositories it applies to; empty means the self-hosting repository only. */
  readonly repos: readonly string[];
  /** The orchestrator's own repository. */
  readonly selfHostingRepo: string;
}

/**
 * Whether a behaviour (the guard, the post-deploy window) applies to a repository (FR-2 flags, ORCH-021 conditional).
 * Pure and total: never throws. A scope that cannot be read is off, and a list that names no repository is empty.
 */
export function applies(scope: Scope, repo: string): boolean {
  if (field(scope, 'enabled') !== true) return false;
  const listed = items(field(scope, 'repos')).filter((name) => normaliseRepo(name) !== '');
  return listed.length === 0
    ? sameRepo(field(scope, 'selfHostingRepo'), repo)
    : listed.some((name) => sameRepo(name, repo));
}
