import { applies } from '../decisions/index.ts';
import type { Settings } from './types.ts';

/** What the settings come to for one repository. */
export interface RepositoryInForce {
  readonly repo: string;
  readonly watched: boolean;
  readonly guarded: boolean;
  readonly approval: 'required' | 'none';
  /** What a degradation in its window leads to. */
  readonly action: 'alert' | 'rollback';
  readonly windowSeconds: number;
}

/** Whether each repository is watched and guarded, by the lists and its own keys together. */
export const repositoriesInForce = ({ repositories, postDeploy, guard }: Settings): RepositoryInForce[] =>
  [...repositories.values()].map(({ name, approval, window }) => ({
    repo: name,
    watched: applies(postDeploy, name),
    guarded: applies(guard, name),
    approval: approval.required ? 'required' : 'none',
    action: window.action,
    windowSeconds: window.windowMs / 1_000,
  }));
