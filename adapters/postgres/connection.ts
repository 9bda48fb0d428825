import type { ClientConfig } from 'pg';

/** Where Postgres is. */
export interface PostgresAddress {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string;
  /** Left out: what the URL says. Given: it decides alone, and everything that the URL says about TLS is dropped. */
  readonly tls?: PostgresTls | undefined;
}

export interface PostgresTls {
  /**
   * `require`: encrypted, whoever the server is; with a `ca` its certificate is checked, but not its host name (as libpq does).
   * `verify-full`: certificate and host name are checked.
   */
  readonly mode: 'disable' | 'require' | 'verify-full';
  /** Certificates of the authorities that are trusted, PEM text. Default: those that Node trusts. */
  readonly ca?: string | undefined;
}

/** The settings' way to say it: `from-url` leaves it to the URL. */
export const postgresTls = ({
  tls,
  ca,
}: {
  readonly tls: 'from-url' | PostgresTls['mode'];
  readonly ca: string | null;
}): PostgresTls | undefined => (tls === 'from-url' ? undefined : { mode: tls, ...(ca === null ? {} : { ca }) });

/** In `pg` the URL outranks the options beside it, so these have to go from it. */
const TLS_PARAMETERS = ['ssl', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'sslnegotiation', 'uselibpqcompat'];

/**
 * What `pg` needs to connect.
 * @throws where the URL is none; the message does not repeat it, as it holds the password.
 */
export function connectionConfig({ url, tls }: PostgresAddress): Pick<ClientConfig, 'connectionString' | 'ssl'> {
  const parsed = postgresUrlOf(url);
  if (parsed === null) throw new Error('The database URL must be like postgres://user:password@host:5432/database');
  const [base = '', query = ''] = url.split('?', 2);
  const parameters = new URLSearchParams(query);
  if (tls === undefined && !isSocket(parsed)) {
    if (!parameters.has('sslmode')) return { connectionString: url };
    // As libpq means it: `pg` alone checks the certificate in every mode.
    parameters.set('uselibpqcompat', 'true');
    if (parameters.get('sslrootcert') === 'system') {
      parameters.delete('sslrootcert'); // Node's own; libpq then takes no weaker mode
      parameters.set('sslmode', 'verify-full');
    }
    return { connectionString: `${base}?${parameters}` };
  }
  for (const name of TLS_PARAMETERS) parameters.delete(name);
  const ssl = tls === undefined || isSocket(parsed) ? false : sslOption(tls);
  return { connectionString: parameters.size === 0 ? base : `${base}?${parameters}`, ssl };
}

/** Whether a URL leads to a Unix socket, which nobody can listen to on its way: libpq never encrypts there. */
const isSocket = ({ hostname, searchParams }: URL): boolean => /^(\/|%2f)/i.test(searchParams.get('host') ?? hostname);

/** Whether a URL names several hosts, as libpq takes them, with their ports or without. */
export function namesSeveralHosts(text: string): boolean {
  const [, authority = '', rest = ''] = /^postgres(?:ql)?:\/\/([^/?#]*)(.*)/is.exec(text) ?? [];
  if (rest.includes('@')) return false; // a password that is not encoded: nobody knows where the host begins
  const host = new URLSearchParams(rest.split('?')[1]).get('host') ?? '';
  return [authority.split('@').at(-1) ?? '', host].some((hosts) => hosts.includes(','));
}

/** A URL of a database; `null`: it is none. The host may be left out before `?host=`, the folder of a Unix socket, as libpq has it. */
export function postgresUrlOf(text: string): URL | null {
  if (!/^postgres(ql)?:\/\//i.test(text)) return null;
  const whole = /\?(.*&)?host=/.test(text) ? text.replace(/^([^/]*\/\/[^/@]*@)\//, '$1localhost/') : text;
  return URL.canParse(whole) ? new URL(whole) : null;
}

function sslOption({ mode, ca }: PostgresTls): NonNullable<ClientConfig['ssl']> {
  const trusted = ca === undefined ? {} : { ca };
  switch (mode) {
    case 'disable':
      return false;
    case 'require':
      return ca === undefined ? { rejectUnauthorized: false } : { ca, checkServerIdentity: () => undefined };
    case 'verify-full':
      return { rejectUnauthorized: true, ...trusted };
    default:
      return mode satisfies never;
  }
}
