import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import type { ReadFile } from './environment.ts';
import { whyUnreadable } from './faults.ts';

/** What was read of the file `.env`. */
export interface DotEnv {
  /** Its absolute path; `null`: there is none. */
  readonly file: string | null;
  /** The variables that were set by it. */
  readonly names: ReadonlySet<string>;
  /** Why it cannot be read, as a sentence. Nothing was set then. */
  readonly fault: string | null;
}

export const NO_DOT_ENV: DotEnv = { file: null, names: new Set(), fault: null };

/**
 * Sets the variables of the file `.env` in the current folder that the environment does not set already. Values are those of
 * `process.loadEnvFile`, which by itself would pass over lines that it does not understand, and takes a blank line or a tab
 * for a part of the next name. Never throws.
 */
export function loadDotEnv(env: Record<string, string | undefined>, readFile: ReadFile, path = '.env'): DotEnv {
  let text: string;
  try {
    text = readFile(path).replace(/^\uFEFF/, '');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EISDIR'))
      return NO_DOT_ENV; // a folder of that name is none of ours, such as a virtual environment of Python
    return { ...NO_DOT_ENV, fault: `${path} cannot be read (${whyUnreadable(error)}): correct or remove it` };
  }
  const file = resolve(path);
  const { assignments, fault } = assignmentsIn(text);
  if (fault !== undefined) return { file, names: new Set(), fault: `${file}:${fault}` };

  const names = new Set<string>();
  for (const [name, value] of assignments) {
    if (env[name] !== undefined) continue;
    env[name] = value;
    names.add(name);
  }
  return { file, names, fault: null };
}

const ASSIGNMENT = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)$/;

type Read =
  | { readonly assignments: ReadonlyMap<string, string>; readonly fault?: never }
  | { readonly fault: string; readonly assignments?: never };

/** All assignments, or the first line that is not understood; no message repeats it, as a secret may stand there. */
function assignmentsIn(text: string): Read {
  const alone = text.search(/\r(?!\n)/);
  if (alone !== -1)
    return { fault: `${text.slice(0, alone).split('\n').length} must end with LF or CRLF, not with CR alone` };

  const lines = text.split(/\r?\n/);
  const assignments = new Map<string, string>();
  for (let at = 0; at < lines.length; at += 1) {
    const fault = (why: string): Read => ({ fault: `${at + 1} ${why}` });
    const line = lines[at] ?? '';
    if (/^\s*(#|$)/.test(line)) continue;
    const [, name, value = ''] = ASSIGNMENT.exec(line) ?? [];
    if (name === undefined) return fault('must be NAME=value, or a comment that begins with #');
    const quote = /^["'`]/.exec(value)?.[0];
    if (quote === undefined) {
      if (/^#\S|\S#/.test(value))
        return fault('has # in a value, where a comment would begin: put the value in quotes');
      assignments.set(name, parsedValue(value).trim());
      continue;
    }
    const last = value.includes(quote, 1) ? at : lines.findIndex((later, index) => index > at && later.includes(quote));
    if (last === -1) return fault(`begins a value with ${quote} that does not end`);
    const quoted = [value, ...lines.slice(at + 1, last + 1)].join('\n');
    at = last;
    const end = quoted.indexOf(quote, 1) + 1;
    if (!/^\s*(#|$)/.test(quoted.slice(end)))
      return fault(`goes on after the quote ${quote} that ends its value: put the value in other quotes`);
    assignments.set(name, parsedValue(quoted.slice(0, end)));
  }
  return { assignments };
}

/** By itself, so that nothing around it can change how it is read. */
const parsedValue = (written: string): string => parseEnv(`VALUE=${written}`)['VALUE'] ?? '';
