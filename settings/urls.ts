import { z } from 'zod';
import { namesSeveralHosts, postgresUrlOf } from '../adapters/postgres/connection.ts';
import { holdsCredentials } from './faults.ts';
import { type Kind, listOf } from './kinds.ts';

const urlOf = (given: string): URL | null => (URL.canParse(given) ? new URL(given) : null);

const hint = (given: unknown): string | null => {
  if (typeof given !== 'string') return null;
  if (holdsCredentials(given)) return 'without a user and a password: send those in a header';
  return /^[\w.-]+(:\d+)?(\/|$)/.test(given) ? `write http://${given.slice(0, 80)}` : null;
};

const web = (accepts: string, more: (url: URL) => boolean): Kind<string> => ({
  accepts,
  schema: z.string().refine((given) => {
    const url = urlOf(given);
    if (url === null || !/^https?:\/\//i.test(given) || /\s/.test(given)) return false;
    return url.hostname !== '' && url.username === '' && url.password === '' && more(url);
  }),
  fromText: (given) => given,
  hint,
});

export const httpUrl = web('an http(s) URL', () => true);

/** The address of a server, to which paths are added. */
export const baseUrl = web('an http(s) URL without a query', ({ search, hash }) => search === '' && hash === '');

export const httpUrls = listOf(httpUrl, 'http(s) URLs, separated by commas');

/** A part of a password would be taken for the host, the database or a parameter, and shown: `@` stands before the host alone. */
const endsBeforeHost = ({ pathname, search, hash }: URL): boolean => !/[@#]/.test(pathname + search + hash);

export const postgresUrl: Kind<string> = {
  accepts: 'like postgres://user:password@host:5432/database (@ / ? # in a password as %40 %2F %3F %23)',
  schema: z.string().refine((given) => {
    const url = postgresUrlOf(given);
    return url === null ? namesSeveralHosts(given) : endsBeforeHost(url); // several hosts have a fault of their own
  }),
  fromText: (given) => given,
  hint: () => null,
};

const PLAIN_POSTGRES =
  /^(postgres(?:ql)?:\/\/)(?:[^\s/?#@]*@)?((?:[\w.-]+|\[[\da-f:.]+\])?(?::\d{1,5})?(?:\/[\w.-]*)?)(?:\?[^@]*)?$/i;

/** Where a database is, without user, password and parameters; `***` where that cannot be told from a password. */
export function maskedPostgresUrl(given: string): string {
  const [, scheme, place] = PLAIN_POSTGRES.exec(given) ?? [];
  return scheme === undefined || place === undefined ? '***' : `${scheme}***@${place}`;
}
