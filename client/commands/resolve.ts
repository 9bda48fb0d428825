import { type Command, Option } from '@commander-js/extra-typings';
import { refused } from '../errors.ts';
import { BY, type CommandContext, givenText, givenVersion, REASON, REPO, tellReported, WORK_ITEM } from './context.ts';

/** `resolve <workItem>`. JSON: `{repo, workItem, workflowId, runId, deployed, version, by, reason, takenUp}`. */
export function addResolve(program: Command, context: CommandContext): void {
  program
    .command('resolve')
    .description('say how a deploy ended whose outcome is unknown')
    .argument(...WORK_ITEM)
    .addOption(new Option('--deployed', 'the new version runs: go on with its health check').conflicts('notDeployed'))
    .option('--not-deployed', 'it does not run: the deploy has failed')
    .option('--version <version>', 'the version that runs now (default: the one that was started)', givenVersion)
    .option(...REPO)
    .option(...BY, givenText)
    .requiredOption(...REASON, givenText)
    .action(async (workItem, { deployed, notDeployed, version, repo, by = context.userName, reason }) => {
      if (deployed !== true && notDeployed !== true)
        throw refused('what happened must be said', 'add --deployed or --not-deployed');
      const said = { deployed: deployed === true, by, reason, ...(version === undefined ? {} : { version }) };
      const client = await context.client();
      const reported = await client.resolveDeploy({ workItem, repo }, said);
      const what = said.deployed ? 'deployed' : 'not deployed';
      tellReported(context, reported, `resolved as ${what} by ${by} (${reason})`, {
        ...said,
        version: version ?? null,
      });
    });
}
