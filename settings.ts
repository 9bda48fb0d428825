import { readFileSync } from 'node:fs';
import { normaliseRepo } from './decisions/index.ts';
import { describeVariables, type SettingRow } from './settings/describe.ts';
import { describeRepositories as describeFile, type RepositoryRow } from './settings/describe-repositories.ts';
import { type DotEnv, loadDotEnv as loadFile, NO_DOT_ENV } from './settings/dot-env.ts';
import type { Env, ReadFile } from './settings/environment.ts';
import { SettingsError } from './settings/faults.ts';
import { type Checked, check } from './settings/load.ts';
import type { Settings } from './settings/types.ts';

export { EXIT_BAD_SETTINGS, SettingsError } from './settings/faults.ts';
export { type RepositoryInForce, repositoriesInForce } from './settings/in-force.ts';
export type {
  Approval,
  DriverConfig,
  HttpProbeConfig,
  LogLevel,
  Repository,
  Settings,
} from './settings/types.ts';
export type { Checked, DotEnv, Env, ReadFile, RepositoryRow, SettingRow };
export { NO_DOT_ENV };

const readText: ReadFile = (path) => readFileSync(path, 'utf8');

/**
 * All settings, from the environment and the files that it names.
 * @throws SettingsError with every fault at once; no secret is in it. A process that gets it exits with `EXIT_BAD_SETTINGS`.
 */
export function loadSettings(env: Env, readFile: ReadFile = readText): Settings {
  const { settings, faults } = check(env, readFile);
  if (settings === null) throw new SettingsError(faults);
  return settings;
}

/** The settings, or all that is wrong with them; the warnings in either case. Never throws. */
export const checkSettings = (env: Env, readFile: ReadFile = readText): Checked => check(env, readFile);

/** The Plane projects of all repositories, each once: a uuid or an identifier. Those that are guarded and not described have the common one. */
export function planeProjects({
  repositories,
  guard,
  plane,
}: Pick<Settings, 'repositories' | 'guard' | 'plane'>): readonly string[] {
  const others = guard.repos.some((repo) => !repositories.has(normaliseRepo(repo))) ? [plane.project] : [];
  const named = [...repositories.values()].map(({ planeProject }) => planeProject);
  return [...new Map([...named, ...others].map((project) => [project.toUpperCase(), project])).values()];
}

/** Sets in this environment what the file `.env` of the current folder says and the environment does not. Never throws. */
export const loadDotEnv = (env: Record<string, string | undefined>): DotEnv => loadFile(env, readText);

/** Every variable with its value in force (secrets masked) and its source, also where settings are faulty. Never throws. */
export const describeSettings = (env: Env, readFile: ReadFile = readText, dotEnv: DotEnv = NO_DOT_ENV): SettingRow[] =>
  describeVariables(env, readFile, dotEnv);

/** What the repositories file says, value by value, names of secrets not filled in. Never throws. */
export const describeRepositories = (env: Env, readFile: ReadFile = readText): RepositoryRow[] =>
  describeFile(env, readFile);
