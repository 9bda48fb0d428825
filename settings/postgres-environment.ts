import { postgresUrlOf } from '../adapters/postgres/connection.ts';
import type { Env } from './environment.ts';
import { quote } from './faults.ts';
import type { Values } from './schema.ts';

/** What the driver of Postgres takes from the environment where the URL does not say it: the parameter of a URL that says the same. */
const PARAMETERS: Readonly<Record<string, string>> = {
  PGHOST: 'host',
  PGPORT: 'port',
  PGDATABASE: 'dbname',
  PGSSLMODE: 'sslmode',
  PGSSLNEGOTIATION: 'sslnegotiation',
  PGOPTIONS: 'options',
  PGREPLICATION: 'replication',
  PGCLIENT_ENCODING: 'client_encoding',
  PGBINARY: 'binary',
};

/**
 * Variables of the environment that would change the connection beside the URL, such as its encryption or what its sessions do.
 * Who connects may come from there (PGUSER, PGPASSWORD, PGPASSFILE): without them there is no connection at all.
 */
export function checkPostgresEnvironment(env: Env, values: Partial<Values>, fault: (message: string) => void): void {
  const { DATABASE_URL: text, ORCH_DATABASE_TLS: tls } = values;
  const url = text === undefined ? null : postgresUrlOf(text);
  if (url === null) return;
  const said = (parameter: string): boolean => {
    if (url.searchParams.has(parameter)) return true;
    if (parameter === 'host') return url.hostname !== '';
    if (parameter === 'port') return url.port !== '';
    if (parameter === 'dbname') return url.pathname.length > 1;
    return parameter === 'sslmode' && (tls !== 'from-url' || url.searchParams.has('ssl'));
  };
  for (const [name, parameter] of Object.entries(PARAMETERS)) {
    const value = env[name] ?? '';
    if (value === '' || said(parameter)) continue;
    if ((name === 'PGPORT' && value === '5432') || (name === 'PGSSLMODE' && value === 'disable')) continue;
    const instead =
      name === 'PGSSLMODE' ? 'ORCH_DATABASE_TLS, or sslmode in DATABASE_URL' : `${parameter} in DATABASE_URL`;
    fault(
      `${name} must not be set, got ${quote(value)}: it would change the connection where DATABASE_URL says nothing; set ${instead}`,
    );
  }
}
