import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';

/** The keys and indexes that lead to a place in a file. */
export type Path = readonly PropertyKey[];

/** A YAML file whose every value is known by its place. */
export interface YamlFile {
  /** The whole as plain values; `undefined` where the file cannot be read as YAML. */
  readonly content: unknown;
  /** What is wrong with it as YAML, each with its place. */
  readonly faults: readonly string[];
  /** `file:line:col`; of what is missing, the place where it belongs. */
  position(path: Path): string;
  /** `file:line:col path` */
  place(path: Path): string;
  /** A single value as it is written, without quotes; `null`: there is none. */
  written(path: Path): string | null;
  /** The keys of a map as they are written, also where several are the same once read. */
  keys(path: Path): readonly string[];
}

const keyOf = (key: unknown): string => String(isScalar(key) ? (key.value ?? '') : key);

const PLAIN_STEP = /^[\w./~*-]+$/;

/** A path as people write it: `repositories.shop.deploy`. */
export const dotted = (path: Path): string =>
  path
    .map(String)
    .map((key) => (PLAIN_STEP.test(key) ? key : JSON.stringify(key.slice(0, 80))))
    .join('.');

/** Reads YAML 1.2. Never throws; no message repeats what stands in the file, as it may be a secret. */
export function readYaml(name: string, text: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { version: '1.2', lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  const faults = [...document.errors, ...document.warnings].map(
    ({ message, pos }) => `${at(pos[0])} is not the YAML that is read here: ${said(message)}`,
  );

  visit(document, {
    Pair(_, { key }) {
      if (isScalar(key) && typeof key.value !== 'string')
        faults.push(`${at(startOf(key) ?? 0)} is a key that YAML does not read as text: put it in quotes`);
    },
  });

  const resolved = (node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node);

  /** The offset of the deepest node that a path leads to, and that node where the path was walked to its end. */
  const walk = (path: Path): { readonly offset: number; readonly node: unknown } => {
    let node: unknown = document.contents;
    let offset = startOf(node) ?? 0;
    for (const key of path) {
      const parent = resolved(node);
      if (isMap(parent)) {
        const pair = parent.items.find((item) => keyOf(item.key) === String(key));
        if (pair === undefined) return { offset, node: undefined };
        offset = startOf(pair.key) ?? offset;
        node = pair.value;
      } else if (isSeq(parent)) {
        node = parent.items[Number(key)];
        offset = startOf(node) ?? offset;
      } else {
        return { offset, node: undefined };
      }
    }
    return { offset, node };
  };

  return {
    content: faults.length > 0 ? undefined : plain(() => document.toJS(), faults, `${name}:1:1`),
    faults,
    position: (path) => at(walk(path).offset),
    place: (path) => [at(walk(path).offset), dotted(path)].join(' ').trimEnd(),
    written: (path) => {
      const node = resolved(walk(path).node);
      return isScalar(node) ? (node.source ?? null) : null;
    },
    keys: (path) => {
      const map = resolved(walk(path).node);
      return isMap(map) ? map.items.map(({ key }) => keyOf(key)) : [];
    },
  };
}

/** What the parser says, without the piece of the file that may follow a colon there. */
const said = (message: string): string => message.replaceAll(/\s+/g, ' ').replace(/[:;].*$/, '');

function startOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return undefined;
  const start: unknown = node.range[0];
  return typeof start === 'number' ? start : undefined;
}

function plain(read: () => unknown, faults: string[], place: string): unknown {
  try {
    return read();
  } catch {
    faults.push(`${place} has aliases that cannot be resolved, or too many of them: write the values out`);
    return undefined;
  }
}
