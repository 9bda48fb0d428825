import type { DeployOperation } from './driver.ts';

/** What a command needs to run at all. Anything else (the worker's keys and passwords among it) must be configured. */
const INHERITED = /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR)$/;

type Environment = Readonly<Record<string, string | undefined>>;

/** Never throws. */
export const inheritedEnvironment = (environment: Environment): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value !== undefined && INHERITED.test(name) ? [[name, value]] : [],
    ),
  );

/** The whole environment of a command. A version that is not known is empty. */
export const commandEnvironment = (
  environment: Environment,
  configured: Readonly<Record<string, string>>,
  { kind, operationId, repo, workItem, version, previousVersion }: DeployOperation,
): Record<string, string> => ({
  ...inheritedEnvironment(environment),
  ...configured,
  D2D_OPERATION: kind,
  D2D_OPERATION_ID: operationId,
  D2D_REPO: repo,
  D2D_WORK_ITEM: workItem,
  D2D_VERSION: version ?? '',
  ...(kind === 'rollback' ? { D2D_PREVIOUS_VERSION: previousVersion ?? '' } : {}),
});
