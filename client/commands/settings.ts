import type { Command } from '@commander-js/extra-typings';
import { FAILURE_EXIT_CODES } from '../exit-codes.ts';
import { formatTable } from '../format/table.ts';
import type { CommandContext } from './context.ts';

/**
 * `settings`. JSON: `{settings: [{name, value, source, help, type, default}], repositories: [{name, value, source}], faults, warnings}`.
 * Exit 78 where a worker would not start with them.
 */
export function addSettings(program: Command, context: CommandContext): void {
  program
    .command('settings')
    .description('show every setting as it takes effect here, secrets masked, and where it comes from')
    .action(() => {
      const shown = context.settings();
      const { settings, repositories, faults, warnings } = shown;
      const { result, note, paint } = context.output();
      const rows = [...settings, ...repositories].map(({ name, value, source }) => [name, value, source]);
      result(formatTable(['SETTING', 'VALUE', 'FROM'], rows, paint), shown);
      for (const warning of warnings) note(`warning: ${warning}`);
      for (const fault of faults) note(`fault: ${fault}`);
      if (faults.length > 0) context.exit(FAILURE_EXIT_CODES.bad_settings);
    });
}
