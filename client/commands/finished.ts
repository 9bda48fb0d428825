import { type Command, Option } from '@commander-js/extra-typings';
import { refused } from '../errors.ts';
import { BY, type CommandContext, givenText, givenVersion, REPO, tellReported, WORK_ITEM } from './context.ts';

/** `finished <workItem>`. JSON: `{repo, workItem, workflowId, runId, ok, version, by, detail, takenUp}`. */
export function addFinished(program: Command, context: CommandContext): void {
  program
    .command('finished')
    .description('report how an external deploy ended')
    .argument(...WORK_ITEM)
    .addOption(new Option('--ok', 'it succeeded').conflicts('failed'))
    .option('--failed', 'it failed')
    .option('--version <version>', 'the version that was deployed; a report about another one is refused', givenVersion)
    .option('--operation <id>', 'the operation id of the deploy; a report about another one is refused', givenText)
    .option('--detail <text>', 'what happened', givenText)
    .option(...REPO)
    .option(...BY, givenText)
    .action(async (workItem, { ok, failed, version, operation, detail, repo, by = context.userName }) => {
      if (ok !== true && failed !== true) throw refused('how it ended must be said', 'add --ok or --failed');
      const report = {
        ok: ok === true,
        by,
        ...(version === undefined ? {} : { version }),
        ...(operation === undefined ? {} : { operationId: operation }),
        ...(detail === undefined ? {} : { detail }),
      };
      const client = await context.client();
      const reported = await client.reportFinished({ workItem, repo }, report);
      const how = report.ok ? 'succeeded' : 'failed';
      const data = { ok: report.ok, version: version ?? null, by, detail: detail ?? null };
      tellReported(context, reported, `deploy reported as ${how} by ${by}`, data);
    });
}
