import type { DemoOptions } from '../options.ts';
import { REPO, SELF_HOSTING_REPO } from './repositories-file.ts';
import type { Timing } from './timing.ts';
import type { DemoTracker } from './tracker.ts';

export const TASK_QUEUE = 'deploy-to-done';

/** How long the worker drains after SIGTERM. */
export const SHUTDOWN_SECONDS = 3;

export interface WorkerEnvironmentInput {
  readonly options: DemoOptions;
  readonly timing: Timing;
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  /** A file with an empty profile: the user's own is not for this server. */
  readonly temporalConfig: string;
  readonly tracker: DemoTracker;
  /** Where the worker meets Plane. */
  readonly planeUrl: string;
  readonly repositoriesFile: string;
  readonly artefacts: string;
  readonly alertUrl: string;
  /** Where the worker listens for the events of Plane; `null`: nowhere. */
  readonly webhook: { readonly port: number; readonly secret: string } | null;
}

/** The whole environment of the worker, and of `d2d` beside it: nothing else is inherited. Holds secrets. */
export function workerEnvironment(input: WorkerEnvironmentInput): Record<string, string> {
  const { options, timing, tracker } = input;
  const { PATH = '', HOME = '', TMPDIR } = process.env;
  return {
    PATH,
    HOME,
    ...(TMPDIR === undefined ? {} : { TMPDIR }),
    DATABASE_URL: input.databaseUrl,
    TEMPORAL_ADDRESS: input.temporalAddress,
    TEMPORAL_NAMESPACE: 'default',
    TEMPORAL_CONFIG_FILE: input.temporalConfig,
    ORCH_PLANE_URL: input.planeUrl,
    ORCH_PLANE_API_KEY: tracker.apiKey,
    ORCH_PLANE_WORKSPACE: tracker.workspace,
    ORCH_PLANE_PROJECT: tracker.project,
    ORCH_SELF_HOSTING_REPO: SELF_HOSTING_REPO,
    ORCH_REPOSITORIES_FILE: input.repositoriesFile,
    ORCH_ARTEFACTS_DIR: input.artefacts,
    ORCH_DEPLOY_STATUS_GUARD_ENABLED: options.guard === 'on' ? 'true' : 'false',
    ORCH_DEPLOY_STATUS_GUARD_REPOS: REPO,
    ORCH_POST_DEPLOY_REPOS: REPO,
    ORCH_APPROVAL: 'required',
    ORCH_ALERT_WEBHOOK_URL: input.alertUrl,
    ORCH_TASK_QUEUE: TASK_QUEUE,
    ORCH_SHUTDOWN_SECONDS: String(SHUTDOWN_SECONDS),
    ...(input.webhook === null
      ? {}
      : { ORCH_PLANE_WEBHOOK_PORT: String(input.webhook.port), ORCH_PLANE_WEBHOOK_SECRET: input.webhook.secret }),
    ...(options.scenario === 'flap' && input.webhook === null
      ? { ORCH_SWEEP_SECONDS: String(timing.sweepSeconds) }
      : {}),
    ...(timing.settleSeconds === null ? {} : { ORCH_STATUS_SETTLE_SECONDS: String(timing.settleSeconds) }),
  };
}
