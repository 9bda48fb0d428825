import type { Command } from '@commander-js/extra-typings';
import { oneLine } from '../../decisions/shown-text.ts';
import { BY, type CommandContext, givenText, REASON, REPO, WORK_ITEM } from './context.ts';

/** `approve` and `reject <workItem>`. JSON: `{repo, workItem, workflowId, runId, decision, by, reason, takenUp}`. */
export function addApprove(program: Command, context: CommandContext): void {
  for (const [name, description] of [
    ['approve', 'approve a deploy that waits for it'],
    ['reject', 'reject a deploy that waits for approval'],
  ] as const) {
    program
      .command(name)
      .description(description)
      .argument(...WORK_ITEM)
      .option(...REPO)
      .option(...BY, givenText)
      .option(...REASON, givenText)
      .action(async (workItem, { repo, by = context.userName, reason }) => {
        const client = await context.client();
        const sent = await client[name]({ workItem, repo }, { by, reason });
        const { execution, decision, takenUp } = sent;
        const { result, note } = context.output();
        const why = sent.reason === null ? '' : ` (${oneLine(sent.reason)})`;
        result(`${execution.workItem}: deploy ${decision} by ${oneLine(sent.by)}${why}`, {
          repo: execution.repo,
          workItem: execution.workItem,
          workflowId: execution.workflowId,
          runId: execution.runId,
          decision,
          by: sent.by,
          reason: sent.reason,
          takenUp,
        });
        if (!takenUp) note(`${execution.workItem}: no worker has taken it up yet; it is kept and counts when one does`);
      });
  }
}
