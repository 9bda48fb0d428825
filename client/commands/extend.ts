import type { Command } from '@commander-js/extra-typings';
import { oneLine } from '../../decisions/shown-text.ts';
import { amount } from '../format/text.ts';
import { moment, relative } from '../format/time.ts';
import { parseMinutes } from '../minutes.ts';
import { told } from './cancel.ts';
import { BY, type CommandContext, givenText, REASON, REPO, WORK_ITEM } from './context.ts';

/** `extend <workItem> <minutes>`. JSON: `{repo, workItem, workflowId, runId, by, reason, minutes, endsAt}`. */
export function addExtend(program: Command, context: CommandContext): void {
  program
    .command('extend')
    .description('make a post-deploy window last longer')
    .argument(...WORK_ITEM)
    .argument('<minutes>', 'how much longer; fractions allowed')
    .option(...REPO)
    .option(...BY, givenText)
    .requiredOption(...REASON, givenText)
    .action(async (workItem, minutesText, { repo, by = context.userName, reason }) => {
      const minutes = parseMinutes(minutesText);
      const client = await context.client();
      const { execution, endsAt } = await client.extendWindow({ workItem, repo }, { by, reason, minutes });
      const now = context.now();
      context
        .output()
        .result(
          `${execution.workItem}: window extended by ${amount(minutes)} min by ${oneLine(by)} (${oneLine(reason)}), ends ${moment(endsAt, now)} (${relative(endsAt, now)})`,
          { ...told(execution), by, reason, minutes, endsAt },
        );
    });
}
