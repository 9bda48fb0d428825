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
 * Sets the variables of the file `.env` in the current folder that the environment does not set already, by the rules of
 * `process.loadEnvFile`, which would pass over lines that it does not understand, and may drop the lines after them. Never throws.
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
  const fault = faultIn(text);
  if (fault !== null) return { file, names: new Set(), fault: `${file}:${fault}` };

  const names = new Set<string>();
  for (const [name, value] of Object.entries(parseEnv(text))) {
    if (env[name] !== undefined) continue;
    env[name] = value;
    names.add(name);
  }
  return { file, names, fault: null };
}

const ASSIGNMENT = /^\s*(?:export\s+)?[A-Za-z_][A-Za-z0-9_]*\s*=\s*(.*)$/;

/** The first line that is not understood; no message repeats it, as a secret may stand there. */
function faultIn(text: string): string | null {
  const lines = text.split(/\r\n|\n|\r/);
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    if (/^\s*(#|$)/.test(line)) continue;
    const [, value] = ASSIGNMENT.exec(line) ?? [];
    if (value === undefined) return `${at + 1} must be NAME=value, or a comment that begins with #`;
    const quote = /^["'`]/.exec(value)?.[0];
    if (quote === undefined || value.includes(quote, 1)) continue;
    const end = lines.findIndex((later, index) => index > at && later.includes(quote));
    if (end === -1) return `${at + 1} begins a value with ${quote} that does not end`;
    at = end;
  }
  return null;
}
