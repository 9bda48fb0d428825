import { basename } from 'node:path';
import { placeholderIn } from './placeholders.ts';

// A value that is put into a script becomes code: `deploy {version}` with the version `v2; rm -rf /`.

const SHELL = /^(sh|bash|dash|ash|zsh|ksh|ksh93|mksh|fish)$/;

export const isShell = (program: string): boolean => SHELL.test(program);

/** Options that take a value in the next argument: `-o pipefail`, also at the end of `-euo`. */
const TAKES_VALUE = /^([-+][A-Za-z]*[oO]|--rcfile|--init-file)$/;

/** Other programs, and their options for a script in the next argument. */
const INTERPRETERS: readonly (readonly [program: RegExp, option: RegExp])[] = [
  [/^python[\d.]*$/, /^-[A-Za-z]*c$/],
  [/^(node|nodejs|bun)$/, /^(-e|-p|-pe|--eval|--print)$/],
  [/^(perl|ruby)$/, /^-[A-Za-z]*[eE]$/],
  [/^php$/, /^-r$/],
  [/^env$/, /^(-[A-Za-z]*S|--split-string)$/],
];

export interface ScriptTemplate {
  /** Its place in the command. */
  readonly index: number;
  /** The program that would read the script. */
  readonly program: string;
  /** `{version}` */
  readonly placeholder: string;
  /** The environment variable that holds the same value. */
  readonly variable: string;
}

/**
 * A placeholder in a script that a shell or another interpreter reads, wherever that stands in the command (`env`, `sudo`);
 * `null`: there is none. What follows the script, its own arguments, is safe.
 */
export function placeholderInScript(command: readonly string[]): ScriptTemplate | null {
  for (const [at, argument] of command.entries()) {
    const program = basename(argument);
    const index = isShell(program) ? shellScript(command, at) : otherScript(program, command, at);
    if (index === null) continue;
    const found = placeholderIn(command[index] ?? '');
    return found === null ? null : { index, program, ...found };
  }
  return null;
}

function shellScript(command: readonly string[], shell: number): number | null {
  let reads = false;
  let at = shell + 1;
  for (; at < command.length; at += 1) {
    const option = command[at] ?? '';
    if (!/^[-+]./.test(option)) break;
    if (/^-[A-Za-z]*c/.test(option)) reads = true;
    if (TAKES_VALUE.test(option)) at += 1;
  }
  return reads ? at : null;
}

function otherScript(program: string, command: readonly string[], at: number): number | null {
  const [, option] = INTERPRETERS.find(([known]) => known.test(program)) ?? [];
  if (option === undefined) return null;
  const options = command.slice(at + 1);
  const end = options.findIndex((each) => !each.startsWith('-'));
  const found = options.slice(0, end === -1 ? undefined : end).findIndex((each) => option.test(each));
  return found === -1 ? null : at + found + 2;
}
