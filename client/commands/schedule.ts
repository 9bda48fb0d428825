import type { Command } from '@commander-js/extra-typings';
import type { CommandContext } from './context.ts';

const WORDS = {
  created: 'the schedule was created',
  updated: 'the schedule was updated',
  removed: 'the schedule was removed',
  none: 'there is no schedule',
} as const;

/** `schedule apply`: the schedule of the sweeps, as the settings here say. JSON: `{applied, scheduleId, everySeconds}`. */
export function addSchedule(program: Command, context: CommandContext): void {
  program
    .command('schedule')
    .description('the Temporal Schedule of the sweeps')
    .command('apply')
    .description('make it what the settings say (ORCH_SWEEP_SECONDS), as a starting worker does')
    .action(async () => {
      const { applied, scheduleId, everyMs } = await context.applySchedule();
      const { result } = context.output();
      const every = everyMs === 0 ? 'ORCH_SWEEP_SECONDS is 0' : `every ${everyMs / 1_000} s`;
      result(`${WORDS[applied]} (${scheduleId}, ${every})`, { applied, scheduleId, everySeconds: everyMs / 1_000 });
    });
}
