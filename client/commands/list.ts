import type { Command } from '@commander-js/extra-typings';
import { formatList } from '../format/list.ts';
import { type CommandContext, givenLimit, raised } from './context.ts';

/** `list`. JSON: `{executions, more}`, each execution as list.ts has it. */
export function addList(program: Command, context: CommandContext): void {
  program
    .command('list')
    .description('list deploys and windows that run, newest first')
    .option('--repo <name>', 'of one repository')
    .option('--all', 'those that have ended, too')
    .option('--limit <number>', 'the most that are listed', givenLimit, 200)
    .action(async ({ repo, all, limit: most }) => {
      const client = await context.client();
      const { rows, more } = await client.list({ repo, all: all === true, limit: most });
      const { result, note, paint } = context.output();
      const empty = `nothing ${all === true ? 'is known' : 'runs'}${repo === undefined ? '' : ` for repository ${repo}`}`;
      result(rows.length === 0 ? empty : formatList(rows, context.now(), paint), { executions: rows, more });
      if (more) note(`there are more than ${most}: --limit ${raised(most)} shows more of them`);
    });
}
