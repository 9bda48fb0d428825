import type { DotEnv } from './dot-env.ts';
import { type Env, find, type ReadFile, readVariables } from './environment.ts';
import { VARIABLE_NAMES, VARIABLES, type Values, type VariableName } from './schema.ts';
import { windowTimes } from './window.ts';
import { givenTimes } from './window-policy.ts';

/** One setting as people are shown it. */
export interface SettingRow {
  readonly name: string;
  /** In force, secrets masked; empty: none. A faulty value is shown as it was given. */
  readonly value: string;
  /** `environment`, `file <path>`, `default`, or `missing` where it must be set (or cannot be read). */
  readonly source: string;
  readonly help: string;
  /** What is accepted. */
  readonly type: string;
  readonly default: string | null;
}

/** The times that make way for others where they are not set, in seconds; none where one of those is faulty. */
function derivedTimes(values: Partial<Values>): Partial<Record<VariableName, number>> {
  const { intervalMs, confirmMs, maxWindowMs } = windowTimes(givenTimes(values, null));
  return {
    ORCH_POST_DEPLOY_INTERVAL_SECONDS: intervalMs / 1_000,
    ORCH_POST_DEPLOY_CONFIRM_SECONDS: confirmMs / 1_000,
    ORCH_POST_DEPLOY_MAX_WINDOW_SECONDS: maxWindowMs / 1_000,
  };
}

const silent = (): void => {};

/** Every variable, what is in force and where it comes from. Never throws: faulty settings are described as well. */
export function describeVariables(env: Env, readFile: ReadFile, dotEnv: DotEnv): SettingRow[] {
  const derived = derivedTimes(readVariables(env, readFile, silent));
  return VARIABLE_NAMES.map((name) => {
    const { kind, help, unset, default: written, shown } = VARIABLES[name];
    const common = { name, help, type: kind.accepts, default: written };
    let unreadable = false;
    const found = find(env, readFile, name, () => {
      unreadable = true;
    });
    if (found !== null) {
      const source = found.source === 'environment' && dotEnv.names.has(name) ? `file ${dotEnv.file}` : found.source;
      return { ...common, value: shown(found.text), source };
    }
    if (unreadable || unset === undefined) return { ...common, value: '', source: 'missing' };
    const time = derived[name];
    const value = time === undefined || Number.isNaN(time) ? (written ?? '') : String(time);
    return { ...common, value, source: 'default' };
  });
}
