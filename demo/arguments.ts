import { Argument, Command } from '@commander-js/extra-typings';
import { type DemoOptions, SCENARIOS } from './options.ts';

export type Parsed = { readonly options: DemoOptions } | { readonly exitCode: number; readonly text: string };

const EXIT_USAGE = 2;

const SCENARIO_HELP = `
Scenarios:
  green    deploy v2, watch it, Done
  red      production degrades after its health check passed; an alert, or with --rollback v1 comes back
  flap     stale callers hammer the status setters (ORCH-061), and foreign writers the work item itself: it is corrected within
           two seconds, or with --no-webhooks by the next sweep; with --no-guard it flaps
  cancel   two windows are cancelled midway, one by d2d, one by a raw signal
  crash    the worker is killed with -9 during a status write, a probe and a rollback

Exit code: 0 all was as expected, 1 it was not (or the demo could not run), 2 bad usage, 130 Ctrl-C.`;

/** What the demo was asked for. Never throws: bad usage is an exit code with a text. */
export function parseArguments(args: readonly string[]): Parsed {
  let text = '';
  const command = new Command('npm run demo --')
    .description('Deploys a real service to done on a real Temporal server, and shows it.')
    .addArgument(new Argument('[scenario]', 'which one').choices(SCENARIOS).default('green' as const))
    .option('--real-time', 'a window of 15 minutes, as in earnest; without it one of seconds')
    .option('--rollback', 'red: roll back instead of an alert')
    .option('--no-guard', 'flap: switch the deploy status guard off')
    .option('--no-webhooks', 'flap: Plane tells the worker nothing, a sweep finds what others have written')
    .option('--keep', 'leave everything running afterwards, until Ctrl-C')
    .option('--json', 'the summary as JSON on stdout, all else on stderr')
    .addHelpText('after', SCENARIO_HELP)
    .exitOverride()
    .configureOutput({
      writeOut: (written) => {
        text += written;
      },
      writeErr: (written) => {
        text += written;
      },
    });
  try {
    command.parse(args, { from: 'user' });
  } catch (error) {
    const help = error instanceof Error && 'exitCode' in error && error.exitCode === 0;
    return { exitCode: help ? 0 : EXIT_USAGE, text };
  }
  const [scenario] = command.processedArgs;
  const { realTime, rollback, guard, webhooks, keep, json } = command.opts();
  const misplaced = [
    rollback === true && scenario !== 'red' && scenario !== 'crash' ? '--rollback belongs to red' : null,
    guard === false && scenario !== 'flap' ? '--no-guard belongs to flap' : null,
    webhooks === false && scenario !== 'flap' ? '--no-webhooks belongs to flap' : null,
  ].filter((fault) => fault !== null);
  if (misplaced.length > 0)
    return { exitCode: EXIT_USAGE, text: `error: ${misplaced.join('; ')}, not to ${scenario}\n` };
  return {
    options: {
      scenario,
      time: realTime === true ? 'real' : 'compressed',
      action: rollback === true || scenario === 'crash' ? 'rollback' : 'alert',
      guard: guard ? 'on' : 'off',
      webhooks: webhooks && guard && scenario === 'flap' ? 'on' : 'off',
      afterwards: keep === true ? 'keep' : 'stop',
      output: json === true ? 'json' : 'people',
    },
  };
}
