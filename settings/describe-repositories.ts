import type { Env, ReadFile } from './environment.ts';
import { holdsCredentials } from './faults.ts';
import { dotted, type Path, readYaml } from './yaml-file.ts';

/** One value of the repositories file as people are shown it. */
export interface RepositoryRow {
  /** `repositories.shop.deploy.url` */
  readonly name: string;
  /** As it is written: names of variables are not filled in. */
  readonly value: string;
  /** `file <path>:<line>:<col>` */
  readonly source: string;
}

/** Under these keys stands whatever their owners like: it is shown only where it is a name, such as `Bearer ${TOKEN}`. */
const SECRETIVE: ReadonlySet<PropertyKey> = new Set(['headers', 'env', 'body']);
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const ONLY_A_NAME = /^([A-Za-z]+ )?\$\{[A-Za-z_][A-Za-z0-9_]*\}$/;

const shown = (path: Path, value: unknown): string => {
  const text = String(value);
  if (path.some((key) => SECRETIVE.has(key)) && !ONLY_A_NAME.test(text)) return '***';
  if (path.includes('passEnv') && !NAME.test(text)) return '***'; // a value that was written by mistake
  return holdsCredentials(text) ? '***' : text;
};

/** Deeper than any description; what lies below is not shown. */
const DEEPEST = 8;

function* leaves(value: unknown, path: Path): Generator<readonly [Path, unknown]> {
  if (value === undefined) return;
  if (typeof value !== 'object' || value === null) yield [path, value];
  else if (path.length < DEEPEST)
    for (const [key, inner] of Object.entries(value)) yield* leaves(inner, [...path, key]);
}

/** What stands in the repositories file, value by value; nothing where there is none, or it cannot be read. Never throws. */
export function describeRepositories(env: Env, readFile: ReadFile): RepositoryRow[] {
  const file = env['ORCH_REPOSITORIES_FILE']?.trim() ?? '';
  if (file === '') return [];
  try {
    const yaml = readYaml(file, readFile(file));
    return [...leaves(yaml.content, [])].map(([path, value]) => ({
      name: dotted(path),
      value: shown(path, value),
      source: `file ${yaml.position(path)}`,
    }));
  } catch {
    return []; // the same failure is a fault of `checkSettings`
  }
}
