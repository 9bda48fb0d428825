import { quote, whyUnreadable } from './faults.ts';
import { didYouMean } from './nearest.ts';
import { READ_ELSEWHERE, VARIABLE_NAMES, VARIABLES, type Values, type VariableName } from './schema.ts';
import type { Variable } from './variable.ts';

/** The environment, as `process.env` has it. */
export type Env = Readonly<Record<string, string | undefined>>;
/** Reads a file as text. @throws where it cannot be read. */
export type ReadFile = (path: string) => string;

/** A variable's text, trimmed, and where it stands; `null`: not set (empty is not set), or not to be read. */
export interface Found {
  readonly text: string;
  readonly source: string;
}

const given = (env: Env, name: string): string => (Object.hasOwn(env, name) ? (env[name]?.trim() ?? '') : '');

/** A variable that may also come from the file that `<NAME>_FILE` names. Never throws: what is wrong is told. */
export function findSecret(env: Env, readFile: ReadFile, name: string, fault: (message: string) => void): Found | null {
  const text = given(env, name);
  const path = given(env, `${name}_FILE`);
  if (path === '') return text === '' ? null : { text, source: 'environment' };
  if (text !== '') {
    fault(`${name} and ${name}_FILE are both set: unset one of them`);
    return null;
  }
  try {
    const content = readFile(path).trim();
    if (content !== '') return { text: content, source: `file ${path}` };
    fault(`${name}_FILE must name a file that holds the value, got ${quote(path)}, which is empty`);
  } catch (error) {
    fault(`${name}_FILE must name a readable file, got ${quote(path)} (${whyUnreadable(error)})`);
  }
  return null;
}

/** A variable of the table, as it is set. Never throws. */
export function find(env: Env, readFile: ReadFile, name: VariableName, fault: (message: string) => void): Found | null {
  if (VARIABLES[name].secret) return findSecret(env, readFile, name, fault);
  const text = given(env, name);
  return text === '' ? null : { text, source: 'environment' };
}

const complaint = <T>(name: string, { kind, secret, help }: Variable<T>, text: string | null): string => {
  if (text === null) return `${name} must be set (${kind.accepts}). ${help}`;
  if (secret) return `${name} must be ${kind.accepts}, got a value that is not (it is not shown)`;
  const hint = kind.hint(text);
  return `${name} must be ${kind.accepts}, got ${quote(text)}${hint === null ? '' : ` (${hint})`}`;
};

type Readings = { -readonly [Name in VariableName]?: Values[Name] };

function read<Name extends VariableName>(
  into: Readings,
  name: Name,
  env: Env,
  readFile: ReadFile,
  fault: (message: string) => void,
): void {
  const variable: Variable<Values[Name]> = VARIABLES[name];
  let told = false;
  const found = find(env, readFile, name, (message) => {
    told = true;
    fault(message);
  });
  if (told) return;
  const value = found === null ? variable.unset : variable.parse(variable.kind.fromText(found.text));
  if (value === undefined || value === null) fault(complaint(name, variable, found?.text ?? null));
  else into[name] = value.value;
}

/** The values of all variables; one that is faulty is left out, and told. Never throws. */
export function readVariables(env: Env, readFile: ReadFile, fault: (message: string) => void): Partial<Values> {
  const values: Readings = {};
  for (const name of VARIABLE_NAMES) read(values, name, env, readFile, fault);
  return values;
}

export const isComplete = (values: Partial<Values>): values is Values =>
  VARIABLE_NAMES.every((name) => values[name] !== undefined);

/** One sentence for each `ORCH_` variable that nobody knows: most are typing errors. Values are not shown. */
export function unknownVariables(env: Env): string[] {
  const known = new Set([...VARIABLE_NAMES, ...READ_ELSEWHERE]);
  const files = VARIABLE_NAMES.filter((name) => VARIABLES[name].secret).map((name) => `${name}_FILE`);
  for (const name of files) known.add(name);
  return Object.keys(env)
    .filter((name) => /^ORCH_/i.test(name) && !known.has(name))
    .sort()
    .map((name) => `${name.slice(0, 100)} is not a known variable${didYouMean(name, known)}; it is ignored`);
}
