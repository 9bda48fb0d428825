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
  if (!URL.canParse(url) || !/^postgres(ql)?:$/.test(new URL(url).protocol)) {
    throw new Error('The database URL must be like postgres://user:password@host:5432/database');
  }
  if (tls === undefined) return { connectionString: url };
  const bare = new URL(url);
  for (const name of TLS_PARAMETERS) bare.searchParams.delete(name);
  return { connectionString: bare.href, ssl: sslOption(tls) };
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
