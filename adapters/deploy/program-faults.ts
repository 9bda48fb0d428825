import { access, open } from 'node:fs/promises';
import { basename, delimiter, resolve } from 'node:path';
import { isShell } from './script-template.ts';

// What is wrong with a program that cannot be run: the system says no more than "no such file", whatever is missing.

/** Where a program is looked for. */
export interface Place {
  readonly program: string;
  readonly cwd: string;
  readonly path: string;
}

const CRLF = 'has CRLF line ends, write it with LF';

/** Why a program did not start, as a sentence. Never throws. */
export async function whyNotStarted(place: Place, code: unknown, message: string | undefined): Promise<string> {
  const { program } = place;
  switch (code) {
    case 'ENOENT':
      return whatIsMissing(place);
    case 'ENOEXEC':
      return `the program ${program} has no interpreter line (#!/bin/sh) and is not made for this machine`;
    case 'EACCES':
      return `the program ${program} may not be executed: is it marked as executable?`;
    default:
      return message ?? String(code);
  }
}

async function whatIsMissing(place: Place): Promise<string> {
  const { program, cwd } = place;
  const head = await headOf(place);
  if (head === null) return `the program ${program} was not found (a program without a slash is looked for on PATH)`;
  const interpreter = /^#![ \t]*([^ \t\n]+)/.exec(head)?.[1];
  if (interpreter === undefined) {
    const loader = /\/[^\0]*ld[^\0/]*\.so[^\0]*/.exec(head)?.[0];
    return `the program ${program} exists, but the loader${loader === undefined ? '' : ` ${loader}`} that it needs does not: it is made for another system`;
  }
  if (interpreter.endsWith('\r'))
    return `the interpreter ${JSON.stringify(interpreter).slice(1, -1)} of the script ${program} does not exist: the script ${CRLF}`;
  const exists = await access(resolve(cwd, interpreter)).then(
    () => true,
    () => false,
  );
  return exists
    ? `the interpreter ${interpreter} of the script ${program} exists, but something that it needs to run does not`
    : `the interpreter ${interpreter} of the script ${program} does not exist`;
}

/** What the shell or `env` says of a missing program. */
const NOT_FOUND = 127;

/** Why a command ended with this code, where a script with CRLF line ends explains it: `: …`, or nothing. Never throws. */
export async function whyEnded(place: Place, args: readonly string[], code: number | null): Promise<string> {
  const script = isShell(basename(place.program))
    ? args.find((argument) => !/^[-+]/.test(argument)) // the shell has started, and meets the line ends in it
    : code === NOT_FOUND
      ? place.program
      : undefined;
  if (script === undefined) return '';
  // A shell looks for its script in its folder first.
  const where = script === place.program ? place : { ...place, program: resolve(place.cwd, script) };
  const firstLine = (await headOf(where))?.split('\n', 1)[0] ?? '';
  return firstLine.startsWith('#!') && firstLine.endsWith('\r') ? `: the script ${script} ${CRLF}` : '';
}

/** The first bytes of a program, where it is found and can be read: enough for a script's first line, or a binary's loader. */
async function headOf({ program, cwd, path }: Place): Promise<string | null> {
  const folders = program.includes('/') ? [cwd] : path.split(delimiter).map((folder) => resolve(cwd, folder));
  for (const folder of folders) {
    const head = await beginningOf(resolve(folder, program));
    if (head !== null) return head;
  }
  return null;
}

async function beginningOf(path: string): Promise<string | null> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}
