import { secretsInHeaders } from '../adapters/mask.ts';
import { normaliseRepo } from '../decisions/index.ts';
import { assemble } from './assemble.ts';
import { type Env, isComplete, type ReadFile, readVariables, unknownVariables } from './environment.ts';
import { quote, whyUnreadable } from './faults.ts';
import { checkPostgresEnvironment } from './postgres-environment.ts';
import { byItself } from './repositories.ts';
import { type Described, readRepositoryFile } from './repository-file.ts';
import { checkRepository } from './repository-rules.ts';
import { type Values, WORKER_SECRETS } from './schema.ts';
import { checkLastWord, checkLists, checkShared } from './shared-rules.ts';
import { createSubstitute, type Substitute } from './substitution.ts';
import type { Settings } from './types.ts';

/** What the environment comes to: settings, or all that is wrong with it. */
export interface Checked {
  /** `null` where there is a fault. */
  readonly settings: Settings | null;
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
}

/** Reads and checks everything. Never throws. */
export function check(env: Env, readFile: ReadFile): Checked {
  const faults = new Set<string>();
  const warnings = new Set<string>(unknownVariables(env));
  const fault = (message: string): unknown => faults.add(message);
  const warn = (message: string): unknown => warnings.add(message);

  const values = readVariables(env, readFile, fault);
  const filledIn = new Set<string>();
  const substitute = createSubstitute(env, readFile, (value) => filledIn.add(value));
  const described = describedRepositories(values, substitute, readFile, fault);
  const ca = readCa(values, readFile, fault);
  checkShared(values, fault);
  checkPostgresEnvironment(env, values, fault);
  for (const one of described) checkRepository(one, values, env, fault, warn);
  if (faults.size > 0 || !isComplete(values)) {
    return { settings: null, faults: [...faults], warnings: [...warnings] };
  }
  checkLists(
    values,
    described.map(({ name }) => name),
    warn,
  );
  checkLastWord(values, warn);
  const secrets = [...filledIn, ...secretsOf(values, described, env)];
  const settings = assemble(values, described, { ca, secrets, warnings: [...warnings] });
  return { settings, faults: [], warnings: settings.warnings };
}

/** Those of the file, and the self-hosting repository, which is there even where the file leaves it out. */
function describedRepositories(
  values: Partial<Values>,
  substitute: Substitute,
  readFile: ReadFile,
  fault: (message: string) => void,
): Described[] {
  const { ORCH_REPOSITORIES_FILE: file, ORCH_SELF_HOSTING_REPO: self } = values;
  let faulty = false;
  const listed =
    typeof file === 'string'
      ? readRepositoryFile(file, readFile, substitute, (message) => {
          faulty = true;
          fault(message);
        })
      : [];
  const isListed = listed.some(({ name }) => normaliseRepo(name) === normaliseRepo(self));
  // A faulty file may be the one that describes it: what it lacks by itself would then be told for nothing.
  return self === undefined || isListed || faulty ? listed : [...listed, byItself(self)];
}

/** The worker's own secrets, and what is sent to health endpoints beside what is filled in there. */
function secretsOf(values: Values, described: readonly Described[], env: Env): string[] {
  const own: Env = { ...env, ...Object.fromEntries(Object.entries(values).filter(isText)) }; // some come from files
  return [
    ...WORKER_SECRETS.flatMap((name) => own[name] ?? []),
    ...described.flatMap(({ entry }) => secretsInHeaders(entry.health?.headers ?? {})),
  ];
}

const isText = (entry: [string, unknown]): entry is [string, string] => typeof entry[1] === 'string';

function readCa(values: Partial<Values>, readFile: ReadFile, fault: (message: string) => void): string | null {
  const { ORCH_DATABASE_CA_FILE: file } = values;
  if (typeof file !== 'string') return null;
  try {
    const pem = readFile(file);
    if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
    fault(`ORCH_DATABASE_CA_FILE must name a file of PEM certificates, got ${quote(file)}, which holds none`);
  } catch (error) {
    fault(`ORCH_DATABASE_CA_FILE must name a readable file, got ${quote(file)} (${whyUnreadable(error)})`);
  }
  return null;
}
