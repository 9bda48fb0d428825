import { placeholderInScript } from '../adapters/deploy/script-template.ts';
import { needsVersion } from '../adapters/http-probe/fill-probe.ts';
import { sameRepo } from '../decisions/index.ts';
import { checkAnswer } from './answer-rules.ts';
import type { Env } from './environment.ts';
import { quote } from './faults.ts';
import { checkNumbers } from './number-rules.ts';
import { checkPlaceholders } from './placeholder-rules.ts';
import type { Described } from './repository-file.ts';
import { type Values, WORKER_SECRETS } from './schema.ts';
import { isListed, SWITCHES, type Switch } from './scopes.ts';
import { windowFaults } from './window.ts';
import { unreachableLimits } from './window-limits.ts';
import { givenTimes } from './window-policy.ts';

// The rules between the settings of one repository. Each is silent where a value that it needs is faulty: that has been told already.

type Tell = (message: string) => void;

/** Whether windows or the guard are switched on for a repository; `null` where a value that this needs is faulty. */
function isOn(key: Switch, { name, entry }: Described, values: Partial<Values>): boolean | null {
  const { list } = SWITCHES[key];
  const { ORCH_SELF_HOSTING_REPO: self, [list]: repos } = values;
  if (self === undefined || repos === undefined) return null;
  return entry[key] ?? isListed(repos, self, name);
}

const watched = (described: Described, values: Partial<Values>): boolean =>
  values.ORCH_POST_DEPLOY_ENABLED === true && isOn('watch', described, values) === true;

/** What is wrong with how a repository is deployed and watched, given what all repositories share. */
export function checkRepository(
  described: Described,
  values: Partial<Values>,
  env: Env,
  fault: Tell,
  warn: Tell,
): void {
  const { ORCH_SELF_HOSTING_REPO: self } = values;
  if (self !== undefined && sameRepo(self, described.name)) checkSelfHosting(described, values, fault, warn);
  else if (self !== undefined) checkRollback(described, values, fault);

  const { entry, place, file } = described;
  for (const part of ['deploy', 'rollback'] as const) {
    checkAnswer(described, part, fault, warn);
    checkScript(described, part, fault);
    checkPassEnv(described, part, env, fault, warn);
  }
  checkPlaceholders(described, fault, warn);
  checkNumbers(described, fault);
  if (entry.window !== undefined) windowFaults(givenTimes(values, described)).forEach(fault);
  checkProof(described, values, fault);
  if (entry.healthCheck !== undefined && healthUrl(described, values) === null) {
    fault(`${place(['healthCheck'])} has nothing to ask: give the repository a health block with a url`);
  }
  checkSwitches(described, values, fault, warn);
  if (!watched(described, values)) return;
  const health = healthUrl(described, values) !== null;
  const urls = trafficUrls(described, values).length;
  if (!health && urls === 0) blind(described, file === null && values.ORCH_REPOSITORIES_FILE !== null ? warn : fault);
  unreachableLimits(described, values, { health, trafficUrls: urls }).forEach(fault);
}

/** What production of the self-hosting repository is watched by, where its description says nothing. */
const EVIDENCE = ['ORCH_POST_DEPLOY_HEALTH_URL', 'ORCH_POST_DEPLOY_TRAFFIC_URLS'] as const;

const WITHOUT = {
  watch: 'the repository is not watched after a deploy',
  guard: 'any caller can change the status of finished work',
} as const;

/** A repository that looks watched must be watched, or its description must say that it is not. */
function checkSwitches(described: Described, values: Partial<Values>, fault: Tell, warn: Tell): void {
  const { name, entry, place, file } = described;
  for (const key of ['watch', 'guard'] as const) {
    const { list } = SWITCHES[key];
    if (entry[key] === false && values[list]?.some((listed) => sameRepo(listed, name)))
      fault(
        `${place([key])} must not be false, as ${list} names ${quote(name)}: remove it from that list, or set ${key}: true`,
      );
  }

  const waysTo = (key: Switch): string => {
    const byList = `name it in ${SWITCHES[key].list}`;
    return file === null ? byList : `set ${key}: true, or ${byList} (or ${key}: false, if intended)`;
  };
  const subject = file === null ? quote(name) : place([]);

  const evidence = (['window', 'health', 'traffic'] as const).filter((part) => entry[part] !== undefined);
  if (entry.watch === undefined && isOn('watch', described, values) === false) {
    if (evidence.length > 0)
      fault(`${subject} has ${evidence.join(' and ')}, but it is not watched after a deploy: ${waysTo('watch')}`);
    else if (sameRepo(values.ORCH_SELF_HOSTING_REPO, name)) {
      const given = EVIDENCE.filter((variable) => (values[variable]?.length ?? 0) > 0);
      if (given.length > 0)
        warn(`${subject} is not watched after a deploy, although it has ${given.join(' and ')}: ${waysTo('watch')}`);
    }
  }
  for (const key of ['watch', 'guard'] as const) {
    const { enabled } = SWITCHES[key];
    if (entry[key] === true && values[enabled] === false)
      warn(`${place([key])} has no effect, as ${enabled} is false: ${WITHOUT[key]}`);
  }
  const guardOff = values.ORCH_DEPLOY_STATUS_GUARD_ENABLED === true && isOn('guard', described, values) === false;
  if (entry.guard === undefined && guardOff && watched(described, values))
    warn(
      `${subject} is watched, but the guard is off for it, so that any caller can change the status of finished work: ${waysTo('guard')}`,
    );
}

/** A window can require only what its health check could prove. */
function checkProof(described: Described, values: Partial<Values>, fault: Tell): void {
  const { window, health } = described.entry;
  if (window?.requireVersion !== true) return;
  const { headers = {}, expectJson = {} } = health ?? {};
  const url = healthUrl(described, values) ?? '';
  if (needsVersion({ url, headers, expectJson }) === null)
    fault(
      `${described.place(['window', 'requireVersion'])} has no effect: nothing proves a version; put {version} into health.expectJson, such as /version: "{version}"`,
    );
}

/** A value must not become a part of a script: it would be run as code. */
function checkScript({ entry, place }: Described, part: 'deploy' | 'rollback', fault: Tell): void {
  const driver = entry[part];
  if (driver?.driver !== 'command') return;
  const found = placeholderInScript(driver.command);
  if (found === null) return;
  const { index, program, placeholder, variable, remote } = found;
  const sent = remote ? `, and pass it on with -o SendEnv=${variable} (the server must accept it)` : '';
  fault(
    `${place([part, 'command', index])} must not put ${placeholder} into a script that ${program} reads, as its value would be run as code: write "$${variable}" in the script instead, with the quotes${sent}`,
  );
}

/** What a command may be passed of the worker's environment: none of the worker's own secrets. */
function checkPassEnv(
  { entry, place }: Described,
  part: 'deploy' | 'rollback',
  env: Env,
  fault: Tell,
  warn: Tell,
): void {
  const driver = entry[part];
  if (driver?.driver !== 'command') return;
  for (const [index, name] of (driver.passEnv ?? []).entries()) {
    const at = place([part, 'passEnv', index]);
    if (WORKER_SECRETS.includes(name.replace(/_FILE$/, '')))
      fault(`${at} must not be ${name}, a secret of the worker: give the command a secret of its own`);
    else if (name.startsWith('D2D_')) fault(`${at} must not be ${name}: the worker itself sets the variables D2D_…`);
    else if (driver.env !== undefined && Object.hasOwn(driver.env, name))
      fault(`${at} must not be ${name}, which env sets already: remove it from one of the two`);
    else if ((env[name] ?? '') === '')
      warn(`${at} names ${name}, which is not set in the environment: the command runs without it`);
  }
}

/** Its health endpoint; `null`: none; of a faulty setting, what it would be. */
const healthUrl = ({ name, entry }: Described, values: Partial<Values>): string | null =>
  entry.health?.url ??
  (sameRepo(values.ORCH_SELF_HOSTING_REPO, name) ? (values.ORCH_POST_DEPLOY_HEALTH_URL ?? faulty(values)) : null);

const faulty = (values: Partial<Values>): string | null =>
  values.ORCH_POST_DEPLOY_HEALTH_URL === undefined ? 'faulty' : null;

const trafficUrls = ({ name, entry }: Described, values: Partial<Values>): readonly string[] =>
  entry.traffic ??
  (sameRepo(values.ORCH_SELF_HOSTING_REPO, name) ? (values.ORCH_POST_DEPLOY_TRAFFIC_URLS ?? ['faulty']) : []);

function blind({ name, file, place }: Described, tell: Tell): void {
  tell(
    file === null
      ? `ORCH_POST_DEPLOY_HEALTH_URL must be set, or ORCH_POST_DEPLOY_TRAFFIC_URLS: a window of ${quote(name)} would see nothing (or switch its windows off: ORCH_POST_DEPLOY_ENABLED=false, or other ORCH_POST_DEPLOY_REPOS)`
      : `${place([])} must have health or traffic: a window would see nothing (or set watch: false, and remove it from ORCH_POST_DEPLOY_REPOS)`,
  );
}

function checkSelfHosting(
  { entry, place, file, name }: Described,
  values: Partial<Values>,
  fault: Tell,
  warn: Tell,
): void {
  for (const part of ['deploy', 'rollback'] as const) {
    if (entry[part]?.driver !== 'command') continue;
    fault(
      `${place([part, 'driver'])} must not be command for the self-hosting repository, as it would kill its own worker: use webhook${part === 'deploy' ? ' or external' : ''}`,
    );
  }
  const never = 'the self-hosting repository is never rolled back, a degradation of it is always an alert';
  if (entry.window?.action === 'rollback') warn(`${place(['window', 'action'])} has no effect: ${never}`);
  else if (entry.rollback !== undefined) warn(`${place(['rollback'])} has no effect: ${never}`);
  else if (file === null && values.ORCH_POST_DEPLOY_ACTION === 'rollback') {
    warn(`ORCH_POST_DEPLOY_ACTION=rollback has no effect for ${quote(name)}: ${never}`);
  }
}

function checkRollback(described: Described, values: Partial<Values>, fault: Tell): void {
  const { entry, place } = described;
  if (entry.rollback !== undefined) return;
  const advice = 'give the repository a rollback driver, or set window.action: alert';
  if (entry.window?.action === 'rollback') {
    fault(`${place(['window', 'action'])} must not be rollback without a rollback block: ${advice}`);
  } else if (
    entry.window?.action === undefined &&
    values.ORCH_POST_DEPLOY_ACTION === 'rollback' &&
    watched(described, values)
  ) {
    fault(`${place([])} must have a rollback block, as ORCH_POST_DEPLOY_ACTION is rollback: ${advice}`);
  }
}
