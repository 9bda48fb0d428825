import { namesSeveralHosts, postgresUrlOf } from '../adapters/postgres/connection.ts';
import { sameRepo } from '../decisions/index.ts';
import { quote } from './faults.ts';
import { didYouMean } from './nearest.ts';
import type { Values } from './schema.ts';
import { windowFaults } from './window.ts';
import { givenTimes } from './window-policy.ts';

type Tell = (message: string) => void;

/** Plane takes two states for the same whatever the case of their names. */
const sameName = (a: string | null | undefined, b: string | null | undefined): boolean =>
  a != null && a.toLowerCase() === b?.toLowerCase();

/** Rules between the variables alone. */
export function checkShared(values: Partial<Values>, fault: Tell): void {
  windowFaults(givenTimes(values, null)).forEach(fault);

  const { ORCH_DATABASE_TLS: tls, ORCH_DATABASE_CA_FILE: ca } = values;
  if (typeof ca === 'string' && (tls === 'from-url' || tls === 'disable')) {
    fault(
      `ORCH_DATABASE_CA_FILE must not be set with ORCH_DATABASE_TLS=${tls}, which does not use it: set require or verify-full`,
    );
  }

  if (typeof values.DATABASE_URL === 'string') checkDatabaseUrl(values.DATABASE_URL, tls, fault);

  const { ORCH_PLANE_WEBHOOK_PORT: port, ORCH_PLANE_WEBHOOK_SECRET: secret } = values;
  if (typeof port === 'number' && secret === null)
    fault('ORCH_PLANE_WEBHOOK_SECRET must be set with ORCH_PLANE_WEBHOOK_PORT: without it anybody could send events');

  const states = [
    'ORCH_PLANE_STATE_AWAITING_DEPLOY',
    'ORCH_PLANE_STATE_DEPLOYING',
    'ORCH_PLANE_STATE_MONITORING',
    'ORCH_PLANE_STATE_DONE',
    'ORCH_PLANE_STATE_DEGRADED',
  ] as const;
  for (const [index, later] of states.entries()) {
    const name = values[later];
    const earlier = states.slice(0, index).find((state) => sameName(values[state], name));
    if (earlier !== undefined) fault(`${later} must not be the same state as ${earlier}, got ${quote(name)}`);
  }
}

/** What libpq takes and is not kept here. */
function checkDatabaseUrl(url: string, tls: Values['ORCH_DATABASE_TLS'] | undefined, fault: Tell): void {
  const parsed = postgresUrlOf(url);
  const mode = parsed?.searchParams.get('sslmode') ?? '';
  if (tls === 'from-url' && ['prefer', 'allow'].includes(mode))
    fault(
      `DATABASE_URL must not say sslmode=${mode}, by which a connection may be in clear: set ORCH_DATABASE_TLS=require (encrypted), or disable`,
    );
  if (namesSeveralHosts(url))
    fault(
      'DATABASE_URL must name one host: the driver supports neither a list of hosts nor target_session_attrs. Give a DNS name, virtual IP or proxy that always leads to the server that takes writes',
    );
}

/** What a status write needs to stand for good (docs/status-protocol.md): whoever gives that up is told. */
export function checkLastWord(values: Partial<Values>, warn: Tell): void {
  if (values.ORCH_DEPLOY_STATUS_GUARD_ENABLED !== true) return;
  const {
    ORCH_STATUS_SETTLE_SECONDS: settleMs = 0,
    ORCH_SWEEP_SECONDS: sweepMs,
    ORCH_PLANE_WEBHOOK_PORT: port,
  } = values;
  if (settleMs < 60_000)
    warn(
      `ORCH_STATUS_SETTLE_SECONDS is ${settleMs / 1_000}: a write that is on its way may be stored after its status was read back; 60 or more outlast it`,
    );
  if (sweepMs === 0 && port === null)
    warn(
      'ORCH_SWEEP_SECONDS is 0 and ORCH_PLANE_WEBHOOK_PORT is not set: what somebody else brings back in Plane is corrected by nobody',
    );
}

/** Names in the lists of repositories that nothing describes: most are typing errors. */
export function checkLists(values: Partial<Values>, known: readonly string[], warn: Tell): void {
  for (const list of ['ORCH_DEPLOY_STATUS_GUARD_REPOS', 'ORCH_POST_DEPLOY_REPOS'] as const) {
    for (const name of values[list] ?? []) {
      if (known.some((repo) => sameRepo(repo, name))) continue;
      warn(`${list} names ${quote(name)}, which no settings describe${didYouMean(name, known)}`);
    }
  }
}
