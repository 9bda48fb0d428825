import type { Command } from '@commander-js/extra-typings';
import { logPath } from '../../activities/artefact-path.ts';
import { oneLine } from '../../decisions/shown-text.ts';
import { words } from '../format/text.ts';
import { told } from './cancel.ts';
import { BY, type CommandContext, givenText, REASON, REPO, WORK_ITEM } from './context.ts';

/** `close <workItem>`. JSON: `{repo, workItem, workflowId, runId, report, logPath}`. */
export function addClose(program: Command, context: CommandContext): void {
  program
    .command('close')
    .description('end a post-deploy window now, with the verdict so far')
    .argument(...WORK_ITEM)
    .option(...REPO)
    .option(...BY, givenText)
    .requiredOption(...REASON, givenText)
    .action(async (workItem, { repo, by = context.userName, reason }) => {
      const client = await context.client();
      const { execution, report } = await client.closeWindow({ workItem, repo }, { by, reason });
      const folder = context.artefactsDir();
      const path = logPath(folder ?? '', report);
      const at = `tick ${report.ticks.at(-1)?.tick ?? 0} of ${report.plannedTicks}`;
      const lines = [
        `${report.workItem}: window closed at ${at} by ${oneLine(by)} (${oneLine(reason)}): ${words(report.outcome)}`,
        `  ${oneLine(report.summary)}`,
        `  log: ${path}${folder === null ? ' (in the ORCH_ARTEFACTS_DIR of the worker)' : ' (on the machine of the worker)'}`,
      ];
      context.output().result(lines.join('\n'), { ...told(execution), report, logPath: path });
    });
}
