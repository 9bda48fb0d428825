import type { Command } from '@commander-js/extra-typings';
import { oneLine } from '../../decisions/shown-text.ts';
import { words } from '../format/text.ts';
import type { WindowCancelled } from '../window-commands.ts';
import { BY, type CommandContext, givenText, REASON, REPO, WORK_ITEM } from './context.ts';

/**
 * `cancel <workItem>`: the window, or the whole run.
 * JSON: `{repo, workItem, workflowId, runId, what: 'window' | 'run', by, reason, takenUp, tick, plannedTicks, outcome}`.
 */
export function addCancel(program: Command, context: CommandContext): void {
  program
    .command('cancel')
    .description('stop watching: cancel the post-deploy window; with --run the whole deploy')
    .argument(...WORK_ITEM)
    .option(...REPO)
    .option(...BY, givenText)
    .requiredOption(...REASON, givenText)
    .option('--run', 'cancel the whole run, wherever it is')
    .action(async (workItem, { repo, by = context.userName, reason, run }) => {
      const client = await context.client();
      if (run === true) {
        const execution = await client.cancelRun({ workItem, repo }, { by, reason });
        const { result, note } = context.output();
        result(`${execution.workItem}: cancel of the run asked for by ${oneLine(by)} (${oneLine(reason)})`, {
          ...told(execution),
          ...{ what: 'run', by, reason, takenUp: null, tick: null, plannedTicks: null, outcome: null },
        });
        note(`${execution.workItem}: see how it ends with d2d watch ${execution.workItem}`);
        return;
      }
      tellCancelled(context, await client.cancelWindow({ workItem, repo }, { by, reason }));
    });
}

function tellCancelled({ output }: CommandContext, { execution, by, reason, status }: WindowCancelled): void {
  const { result, note } = output();
  const { workItem } = execution;
  const who = `by ${oneLine(by)} (${oneLine(reason)})`;
  const where = status === null ? '' : ` at tick ${status.tick} of ${status.plannedTicks}`;
  result(`${workItem}: window ${status === null ? 'cancel sent' : `cancelled${where}`} ${who}`, {
    ...told(execution),
    what: 'window',
    by,
    reason,
    takenUp: status !== null,
    tick: status?.tick ?? null,
    plannedTicks: status?.plannedTicks ?? null,
    outcome: status?.outcome ?? null,
  });
  if (status === null) note(`${workItem}: no worker has taken it up yet; it is kept and counts when one does`);
  else if (status.phase === 'acting')
    note(`${workItem}: a rollback that has begun is not cancelled; the window closes when it has ended`);
  else if (status.outcome !== null && status.outcome !== 'cancelled') {
    note(`${workItem}: its outcome stays ${words(status.outcome)}`);
  }
}

/** Which execution was spoken to. */
export const told = ({
  repo,
  workItem,
  workflowId,
  runId,
}: {
  readonly repo: string;
  readonly workItem: string;
  readonly workflowId: string;
  readonly runId: string;
}) => ({ repo, workItem, workflowId, runId });
