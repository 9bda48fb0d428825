import { Command, CommanderError } from '@commander-js/extra-typings';
import { oneLine, visible } from '../decisions/shown-text.ts';
import { addApprove } from './commands/approve.ts';
import { addCancel } from './commands/cancel.ts';
import { addClose } from './commands/close.ts';
import type { CommandContext } from './commands/context.ts';
import { addDoctor } from './commands/doctor.ts';
import { addExplain } from './commands/explain.ts';
import { addExtend } from './commands/extend.ts';
import { addFinished } from './commands/finished.ts';
import { addHelp } from './commands/help.ts';
import { addList } from './commands/list.ts';
import { addMigrate } from './commands/migrate.ts';
import { addReconcile } from './commands/reconcile.ts';
import { addReopen } from './commands/reopen.ts';
import { addResolve } from './commands/resolve.ts';
import { addSchedule } from './commands/schedule.ts';
import { addSettings } from './commands/settings.ts';
import { addStart } from './commands/start.ts';
import { addStatus } from './commands/status.ts';
import { addWatch } from './commands/watch.ts';
import { D2dError, refused } from './errors.ts';
import { EXIT_INTERRUPTED, FAILURE_EXIT_CODES } from './exit-codes.ts';
import { createOutput, guarded, jsonLine, paintOf, type Terminal } from './output.ts';
import { temporalError } from './temporal-errors.ts';
import type { Wiring } from './wiring.ts';

export interface CliDeps {
  readonly terminal: Terminal;
  readonly wiring: Wiring;
  readonly userName: string;
  readonly version: string;
  readonly interrupted: AbortSignal;
  readonly now: () => number;
}

const EPILOGUE = `
Exit codes: d2d help exit-codes. Shapes of --json: d2d help json.
Temporal is found by its standard variables (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE …) and config file.`;

/**
 * Runs one command line.
 * @returns its exit code. Never throws: what goes wrong is told on stderr.
 */
export async function runCli(args: readonly string[], deps: CliDeps): Promise<number> {
  const { wiring, interrupted } = deps;
  const terminal = { stdout: guarded(deps.terminal.stdout), stderr: guarded(deps.terminal.stderr) };
  let code = 0;
  const program = new Command('d2d')
    .description('Start deploys, approve them, watch their post-deploy windows.')
    .version(deps.version, '-V, --cli-version', 'print the version of d2d')
    .option('--json', 'machine-readable: one JSON value a line')
    .option('--debug', 'show the stack of an error')
    .option('--address <host:port>', 'of Temporal (default: TEMPORAL_ADDRESS, or localhost:7233)')
    .option('--namespace <name>', 'of Temporal (default: TEMPORAL_NAMESPACE, or default)')
    .option('--profile <name>', 'of the Temporal config file')
    .addHelpText('after', EPILOGUE)
    .configureHelp({
      showGlobalOptions: true,
      subcommandTerm: (command) => `${command.name()} ${command.usage().replace(/\[options\] ?/, '')}`,
    })
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
      outputError: () => {}, // told below, as every other error
    })
    .exitOverride();
  const json = (): boolean => program.opts().json ?? args.includes('--json');
  const output = () => createOutput(terminal, json());
  const overrides = () => {
    const { address, namespace, profile } = program.opts();
    return { address, namespace, profile };
  };
  const context: CommandContext = {
    output,
    client: () => wiring.client(overrides(), (text) => output().note(text)),
    artefactsDir: wiring.artefactsDir,
    settings: wiring.settings,
    checks: () => wiring.checks(overrides()),
    migrate: wiring.migrate,
    applySchedule: () => wiring.applySchedule(overrides()),
    userName: deps.userName,
    interrupted,
    now: deps.now,
    exit: (its) => {
      code = its;
    },
  };
  const commands = [
    addStart,
    addApprove,
    addFinished,
    addResolve,
    addReopen,
    addStatus,
    addList,
    addWatch,
    addCancel,
    addExtend,
    addClose,
    addSettings,
    addDoctor,
    addMigrate,
    addExplain,
    addReconcile,
    addSchedule,
    addHelp,
  ];
  for (const add of commands) add(program, context);

  try {
    // Nobody means them, and whatever repeats the argument would steer a terminal. A reason may have several lines.
    const steering = args.find((argument) => /[^\P{Cc}\n\r\t]/u.test(argument));
    if (steering !== undefined)
      throw refused(`an argument holds control characters: "${oneLine(steering)}"`, 'leave them out');
    // `--version` belongs to `start`, which names a release by it.
    await program.parseAsync(args[0] === '--version' ? ['--cli-version'] : [...args], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (interrupted.aborted) return EXIT_INTERRUPTED;
    const command = program.commands.find((each) => args.includes(each.name()))?.name() ?? '';
    return tell(toldOf(error, command), terminal, json(), program.opts().debug === true || args.includes('--debug'));
  }
}

/** Every error as one that people can act on. */
function toldOf(error: unknown, command: string): D2dError {
  if (!(error instanceof CommanderError)) return temporalError(error);
  // Without a command there is the help on stderr already.
  const message = error.code === 'commander.help' ? 'a command must be named' : error.message.replace(/^error: /, '');
  const sentence = message.trim().replaceAll(/\s+/g, ' ').replace(/\.$/, '');
  return new D2dError('refused', sentence, `see d2d help ${command}`.trim(), error);
}

function tell(error: D2dError, { stderr }: Terminal, json: boolean, debug: boolean): number {
  const { message, hint, kind } = error;
  if (json) {
    stderr.write(jsonLine({ error: { message, hint } }));
  } else {
    stderr.write(`${paintOf(stderr).bad('error:')} ${visible(`${message}${hint === null ? '' : `; ${hint}`}`)}\n`);
  }
  if (debug) stderr.write(`${visible(stackOf(error.cause ?? error))}\n`);
  return FAILURE_EXIT_CODES[kind];
}

const stackOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const stack = error.stack ?? error.message;
  return error.cause === undefined ? stack : `${stack}\ncaused by: ${stackOf(error.cause)}`;
};
