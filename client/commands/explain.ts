import type { Command } from '@commander-js/extra-typings';
import { formatExplanation } from '../format/explain.ts';
import { type CommandContext, givenLimit, raised, WORK_ITEM } from './context.ts';

/** `explain <workItem>`. JSON: `{workItem, task, wishes, more}`, each wish as explain.ts has it. */
export function addExplain(program: Command, context: CommandContext): void {
  program
    .command('explain')
    .description('show who wanted which status of a work item, on what evidence it was decided, and what came of it')
    .argument(...WORK_ITEM)
    .option('--limit <number>', 'the most deploys, windows, single writes and healings that are read', givenLimit, 200)
    .action(async (workItem, { limit }) => {
      const client = await context.client();
      const explanation = await client.explain({ workItem }, { limit });
      const { result, note, paint } = context.output();
      result(formatExplanation(explanation, context.now(), paint), explanation);
      if (explanation.more)
        note(`there are more than ${limit}, the older ones were not read: --limit ${raised(limit)} reads more of them`);
    });
}
