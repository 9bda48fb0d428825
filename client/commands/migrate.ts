import type { Command } from '@commander-js/extra-typings';
import type { CommandContext } from './context.ts';

/** `migrate`: makes the table `tasks` where there is none. JSON: `{ran: [name]}`. */
export function addMigrate(program: Command, context: CommandContext): void {
  program
    .command('migrate')
    .description('create the table tasks in the database, where it has none; may be run at any time')
    .action(async () => {
      const ran = await context.migrate();
      const { result } = context.output();
      result(ran.length === 0 ? 'the database is up to date' : `migrated: ${ran.join(', ')}`, { ran });
    });
}
