import { basename } from 'node:path';
import { placeholderIn } from './placeholders.ts';

// A value that is put into a script becomes code: `deploy {version}` with the version `v2; rm -rf /`.

const SHELL = /^(sh|bash|rbash|dash|ash|zsh|ksh|ksh93|mksh|csh|tcsh|fish)$/;

export const isShell = (program: string): boolean => SHELL.test(program);

/** Options that take a value in the next argument: `-o pipefail`, also at the end of `-euo`. */
const TAKES_VALUE = /^([-+][A-Za-z]*[oO]|--rcfile|--init-file)$/;

/** Another program that reads a script from its arguments. */
interface Interpreter {
  readonly program: RegExp;
  /** The option for a script, which is the rest of it or, if there is none, the next argument. */
  readonly script: RegExp;
  /** Options with a value in the next argument. */
  readonly takesValue?: RegExp;
  /** How many words, such as a user, may stand before that option; what follows the last of them is another program. */
  readonly words?: number;
}

const INTERPRETERS: readonly Interpreter[] = [
  { program: /^python[\d.]*$/, script: /^-[bBdEiIOPqRsSuvx]*c(.*)$/s, takesValue: /^-[bBdEiIOPqRsSuvx]*[WX]$/ },
  {
    program: /^(node|nodejs|bun|tsx)$/,
    script: /^(?:-e|-p|-pe|--eval|--print)(?:=(.*))?$/s,
    takesValue: /^(-r|-C|--(require|import|loader|experimental-loader|conditions|input-type|env-file|title))$/,
  },
  { program: /^deno$/, script: /^eval$/ },
  { program: /^perl[\d.]*$/, script: /^-[acflnpsStTuUvwWX\d]*[eE](.*)$/s, takesValue: /^-I$/ },
  { program: /^ruby[\d.]*$/, script: /^-[acdlnpsSvwW\d]*e(.*)$/s, takesValue: /^-[CEIr]$/ },
  { program: /^php[\d.]*$/, script: /^(?:-[BERr]|--run|--process-\w+)=?(.*)$/s, takesValue: /^-[cdfz]$/ },
  { program: /^lua(jit)?[\d.]*$/, script: /^-e(.*)$/s, takesValue: /^-l$/ },
  { program: /^(Rscript|osascript)$/, script: /^-e(.*)$/s },
  { program: /^(pwsh|powershell)$/, script: /^-c(ommand)?$/i },
  {
    program: /^env$/,
    script: /^(?:-[iv0]*S|--split-string)=?(.*)$/s,
    takesValue: /^(-u|-C|--unset|--chdir)$/,
  },
  {
    program: /^(su|runuser|sg|flock|script)$/,
    script: /^(?:-[a-zA-Z]*?c|--(?:session-)?command)=?(.*)$/s,
    takesValue: /^(-[EgGTw]|--(group|supp-group|timeout|wait|conflict-exit-code|whitelist-environment))$/,
    words: 1,
  },
];

/** Their last arguments are put together and read by a shell of another machine. */
const REMOTE = /^(ssh|autossh|slogin|rsh|dbclient|plink)$/;
const REMOTE_TAKES_VALUE = /^-[A-Za-z]*[BbcDEeFIiJLlmOoPpQRSWw]$/;

export interface ScriptTemplate {
  /** Its place in the command. */
  readonly index: number;
  /** The program that would read the script. */
  readonly program: string;
  /** `{version}` */
  readonly placeholder: string;
  /** The environment variable that holds the same value. */
  readonly variable: string;
  /** The script is run on another machine, where that variable must be sent to. */
  readonly remote: boolean;
}

/**
 * A placeholder in a script that a shell or another interpreter reads, wherever that stands in the command (`env`, `sudo`);
 * `null`: there is none. What follows the script, its own arguments, is safe.
 */
export function placeholderInScript(command: readonly string[]): ScriptTemplate | null {
  for (const [at, argument] of command.entries()) {
    const program = basename(argument);
    const remote = REMOTE.test(program);
    const found = scripts(program, command, at).find(({ text }) => placeholderIn(text) !== null);
    const placeholder = placeholderIn(found?.text ?? '');
    if (found !== undefined && placeholder !== null) return { index: found.index, program, ...placeholder, remote };
  }
  return null;
}

interface Script {
  readonly index: number;
  readonly text: string;
}

/** What of the arguments a program would read as a script. */
function scripts(program: string, command: readonly string[], at: number): readonly Script[] {
  const from = isShell(program)
    ? shellScript(command, at)
    : REMOTE.test(program)
      ? remoteScript(command, at)
      : otherScript(program, command, at);
  return from.map((index) => ({ index, text: command[index] ?? '' }));
}

function shellScript(command: readonly string[], shell: number): number[] {
  const options: number[] = [];
  let at = shell + 1;
  for (; at < command.length; at += 1) {
    const option = command[at] ?? '';
    if (!/^[-+]./.test(option)) break;
    if (/^(-[A-Za-z]*c|--(init-)?command)/.test(option)) options.push(at); // it may hold the script itself
    if (TAKES_VALUE.test(option)) at += 1;
  }
  return options.length === 0 ? [] : [...options, at];
}

/** Everything behind the host. */
function remoteScript(command: readonly string[], ssh: number): number[] {
  let host = ssh + 1;
  while (command[host]?.startsWith('-')) host += REMOTE_TAKES_VALUE.test(command[host] ?? '') ? 2 : 1;
  return command.map((_, index) => index).filter((index) => index > host);
}

function otherScript(program: string, command: readonly string[], at: number): number[] {
  const known = INTERPRETERS.find((each) => each.program.test(program));
  let words = known?.words ?? 0;
  for (let index = at + 1; known !== undefined && index < command.length; index += 1) {
    const argument = command[index] ?? '';
    const script = known.script.exec(argument);
    if (script !== null) return [(script[1] ?? '') === '' ? index + 1 : index];
    if (argument === '--') break;
    if (known.takesValue?.test(argument)) index += 1;
    else if (!argument.startsWith('-')) {
      words -= 1;
      if (words < 0) break;
    }
  }
  return [];
}
