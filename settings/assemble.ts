import { normaliseRepo } from '../decisions/index.ts';
import { deepFreeze, frozenMap } from './freeze.ts';
import { repository } from './repositories.ts';
import type { Described } from './repository-file.ts';
import type { Values } from './schema.ts';
import { scopeOf } from './scopes.ts';
import type { Settings } from './types.ts';

/** Corrections of one work item leave this to the writes of runs, also where another worker begins one at the same moment. */
const KEPT_BY_CORRECTIONS = 10;

/** The settings that checked values come to, deeply frozen. */
export function assemble(
  values: Values,
  described: readonly Described[],
  { ca, secrets, warnings }: { readonly ca: string | null } & Pick<Settings, 'secrets' | 'warnings'>,
): Settings {
  const selfHostingRepo = values.ORCH_SELF_HOSTING_REPO;
  return deepFreeze({
    database: {
      url: values.DATABASE_URL,
      tls: values.ORCH_DATABASE_TLS,
      ca,
      poolSize: values.ORCH_DATABASE_POOL_SIZE,
      lockPoolSize: values.ORCH_DATABASE_LOCK_POOL_SIZE,
      statementTimeoutMs: values.ORCH_DATABASE_STATEMENT_TIMEOUT_SECONDS,
    },
    plane: {
      url: values.ORCH_PLANE_URL,
      apiKey: values.ORCH_PLANE_API_KEY,
      workspace: values.ORCH_PLANE_WORKSPACE,
      project: values.ORCH_PLANE_PROJECT,
      keep: {
        correction: Math.min(KEPT_BY_CORRECTIONS, values.ORCH_SWEEP_KEEP_REQUESTS),
        sweep: values.ORCH_SWEEP_KEEP_REQUESTS,
      },
      states: {
        awaitingDeploy: values.ORCH_PLANE_STATE_AWAITING_DEPLOY,
        deploying: values.ORCH_PLANE_STATE_DEPLOYING,
        monitoring: values.ORCH_PLANE_STATE_MONITORING,
        done: values.ORCH_PLANE_STATE_DONE,
        degraded: values.ORCH_PLANE_STATE_DEGRADED,
      },
    },
    selfHostingRepo,
    guard: scopeOf('guard', values, described),
    postDeploy: scopeOf('watch', values, described),
    settleMs: values.ORCH_STATUS_SETTLE_SECONDS,
    planeWebhook:
      values.ORCH_PLANE_WEBHOOK_PORT === null || values.ORCH_PLANE_WEBHOOK_SECRET === null
        ? null
        : {
            host: values.ORCH_PLANE_WEBHOOK_HOST,
            port: values.ORCH_PLANE_WEBHOOK_PORT,
            secret: values.ORCH_PLANE_WEBHOOK_SECRET,
          },
    sweep: { everyMs: values.ORCH_SWEEP_SECONDS },
    approval: {
      required: values.ORCH_APPROVAL === 'required',
      timeoutMs: values.ORCH_APPROVAL_TIMEOUT_SECONDS,
    },
    artefactsDir: values.ORCH_ARTEFACTS_DIR,
    alertWebhookUrl: values.ORCH_ALERT_WEBHOOK_URL,
    worker: {
      taskQueue: values.ORCH_TASK_QUEUE,
      logLevel: values.ORCH_LOG_LEVEL,
      shutdownMs: values.ORCH_SHUTDOWN_SECONDS,
      outageMs: values.ORCH_TEMPORAL_OUTAGE_SECONDS,
    },
    repositories: frozenMap(described.map((one) => [normaliseRepo(one.name), repository(one, values)])),
    secrets,
    warnings,
  });
}
