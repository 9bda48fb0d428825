import type { Command } from '@commander-js/extra-typings';
import { showLive } from '../live.ts';
import type { WorkItemView } from '../views.ts';
import {
  type CommandContext,
  exitCodeOf,
  namedBy,
  REPO,
  REPO_AND_WORK_ITEM,
  REPO_OR_WORK_ITEM,
  THEN_WORK_ITEM,
  tellInterrupted,
} from './context.ts';
import { outage } from './start.ts';

/** `watch [repo] <workItem>`. JSON: a line for each change, of the shape of `status`. */
export function addWatch(program: Command, context: CommandContext): void {
  program
    .command('watch')
    .description('follow a deploy and its window to their end; exits as start --wait does')
    .usage(REPO_AND_WORK_ITEM)
    .argument(...REPO_OR_WORK_ITEM)
    .argument(...THEN_WORK_ITEM)
    .option(...REPO)
    .action(async (first, second, { repo }) => {
      const ref = namedBy(first, second, repo);
      const { workItem } = ref;
      const { output, interrupted, now } = context;
      const { json, stdout } = output();
      const client = await context.client();
      const views = client.follow(ref, { signal: interrupted, onOutage: outage(context, workItem) });
      const last = json ? await printed(views, context) : await showLive(views, stdout, now);
      if (interrupted.aborted) tellInterrupted(context, last?.workItem ?? workItem);
      else context.exit(exitCodeOf(last));
    });
}

async function printed(views: AsyncIterable<WorkItemView>, { output }: CommandContext): Promise<WorkItemView | null> {
  let last: WorkItemView | null = null;
  for await (const view of views) {
    output().result('', view);
    last = view;
  }
  return last;
}
