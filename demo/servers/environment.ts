/**
 * Keeps programs off what the environment says of other servers, where theirs are on this machine: gRPC sends even what goes to
 * 127.0.0.1 through a proxy, and the driver of Postgres reads PGSSLMODE, PGOPTIONS and their like beside any URL.
 */
export function keepToLocalServers(env: NodeJS.ProcessEnv): void {
  const direct = [env['no_proxy'] ?? env['NO_PROXY'], '127.0.0.1', 'localhost'].filter(Boolean).join(',');
  Object.assign(env, { no_proxy: direct, NO_PROXY: direct, no_grpc_proxy: direct });
  for (const name of Object.keys(env)) if (name.startsWith('PG')) delete env[name];
}
