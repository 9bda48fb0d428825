import { normaliseRepo } from '../decisions/index.ts';
import type { ReadFile } from './environment.ts';
import { quote, whyUnreadable } from './faults.ts';
import { knownKeys } from './file-shapes.ts';
import { repoName } from './kinds.ts';
import { didYouMean } from './nearest.ts';
import { type RepositoryEntry, repositorySchema } from './repository-schema.ts';
import type { Substitute } from './substitution.ts';
import { type Path, readYaml, type YamlFile } from './yaml-file.ts';

/** A repository as it is described, before it is joined with what all repositories share. */
export interface Described {
  readonly name: string;
  readonly entry: RepositoryEntry;
  /** The file that describes it; `null`: none does, it is the self-hosting repository by itself. */
  readonly file: string | null;
  /** What a fault begins with: `file:line:col path:`. */
  place(path: Path): string;
  /** A single value as the file has it; `null`: there is none. */
  written(path: Path): string | null;
}

const ROOT = 'repositories';

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The repositories that a file describes; what is faulty is told and left out. Never throws. */
export function readRepositoryFile(
  file: string,
  readFile: ReadFile,
  substitute: Substitute,
  fault: (message: string) => void,
): Described[] {
  const yaml = open(file, readFile, fault);
  if (yaml === null) return [];
  yaml.faults.forEach(fault);
  if (yaml.faults.length > 0) return [];

  const { content } = yaml;
  if (!isMap(content)) {
    const got = content === null || content === undefined ? 'an empty file' : quote(content);
    fault(`${file}:1:1 must be a map with the key ${ROOT}, got ${got}`);
    return [];
  }
  for (const key of Object.keys(content)) {
    if (key !== ROOT) fault(`${yaml.place([key])}: is not a known key${didYouMean(key, [ROOT])}; known: ${ROOT}`);
  }
  const entries = content[ROOT];
  if (!isMap(entries) || Object.keys(entries).length === 0) {
    const got = isMap(entries) ? 'an empty one' : quote(entries);
    fault(`${yaml.place([ROOT])} must be a map of repositories by their names, got ${got}`);
    return [];
  }
  return readEntries(yaml, file, entries, repositorySchema(substitute), fault);
}

function open(file: string, readFile: ReadFile, fault: (message: string) => void): YamlFile | null {
  try {
    return readYaml(file, readFile(file));
  } catch (error) {
    fault(`ORCH_REPOSITORIES_FILE must name a readable file, got ${quote(file)} (${whyUnreadable(error)})`);
    return null;
  }
}

function readEntries(
  yaml: YamlFile,
  file: string,
  entries: Readonly<Record<string, unknown>>,
  schema: ReturnType<typeof repositorySchema>,
  fault: (message: string) => void,
): Described[] {
  const seen = new Map<string, string>();
  return yaml.keys([ROOT]).flatMap((key) => {
    const place = (path: Path): string => `${yaml.place([ROOT, key, ...path])}:`;
    const written = (path: Path): string | null => yaml.written([ROOT, key, ...path]);
    const name = key.trim();
    const same = seen.get(normaliseRepo(name));
    if (same !== undefined)
      fault(`${place([])} is the same repository as ${quote(same)}: names are compared trimmed, in any case`);
    seen.set(normaliseRepo(name), key);
    if (!repoName.schema.safeParse(name).success) fault(`${place([])} must be ${repoName.accepts}`);

    const parsed = schema.safeParse(Object.hasOwn(entries, key) ? entries[key] : undefined);
    if (parsed.success) return [{ name, entry: parsed.data, file, place, written }];
    for (const issue of parsed.error.issues) {
      if (issue.code !== 'unrecognized_keys') {
        fault(`${place(issue.path)} ${issue.message}`);
        continue;
      }
      const known = knownKeys(issue.message);
      for (const unknown of issue.keys) {
        fault(
          `${place([...issue.path, unknown])} is not a known key${didYouMean(unknown, known)}; known: ${known.join(', ')}`,
        );
      }
    }
    return [];
  });
}
