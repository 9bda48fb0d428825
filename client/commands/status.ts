import type { Command } from '@commander-js/extra-typings';
import { formatWorkItem } from '../format/work-item.ts';
import { type CommandContext, REPO, WORK_ITEM } from './context.ts';

/** `status <workItem>`. JSON: `{workItem, deploy, window}`, each as views.ts has it, or null. */
export function addStatus(program: Command, context: CommandContext): void {
  program
    .command('status')
    .description('show a deploy and its post-deploy window')
    .argument(...WORK_ITEM)
    .option(...REPO)
    .action(async (workItem, { repo }) => {
      const client = await context.client();
      const view = await client.status({ workItem, repo });
      const { result, paint } = context.output();
      result(formatWorkItem(view, context.now(), paint), view);
    });
}
