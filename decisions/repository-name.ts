/** A repository's name: it becomes a part of workflow ids and of the folders of artefacts. */
export const REPOSITORY_PATTERN = /^(?!.*(\.\.|\/\/|\/$))[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/;

/** Why a text names no repository, as a sentence; `null`: it does. */
export const repositoryFault = (repo: string): string | null =>
  REPOSITORY_PATTERN.test(repo)
    ? null
    : `repo must begin with a letter or digit and go on with letters, digits and . _ - / (at most 200 characters, no .. and no // in it, no / at its end), got ${JSON.stringify(repo.slice(0, 80))}`;

/** Names of repositories are compared trimmed and case-folded (design, invariant 2). Total: what is no text has no name. */
export const normaliseRepo = (repo: unknown): string => (typeof repo === 'string' ? repo.trim().toLowerCase() : '');

/** Whether two names mean the same repository. An empty name means none, so it is never the same as anything. */
export const sameRepo = (a: unknown, b: unknown): boolean => {
  const name = normaliseRepo(a);
  return name !== '' && name === normaliseRepo(b);
};
