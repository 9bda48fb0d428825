/**
 * What names a version: git SHAs, semantic versions with build metadata, image references with tag and digest, dates. Nothing
 * that a shell, a URL, a file path or the options of a program could take for something else.
 */
export const VERSION_PATTERN = /^[A-Za-z0-9](?!.*\.\.)[A-Za-z0-9._\-+/:@=]{0,199}$/;

/** Why a text names no version, as a sentence; `null`: it does. */
export const versionFault = (version: string): string | null =>
  VERSION_PATTERN.test(version)
    ? null
    : `version must begin with a letter or digit and go on with letters, digits and . _ - + / : @ = (at most 200 characters, and no ..), got ${JSON.stringify(version.slice(0, 80))}`;
