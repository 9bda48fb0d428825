import { type Command, Option } from '@commander-js/extra-typings';
import { OUTCOMES } from '../exit-codes.ts';
import { formatList, formatListOfAll, formatUnanswered } from '../format/list.ts';
import { parseSince, SINCE_FORMS } from '../since.ts';
import { type CommandContext, givenLimit, raised } from './context.ts';

/** `list`. JSON: `{executions, more}`, each execution as list.ts has it. */
export function addList(program: Command, context: CommandContext): void {
  program
    .command('list')
    .description('list deploys and windows that run, newest first')
    .option('--repo <name>', 'of one repository')
    .option('--all', 'those that have ended, too, with their outcome, version and duration')
    .addOption(new Option('--outcome <outcome>', 'those that ended so (implies --all)').choices(OUTCOMES))
    .option('--since <when>', `those that were started since (implies --all): ${SINCE_FORMS}`, (text) =>
      parseSince(text, context.now()),
    )
    .option('--limit <number>', 'the most that are listed', givenLimit, 200)
    .action(async ({ repo, all = false, outcome, since, limit: most }) => {
      const client = await context.client();
      const filtered = outcome !== undefined || since !== undefined;
      const ended = all || filtered;
      const { rows, more } = await client.list({ repo, all: ended, outcome, since, limit: most });
      const { result, note, paint, stdout } = context.output();
      const empty = `nothing ${filtered ? 'matches' : ended ? 'is known' : 'runs'}${repo === undefined ? '' : ` for repository ${repo}`}`;
      const width = stdout.tty ? stdout.size().columns : undefined;
      const table = ended ? formatListOfAll(rows, context.now(), paint, width) : formatList(rows, context.now(), paint);
      const waiting = formatUnanswered(rows).map((line) => paint.warn(line));
      result(rows.length === 0 ? empty : [table, ...waiting].join('\n'), { executions: rows, more });
      if (more) note(`there are more than ${most}: --limit ${raised(most)} shows more of them`);
    });
}
