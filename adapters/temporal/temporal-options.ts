import { readFileSync } from 'node:fs';
import { type ClientConnectConfig, loadClientConfig, loadClientConnectConfig } from '@temporalio/envconfig';

/** Temporal's own environment variables and whatever else is in the environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Command-line options: each outranks its environment variable. */
export interface TemporalOverrides {
  readonly address?: string | undefined;
  readonly namespace?: string | undefined;
  readonly profile?: string | undefined;
  readonly configFile?: string | undefined;
}

export interface TemporalOptions {
  /** For `Connection.connect` and for `NativeConnection.connect`. */
  readonly connectionOptions: ClientConnectConfig['connectionOptions'] & { readonly address: string };
  readonly namespace: string;
  /** `host:port`, for messages. */
  readonly address: string;
  /** What was given and is ignored, one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Where Temporal is, by its standard environment variables and config file (`@temporalio/envconfig`); default
 * `localhost:7233`, namespace `default`.
 * @throws on what the library would silently pass over: a config file or profile that was named and is not there, a switch that is
 * neither true nor false, an address that is none, a certificate that cannot be read.
 */
export function temporalOptions(environment: Environment, overrides: TemporalOverrides = {}): TemporalOptions {
  const env = effective(environment, overrides);
  for (const name of SWITCHES) assertSwitch(name, env[name]);
  const file = namedFile(env.TEMPORAL_CONFIG_FILE);
  const { connectionOptions, namespace = 'default' } = load(env);
  const address = connectionOptions.address ?? 'localhost:7233';
  if (!/^(\[[^\]]+\]|[^\s/:[\]]+)(:\d{1,5})?$/.test(address)) {
    throw new Error(`TEMPORAL_ADDRESS must be host:port without a scheme, got "${address}"`);
  }
  return { connectionOptions: { ...connectionOptions, address }, namespace, address, warnings: warnings(env, file) };
}

type Effective = Record<string, string> & {
  readonly TEMPORAL_CONFIG_FILE?: string;
  readonly TEMPORAL_PROFILE?: string;
};

const SWITCHES = ['TEMPORAL_TLS', 'TEMPORAL_TLS_DISABLE_HOST_VERIFICATION'];

/** Empty means not set, as in every shell script; but an empty TEMPORAL_GRPC_META_* takes a header away. */
function effective(
  environment: Environment,
  { address, namespace, profile, configFile }: TemporalOverrides,
): Effective {
  const given = {
    ...environment,
    ...(address === undefined ? {} : { TEMPORAL_ADDRESS: address }),
    ...(namespace === undefined ? {} : { TEMPORAL_NAMESPACE: namespace }),
    ...(profile === undefined ? {} : { TEMPORAL_PROFILE: profile }),
    ...(configFile === undefined ? {} : { TEMPORAL_CONFIG_FILE: configFile }),
  };
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined && (value !== '' || name.startsWith('TEMPORAL_GRPC_META_'))) env[name] = value;
  }
  return env;
}

/** The library reads everything but `1` and `true` as false: `TEMPORAL_TLS=yes` would be a connection in clear text. */
function assertSwitch(name: string, value: string | undefined): void {
  if (value === undefined || ['1', '0', 'true', 'false'].includes(value)) return;
  throw new Error(`${name} must be true or false, got "${value}"`);
}

function namedFile(path: string | undefined): string | null {
  if (path === undefined) return null;
  const file = `The Temporal config file "${path}" (TEMPORAL_CONFIG_FILE)`;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Error(`${file} cannot be read: correct the path or unset it`, { cause });
  }
  if (text.trim() === '') throw new Error(`${file} is empty: describe [profile.default] in it, or unset it`);
  return text;
}

function load(env: Effective): ClientConnectConfig {
  try {
    return loadClientConnectConfig({ overrideEnvVars: env });
  } catch (cause) {
    const { TEMPORAL_PROFILE: profile, TEMPORAL_CONFIG_FILE: path = 'in its standard place' } = env;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      profile !== undefined && message.includes('not found in config data')
        ? `The Temporal profile "${profile}" (TEMPORAL_PROFILE) is not in the config file (${path}): correct its name or unset it`
        : `The Temporal configuration (${path}) cannot be loaded: ${message.split('\n', 1)[0]}`,
      { cause },
    );
  }
}

function warnings(env: Effective, file: string | null): string[] {
  const found: string[] = [];
  const ignored = ['TEMPORAL_TLS_DISABLE_HOST_VERIFICATION', 'TEMPORAL_CODEC_ENDPOINT', 'TEMPORAL_CODEC_AUTH'];
  for (const name of ignored) {
    if (env[name] !== undefined) found.push(`${name} is ignored: the TypeScript SDK does not act on it.`);
  }
  if (file !== null && /^\s*\[profile\.[^\]]+\.codec\]/m.test(file)) {
    found.push('The codec in the Temporal config file is ignored: the TypeScript SDK does not act on it.');
  }
  try {
    loadClientConfig({ overrideEnvVars: env, configFileStrict: true });
  } catch (error) {
    const message = error instanceof Error ? error.message.replace(/^Validation error: /, '') : String(error);
    found.push(`The Temporal config file says more than the TypeScript SDK acts on: ${message}.`);
  }
  return found;
}
