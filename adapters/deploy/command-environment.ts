import type { CommandConfig, DeployOperation } from './driver.ts';

/**
 * What a command needs to run and to reach the network (docs/deploy-drivers.md). Anything else, the worker's keys and
 * passwords among it, must be configured.
 */
const INHERITED =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|SSL_CERT_FILE|SSL_CERT_DIR|SSH_AUTH_SOCK)$/;

/** Programs disagree about the case of these. */
const PROXY = /^(HTTP|HTTPS|ALL|NO)_PROXY$/i;

type Environment = Readonly<Record<string, string | undefined>>;

/** The variables of the worker that a command gets. `passEnv`: names of further ones. Never throws. */
const inheritedEnvironment = (environment: Environment, passEnv: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value !== undefined && (INHERITED.test(name) || PROXY.test(name) || passEnv.includes(name))
        ? [[name, value]]
        : [],
    ),
  );

/** The whole environment of a command. A version that is not known is empty. */
export const commandEnvironment = (
  environment: Environment,
  { env, passEnv = [] }: Pick<CommandConfig, 'env' | 'passEnv'>,
  { kind, operationId, repo, workItem, version, previousVersion }: DeployOperation,
): Record<string, string> => ({
  ...inheritedEnvironment(environment, passEnv),
  ...env,
  D2D_OPERATION: kind,
  D2D_OPERATION_ID: operationId,
  D2D_REPO: repo,
  D2D_WORK_ITEM: workItem,
  D2D_VERSION: version ?? '',
  ...(kind === 'rollback' ? { D2D_PREVIOUS_VERSION: previousVersion ?? '' } : {}),
});

/** What of the environment of a command may be a secret: what is configured, and a proxy's URL with a password. */
export function secretsOfCommand(
  environment: Environment,
  { env, passEnv = [] }: Pick<CommandConfig, 'env' | 'passEnv'>,
): string[] {
  return Object.entries({ ...environment, ...env }).flatMap(([name, value = '']) => {
    if (INHERITED.test(name)) return []; // a path or a language
    const secret = PROXY.test(name) ? value.includes('@') : Object.hasOwn(env, name) || passEnv.includes(name);
    return secret ? [value] : [];
  });
}
