import type { Command } from '@commander-js/extra-typings';
import { oneLine } from '../../decisions/shown-text.ts';
import { told } from './cancel.ts';
import { BY, type CommandContext, givenText, REASON, REPO, WORK_ITEM } from './context.ts';

/** `reopen <workItem>`. JSON: `{repo, workItem, workflowId, runId, by, reason, stage}`. */
export function addReopen(program: Command, context: CommandContext): void {
  program
    .command('reopen')
    .description('set the task of a finished work item back to deploy, so that it can be deployed again')
    .argument(...WORK_ITEM)
    .option(...REPO)
    .option(...BY, givenText)
    .requiredOption(...REASON, givenText)
    .action(async (workItem, { repo, by = context.userName, reason }) => {
      const client = await context.client();
      const { result, note } = context.output();
      const {
        execution,
        stage,
        note: incomplete,
      } = await client.reopen({ workItem, repo }, { by, reason }, { signal: context.interrupted, onWaiting: note });
      const who = `by ${oneLine(by)} (${oneLine(reason)})`;
      result(`${execution.workItem}: reopened ${who}: tasks.stage is ${stage}`, {
        ...told(execution),
        ...{ by, reason, stage },
      });
      if (incomplete !== null) note(`${execution.workItem}: ${oneLine(incomplete)}`);
      note(`${execution.workItem}: deploy it with d2d start ${execution.workItem} --version …`);
    });
}
