import { applies, type Scope, sameRepo } from '../decisions/index.ts';
import type { Described } from './repository-file.ts';
import type { Values } from './schema.ts';

/** What is switched on for each repository: by a list in the environment, or by a key in the repositories file. */
export const SWITCHES = {
  watch: { enabled: 'ORCH_POST_DEPLOY_ENABLED', list: 'ORCH_POST_DEPLOY_REPOS' },
  guard: { enabled: 'ORCH_DEPLOY_STATUS_GUARD_ENABLED', list: 'ORCH_DEPLOY_STATUS_GUARD_REPOS' },
} as const;

export type Switch = keyof typeof SWITCHES;

/** Whether a list of the environment holds a repository; an empty list holds the self-hosting one. */
export const isListed = (repos: readonly string[], selfHostingRepo: string, name: string): boolean =>
  applies({ enabled: true, repos, selfHostingRepo }, name);

/** Where the windows or the guard apply. A key of the repositories file adds a repository to the list, or takes it off. */
export function scopeOf(key: Switch, values: Values, described: readonly Described[]): Scope {
  const { ORCH_SELF_HOSTING_REPO: selfHostingRepo } = values;
  const { enabled, list } = SWITCHES[key];
  const listed = values[list].length > 0 ? values[list] : [selfHostingRepo];
  const keyOf = (name: string) => described.find((one) => sameRepo(one.name, name))?.entry[key];
  const added = described.filter(
    ({ name, entry }) => entry[key] === true && !isListed(values[list], selfHostingRepo, name),
  );
  const repos = [...listed.filter((name) => keyOf(name) !== false), ...added.map(({ name }) => name)];
  // Without a name in it, the list would mean the self-hosting repository.
  return { enabled: values[enabled] && repos.length > 0, repos, selfHostingRepo };
}
