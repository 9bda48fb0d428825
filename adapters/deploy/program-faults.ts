import { access, constants, open, stat } from 'node:fs/promises';
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
      return whatIsClosed(place);
    default:
      return message ?? String(code);
  }
}

/** The interpreter that the first line of a script names. */
const interpreterIn = (head: string | null): string | undefined => /^#![ \t]*([^ \t\n]+)/.exec(head ?? '')?.[1];

async function whatIsClosed(place: Place): Promise<string> {
  const { program, cwd } = place;
  const path = await first(place, whereItIs);
  const own = path === null ? null : await whyClosed(path);
  const interpreter = interpreterIn(await headOf(place));
  if (own === null && interpreter !== undefined) {
    const why = await whyClosed(resolve(cwd, interpreter));
    if (why !== null) return `the interpreter ${interpreter} of the script ${program} ${why}`;
  }
  return `the program ${program} ${own ?? CLOSED}`;
}

const CLOSED = 'may not be executed: is it marked as executable?';

/** Why a file cannot be executed; `null`: it can, or is not there. */
async function whyClosed(path: string): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  if (found === null) return null;
  if (found.isDirectory()) return 'is a folder';
  return access(path, constants.X_OK).then(
    () => null,
    () => CLOSED,
  );
}

async function whatIsMissing(place: Place): Promise<string> {
  const { program, cwd } = place;
  const head = await headOf(place);
  if (head === null) return notFound(place);
  const interpreter = interpreterIn(head);
  if (interpreter === undefined) {
    const loader = /\/[^\0]*ld[^\0/]*\.so[^\0]*/.exec(head)?.[0];
    return `the program ${program} exists, but the loader${loader === undefined ? '' : ` ${loader}`} that it needs does not: it is made for another system`;
  }
  if (interpreter.endsWith('\r'))
    return `the interpreter ${JSON.stringify(interpreter).slice(1, -1)} of the script ${program} does not exist: the script ${CRLF}`;
  return (await whereItIs(resolve(cwd, interpreter))) !== null
    ? `the interpreter ${interpreter} of the script ${program} exists, but something that it needs to run does not`
    : `the interpreter ${interpreter} of the script ${program} does not exist`;
}

function notFound({ program, cwd }: Place): string {
  const where = program.includes('/')
    ? `there is no ${resolve(cwd, program)}`
    : 'a program without a slash is looked for on PATH';
  const words = /\s/.test(program) ? '; a program and its arguments are items of their own: [program, argument]' : '';
  return `the program ${program} was not found (${where}${words})`;
}

/** Why a program cannot be started from here, before it is tried; `null`: nothing is known. Never throws. */
export async function whyNotRunnable(place: Place): Promise<string | null> {
  const { program, cwd } = place;
  if (!(await isFolder(cwd))) return `${cwd} is no folder`;
  // As the system does: what may not be executed is passed over, and the rest of PATH is searched.
  const path = await first(place, async (each) =>
    (await whereItIs(each)) !== null && (await whyClosed(each)) === null ? each : null,
  );
  if (path === null) {
    const closed = await first(place, whereItIs);
    return closed === null ? notFound(place) : `the program ${program} ${await whyClosed(closed)}`;
  }
  const interpreter = interpreterIn(await beginningOf(path));
  if (interpreter === undefined || (await whereItIs(resolve(cwd, interpreter))) !== null) return null;
  return whatIsMissing(place);
}

/** What the shell or `env` says of a missing program. */
const NOT_FOUND = 127;

/** Why a command ended with this code, where a script with CRLF line ends explains it: `: …`, or nothing. Never throws. */
export async function whyEnded(place: Place, args: readonly string[], code: number | null): Promise<string> {
  const words = [place.program, ...args];
  const shell = words.findIndex((word) => isShell(basename(word)));
  const script =
    shell !== -1
      ? words.slice(shell + 1).find((argument) => !/^[-+]/.test(argument)) // the shell has started, and meets the line ends in it
      : code === NOT_FOUND
        ? place.program
        : undefined;
  if (script === undefined) return '';
  // A shell looks for its script in its folder first.
  const where = script === place.program ? place : { ...place, program: resolve(place.cwd, script) };
  const firstLine = /^[^\n]*\n/.exec((await headOf(where)) ?? '')?.[0] ?? '';
  return firstLine.endsWith('\r\n') ? `: the script ${script} ${CRLF}` : '';
}

/** The first bytes of a program, where it is found and can be read: enough for a script's first line, or a binary's loader. */
const headOf = (place: Place): Promise<string | null> => first(place, beginningOf);

/** The first answer of the places where a program is looked for. */
async function first(
  { program, cwd, path }: Place,
  ask: (path: string) => Promise<string | null>,
): Promise<string | null> {
  const folders = program.includes('/') ? [cwd] : path.split(delimiter).map((folder) => resolve(cwd, folder));
  for (const folder of folders) {
    const answer = await ask(resolve(folder, program));
    if (answer !== null) return answer;
  }
  return null;
}

export const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

const whereItIs = (path: string): Promise<string | null> =>
  access(path).then(
    () => path,
    () => null,
  );

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
