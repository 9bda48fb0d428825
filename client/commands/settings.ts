import type { Command } from '@commander-js/extra-typings';
import { oneLine } from '../../decisions/shown-text.ts';
import type { RepositoryInForce } from '../../settings.ts';
import { FAILURE_EXIT_CODES } from '../exit-codes.ts';
import { formatTable } from '../format/table.ts';
import type { Paint } from '../format/text.ts';
import type { CommandContext } from './context.ts';

/**
 * `settings`. JSON: `{settings: [{name, value, source, help, type, default}], repositories: [{name, value, source}], inForce:
 * [{repo, watched, guarded, approval, action, windowSeconds}], faults, warnings}`.
 * Exit 78 where a worker would not start with them.
 */
export function addSettings(program: Command, context: CommandContext): void {
  program
    .command('settings')
    .description('show every setting as it takes effect here, secrets masked, and where it comes from')
    .action(() => {
      const shown = context.settings();
      const { settings, repositories, inForce, faults, warnings } = shown;
      const { result, note, paint } = context.output();
      const rows = [...settings, ...repositories].map((row) => [row.name, row.value, row.source].map(oneLine));
      const tables = [formatTable(['SETTING', 'VALUE', 'FROM'], rows, paint)];
      if (inForce.length > 0) tables.push(formatInForce(inForce, paint));
      result(tables.join('\n\n'), shown);
      for (const warning of warnings) note(`warning: ${warning}`);
      for (const fault of faults) note(`fault: ${fault}`);
      if (faults.length > 0) context.exit(FAILURE_EXIT_CODES.bad_settings);
    });
}

const yes = (on: boolean, paint: Paint): string => (on ? paint.good('yes') : paint.warn('no'));

function formatInForce(rows: readonly RepositoryInForce[], paint: Paint): string {
  return formatTable(
    ['REPOSITORY', 'WATCHED', 'GUARDED', 'APPROVAL', 'ACTION', 'WINDOW'],
    rows.map(({ repo, watched, guarded, approval, action, windowSeconds }) => [
      repo,
      yes(watched, paint),
      yes(guarded, paint),
      approval,
      watched ? action : '–',
      watched ? `${windowSeconds} s` : '–',
    ]),
    paint,
  );
}
