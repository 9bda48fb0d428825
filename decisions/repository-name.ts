/** Names of repositories are compared trimmed and case-folded (design, invariant 2). Total: what is no text has no name. */
export const normaliseRepo = (repo: unknown): string => (typeof repo === 'string' ? repo.trim().toLowerCase() : '');

/** Whether two names mean the same repository. An empty name means none, so it is never the same as anything. */
export const sameRepo = (a: unknown, b: unknown): boolean => {
  const name = normaliseRepo(a);
  return name !== '' && name === normaliseRepo(b);
};
