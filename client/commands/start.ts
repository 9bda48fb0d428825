import { setTimeout as delay } from 'node:timers/promises';
import { type Command, Option } from '@commander-js/extra-typings';
import { oneLine } from '../../decisions/shown-text.ts';
import type { D2dClient } from '../client.ts';
import { exitCodeOfDeploy } from '../exit-codes.ts';
import { endOf, untilEnd } from '../follow.ts';
import { outcomeWords } from '../format/deploy.ts';
import { showLive } from '../live.ts';
import type { DeployHandle } from '../start.ts';
import { isItsOwnFailure } from '../unanswered.ts';
import type { DeployView, WorkItemView } from '../views.ts';
import {
  BY,
  type CommandContext,
  exitCodeOf,
  givenText,
  givenVersion,
  namedBy,
  REPO_AND_WORK_ITEM,
  REPO_OR_WORK_ITEM,
  THEN_WORK_ITEM,
  tellInterrupted,
} from './context.ts';

/** How long a start that does not wait looks whether the run is refused at once, ms. */
const REFUSAL_MS = 3_000;
const LOOK_EVERY_MS = 150;

/** `start [repo] <workItem>`. JSON: `{repo, workItem, workflowId, runId, outcome, reason}`. */
export function addStart(program: Command, context: CommandContext): void {
  program
    .command('start')
    .description('start a deploy and take its work item to Done')
    .usage(REPO_AND_WORK_ITEM)
    .argument(...REPO_OR_WORK_ITEM)
    .argument(...THEN_WORK_ITEM)
    .option('--version <version>', 'the release to deploy', givenVersion)
    .addOption(
      new Option('--approval <whether>', 'default: as the settings say').choices(['required', 'none'] as const),
    )
    .option('--create', 'create the task, where there is none')
    .option(...BY, givenText)
    .option('--wait', 'show the progress, and exit by the outcome: d2d help exit-codes')
    .action(async (first, second, { version, approval, create, by, wait }) => {
      const client = await context.client();
      const handle = await client.start({
        ...namedBy(first, second),
        ...(version === undefined ? {} : { version }),
        ...(approval === undefined ? {} : { approval }),
        ...(create === true ? { createTask: true } : {}),
        requestedBy: by ?? context.userName,
      });
      await (wait === true ? waitForEnd : tellStarted)(context, client, handle);
    });
}

async function tellStarted(context: CommandContext, client: D2dClient, handle: DeployHandle): Promise<void> {
  const { workItem, repo, workflowId } = handle;
  const view = await firstWord(context, client, handle);
  const outcome = view?.status?.outcome ?? null;
  const reason = view?.status?.reason ?? null;
  const { result, note, paint } = context.output();
  const data = { ...handle, outcome, reason };
  if (outcome !== null) {
    result(`${workItem}: ${outcomeWords(outcome, paint)}${reason === null ? '' : `: ${oneLine(reason)}`}`, data);
    if (outcome === 'already_done') note(`${workItem}: nothing was deployed`);
    context.exit(exitCodeOfDeploy({ outcome, otherVersionRequested: view?.status?.otherVersionRequested ?? false }));
    return;
  }
  result(`${workItem}: deploy of ${repo} started (${workflowId})`, data);
  const unanswered = view?.unanswered ?? null;
  if (unanswered !== null)
    note(
      `${workItem}: ${unanswered}${isItsOwnFailure(unanswered) ? '' : '; the run is kept and begins when one does'}`,
    );
  note(`${workItem}: follow it with d2d watch ${workItem}`);
}

/** The run once it waits or works; what it says at once where it is refused. */
async function firstWord(
  { interrupted, now }: CommandContext,
  client: D2dClient,
  handle: DeployHandle,
): Promise<DeployView | null> {
  const deadline = now() + REFUSAL_MS;
  for (;;) {
    const view = await client.deployStatus(handle);
    const { status } = view;
    const begun = status !== null && (status.approval.expiresAt ?? status.approval.decision) !== null;
    if (begun || status?.outcome != null || now() > deadline || interrupted.aborted) return view;
    await delay(LOOK_EVERY_MS);
  }
}

async function waitForEnd(context: CommandContext, client: D2dClient, handle: DeployHandle): Promise<void> {
  const { output, interrupted, now } = context;
  const { json, note, result, paint, stderr } = output();
  const { workItem } = handle;
  note(`${workItem}: deploy of ${handle.repo} started (${handle.workflowId})`);
  const views = untilEnd(client.follow(handle, { signal: interrupted, onOutage: outage(context, workItem) }));
  const last = json ? await lastOf(views, note) : await showLive(views, stderr, now);
  if (interrupted.aborted) {
    tellInterrupted(context, workItem);
    return;
  }
  const { outcome = null, reason = null } = endOf(last) ?? {};
  const how =
    outcome === null ? `was ${last?.deploy?.execution.status.toLowerCase() ?? 'lost'}` : outcomeWords(outcome, paint);
  result(`${workItem}: ${how}${reason === null ? '' : `: ${oneLine(reason)}`}`, { ...handle, outcome, reason });
  if (outcome === 'already_done') note(`${workItem}: nothing was deployed`);
  context.exit(exitCodeOf(last));
}

/** The last view; says on the way why no worker answers. */
async function lastOf(views: AsyncIterable<WorkItemView>, note: (text: string) => void): Promise<WorkItemView | null> {
  let last: WorkItemView | null = null;
  for await (const view of views) {
    const unanswered = unansweredOf(view);
    if (unanswered !== null && unanswered !== unansweredOf(last)) note(`${view.workItem}: ${unanswered}`);
    last = view;
  }
  return last;
}

const unansweredOf = (view: WorkItemView | null): string | null =>
  view?.deploy?.unanswered ?? view?.window?.unanswered ?? null;

/** Says when Temporal goes away and when it is back. */
export const outage =
  ({ output }: CommandContext, workItem: string) =>
  (error: Error | null): void =>
    output().note(`${workItem}: ${error === null ? 'Temporal answers again' : `${error.message}; trying again`}`);
