import { count, flag, type Kind, line, listOf, oneOf, path, repoName, seconds, slug, token } from './kinds.ts';
import { baseUrl, httpUrl, httpUrls, maskedPostgresUrl, postgresUrl } from './urls.ts';
import { derived, optional, required, secret, type Variable, withDefault } from './variable.ts';
import { approvalRule, approvalTimeout, windowKinds } from './window-kinds.ts';

const repos: Kind<readonly string[]> = {
  ...listOf(repoName, 'names of repositories, separated by commas'),
  hint: (given) => (/["'*[\]]/.test(String(given)) ? 'write shop,cart: no quotes, brackets or *' : null),
};

/** Every variable, by the sections in which `.env.example` and the documentation show them. */
const sections = {
  'Database (Postgres)': {
    DATABASE_URL: secret(
      required(postgresUrl, 'The database that holds the tasks, with user and password.'),
      maskedPostgresUrl,
    ),
    ORCH_DATABASE_TLS: withDefault(
      oneOf('from-url', 'disable', 'require', 'verify-full'),
      'from-url',
      'How the connection is encrypted. from-url: as the URL says, by the rules of libpq; require: encrypted, whoever the server is (with a CA file its certificate is checked); verify-full: certificate and host name are checked.',
    ),
    ORCH_DATABASE_CA_FILE: optional(path, 'File of PEM certificates to trust, for require and verify-full.'),
    ORCH_DATABASE_POOL_SIZE: withDefault(count(1, 200), '10', 'Connections for statements, at most.'),
    ORCH_DATABASE_LOCK_POOL_SIZE: withDefault(
      count(1, 200),
      '10',
      'Connections for locks, at most: each work item whose status is being set needs one of its own.',
    ),
    ORCH_DATABASE_STATEMENT_TIMEOUT_SECONDS: withDefault(seconds(0.1, 60), '5', 'Longest time of one statement.'),
  },
  Plane: {
    ORCH_PLANE_URL: required(baseUrl, 'The Plane server itself, such as https://plane.example.org.'),
    ORCH_PLANE_API_KEY: secret(required(token, 'API key of the bot that sets the statuses.')),
    ORCH_PLANE_WORKSPACE: required(slug, 'Slug of the workspace, as in the addresses of Plane.'),
    ORCH_PLANE_PROJECT: required(
      slug,
      'UUID or identifier (the PROJ of PROJ-123) of the project of every repository that names none of its own.',
    ),
    ORCH_PLANE_STATE_AWAITING_DEPLOY: withDefault(line, 'Awaiting Deploy', 'Name of the state before a deploy.'),
    ORCH_PLANE_STATE_DEPLOYING: withDefault(line, 'Deploying', 'Name of the state during a deploy.'),
    ORCH_PLANE_STATE_MONITORING: withDefault(
      line,
      'Monitoring after Deploy',
      'Name of the state while a post-deploy window is open.',
    ),
    ORCH_PLANE_STATE_DONE: withDefault(line, 'Done', 'Name of the state in which the work is done.'),
    ORCH_PLANE_STATE_DEGRADED: optional(
      line,
      'Name of the state for work whose deploy left production degraded, or was rolled back. Unset: it shows Done after a window, and its previous state after a failed health check. Any group of Plane works; started keeps it among unfinished work.',
    ),
  },
  Repositories: {
    ORCH_SELF_HOSTING_REPO: required(
      repoName,
      'Repository of the orchestrator itself: it is never rolled back, and never deployed by a command of its own worker.',
    ),
    ORCH_REPOSITORIES_FILE: optional(
      path,
      'YAML file that describes the repositories. Without it the self-hosting repository is the only one; its deploys are reported by the signal deployFinished.',
    ),
    ORCH_ARTEFACTS_DIR: withDefault(path, './artefacts', 'Folder for the logs of the windows.'),
  },
  'Deploy status guard': {
    ORCH_DEPLOY_STATUS_GUARD_ENABLED: withDefault(
      flag,
      'true',
      'Kill-switch: false is exactly the unguarded behaviour, one write per call.',
    ),
    ORCH_DEPLOY_STATUS_GUARD_REPOS: withDefault(
      repos,
      '',
      'Repositories that are guarded, separated by commas; empty: the self-hosting one only.',
    ),
    ORCH_STATUS_SETTLE_SECONDS: withDefault(
      seconds(0, 3_600),
      '60',
      'How long after the last write a status is read back. It must outlast any write in flight: less than 60 is for tests.',
    ),
  },
  'Sweep over all statuses': {
    ORCH_SWEEP_SECONDS: withDefault(
      seconds(0, 86_400),
      '300',
      'Time between two sweeps that correct deploy-phase statuses which should not stand; 0: none. The worker keeps a Temporal Schedule for them.',
    ),
    ORCH_SWEEP_KEEP_REQUESTS: withDefault(
      count(0, 10_000),
      '20',
      'Requests a minute of the rate limit of Plane that sweeps leave to the writes of runs and to corrections: they wait where a look, which takes up to 5, could leave less. A correction of one work item leaves 10 of them. Must be at least 6 below the limit of the key, which is 60 by default.',
    ),
  },
  'Webhooks of Plane': {
    ORCH_PLANE_WEBHOOK_PORT: optional(
      count(1, 65_535),
      'Where the worker listens for the webhook events of Plane (POST /plane), so that a foreign status is corrected within seconds; without it only sweeps do that.',
    ),
    ORCH_PLANE_WEBHOOK_HOST: withDefault(line, '127.0.0.1', 'The address on which it listens.'),
    ORCH_PLANE_WEBHOOK_SECRET: secret(
      optional(token, 'The secret key of the webhook, by which its events are known; needed with the port.'),
    ),
  },
  'Post-deploy window': {
    ORCH_POST_DEPLOY_ENABLED: withDefault(flag, 'true', 'Kill-switch: false leads from the deploy straight to Done.'),
    ORCH_POST_DEPLOY_REPOS: withDefault(
      repos,
      '',
      'Repositories that are watched, separated by commas; empty: the self-hosting one only.',
    ),
    ORCH_POST_DEPLOY_WINDOW_SECONDS: withDefault(windowKinds.window, '900', 'How long production is watched.'),
    ORCH_POST_DEPLOY_INTERVAL_SECONDS: derived(
      windowKinds.interval,
      '30',
      'the window where that is shorter',
      'Time between two looks at production.',
    ),
    ORCH_POST_DEPLOY_CONFIRM_SECONDS: derived(
      windowKinds.confirm,
      '5',
      'the interval where that is shorter',
      'Time between two looks while health fails, until it passes again.',
    ),
    ORCH_POST_DEPLOY_FAIL_THRESHOLD: withDefault(
      windowKinds.failThreshold,
      '3',
      'Health failures in a row that prove a degradation.',
    ),
    ORCH_POST_DEPLOY_5XX_THRESHOLD: withDefault(
      windowKinds.errorRatioThreshold,
      '0.05',
      'Share of failed requests (5xx, or no answer) that must be exceeded to prove a degradation; a ratio, not per cent.',
    ),
    ORCH_POST_DEPLOY_MIN_REQUESTS: withDefault(
      windowKinds.minRequests,
      '20',
      'Requests in a window below which the share of failed ones does not count.',
    ),
    ORCH_POST_DEPLOY_ACTION: withDefault(
      windowKinds.action,
      'alert',
      'What a degradation leads to. The self-hosting repository is never rolled back, whatever stands here.',
    ),
    ORCH_POST_DEPLOY_HEALTH_URL: optional(httpUrl, 'Health endpoint of the self-hosting repository.'),
    ORCH_POST_DEPLOY_TRAFFIC_URLS: withDefault(
      httpUrls,
      '',
      'URLs of the self-hosting repository that are asked at each look, separated by commas: a 5xx, or no whole answer in time, is a failed request.',
    ),
    ORCH_POST_DEPLOY_MAX_WINDOW_SECONDS: derived(
      windowKinds.maxWindow,
      '3600',
      'the window where that is longer, and never more than 3,000 looks',
      'The longest that a window can become by extensions, from its opening.',
    ),
    ORCH_POST_DEPLOY_ROLLBACK_WATCH_SECONDS: withDefault(
      windowKinds.rollbackWatch,
      '300',
      'How long production is watched after a rollback for its recovery.',
    ),
  },
  'Approval and alerts': {
    ORCH_APPROVAL: withDefault(approvalRule, 'required', 'Whether a deploy waits for an approval.'),
    ORCH_APPROVAL_TIMEOUT_SECONDS: withDefault(approvalTimeout, '86400', 'After this time the approval has expired.'),
    ORCH_ALERT_WEBHOOK_URL: secret(
      optional(httpUrl, 'Where alerts are posted too; without it they are comments on the work item only.'),
    ),
  },
  Worker: {
    ORCH_TASK_QUEUE: withDefault(
      line,
      'deploy-to-done',
      'Temporal task queue of the workflows and activities. Each installation in a namespace has its own.',
    ),
    ORCH_LOG_LEVEL: withDefault(
      oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
      'info',
      'The least severe entries that are logged.',
    ),
    ORCH_SHUTDOWN_SECONDS: withDefault(
      seconds(0.1, 3_600),
      '20',
      'How long activities get to end after SIGTERM; keep it below the patience of whatever sends it.',
    ),
    ORCH_TEMPORAL_OUTAGE_SECONDS: withDefault(
      seconds(1, 3_600),
      '300',
      'How long a deploy or rollback goes on while its worker cannot reach Temporal; then the worker ends it. A worker that was lost is noticed 20 s after this time, so less is found out sooner.',
    ),
  },
};

const table = {
  ...sections['Database (Postgres)'],
  ...sections.Plane,
  ...sections.Repositories,
  ...sections['Deploy status guard'],
  ...sections['Sweep over all statuses'],
  ...sections['Webhooks of Plane'],
  ...sections['Post-deploy window'],
  ...sections['Approval and alerts'],
  ...sections.Worker,
};

/** The checked value of each variable, times in whole milliseconds. */
export type Values = {
  readonly [Name in keyof typeof table]: (typeof table)[Name] extends Variable<infer T> ? T : never;
};
export type VariableName = keyof Values;

/** The one table of variables. */
export const VARIABLES: { readonly [Name in VariableName]: Variable<Values[Name]> } = table;

const isVariable = (name: string): name is VariableName => Object.hasOwn(VARIABLES, name);
const namesIn = (variables: object): readonly VariableName[] => Object.keys(variables).filter(isVariable);

export const VARIABLE_NAMES = namesIn(table);

export const SECTIONS: readonly { readonly title: string; readonly names: readonly VariableName[] }[] = Object.entries(
  sections,
).map(([title, variables]) => ({ title, names: namesIn(variables) }));

/** Variables that hold the worker's own secrets; Temporal's are read by its SDK. */
export const WORKER_SECRETS: readonly string[] = [
  ...VARIABLE_NAMES.filter((name) => VARIABLES[name].secret),
  'TEMPORAL_API_KEY',
  'TEMPORAL_TLS_CLIENT_KEY_DATA',
];

/** Variables that other parts of the project read: known here, so that nobody is warned about them. */
export const READ_ELSEWHERE: readonly string[] = ['ORCH_TEMPORAL_CLI'];
