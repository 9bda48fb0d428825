import type { Command } from '@commander-js/extra-typings';
import { formatWorkItem } from '../format/work-item.ts';
import {
  type CommandContext,
  namedBy,
  REPO,
  REPO_AND_WORK_ITEM,
  REPO_OR_WORK_ITEM,
  THEN_WORK_ITEM,
} from './context.ts';

/** `status [repo] <workItem>`. JSON: `{workItem, deploy, window}`, each as views.ts has it, or null. */
export function addStatus(program: Command, context: CommandContext): void {
  program
    .command('status')
    .description('show a deploy and its post-deploy window')
    .usage(REPO_AND_WORK_ITEM)
    .argument(...REPO_OR_WORK_ITEM)
    .argument(...THEN_WORK_ITEM)
    .option(...REPO)
    .action(async (first, second, { repo }) => {
      const ref = namedBy(first, second, repo);
      const client = await context.client();
      const view = await client.status(ref);
      const { result, paint } = context.output();
      result(formatWorkItem(view, context.now(), paint), view);
    });
}
