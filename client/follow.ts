import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Client } from '@temporalio/client';
import type { DeployResult } from '../workflows/messages.ts';
import { notFound } from './errors.ts';
import { describe } from './executions.ts';
import type { ResolvedWorkItem } from './resolve-work-item.ts';
import { isOutage } from './temporal-errors.ts';
import { runView, type WorkItemView, windowView, workItemView } from './views.ts';

export interface FollowOptions {
  /** Ends the following, quietly. */
  readonly signal?: AbortSignal | undefined;
  /** Time between two looks, ms. Default 1 000. */
  readonly everyMs?: number | undefined;
  /** Told once an outage begins, and once it is over (`null`). */
  readonly onOutage?: ((error: Error | null) => void) | undefined;
}

/** How long Temporal may be away before the following gives up, ms. */
const MAX_OUTAGE_MS = 5 * 60_000;

/** Whether there is nothing more to come: the run has its result, or it is gone and its window has ended by itself. */
const over = ({ deploy, window }: WorkItemView): boolean =>
  (deploy?.result ?? null) !== null || (deploy?.execution.running !== true && window?.execution.running !== true);

/**
 * How a run has ended; `null` while it goes on. One whose deploy has an unknown outcome is `deploy_unknown`: it goes on only once a
 * person, who may be away for days, says so.
 */
export function endOf(view: WorkItemView | null): DeployResult | null {
  const { result = null, status = null } = view?.deploy ?? {};
  if (result !== null || status?.phase !== 'unknown') return result;
  return { outcome: 'deploy_unknown', reason: status.reason ?? '' };
}

/** The views of a run until it has ended in that sense. */
export async function* untilEnd(views: AsyncIterable<WorkItemView>): AsyncGenerator<WorkItemView, void, void> {
  for await (const view of views) {
    yield view;
    if (endOf(view) !== null) return;
  }
}

/**
 * What is known of a work item, again each time that it has changed, until its run and its window have ended.
 * @throws D2dError: `not_found`, or what Temporal says; an outage only once it has lasted five minutes.
 */
export async function* follow(
  temporal: Client,
  resolved: ResolvedWorkItem,
  repo: string | undefined,
  { signal, everyMs = 1_000, onOutage = () => {} }: FollowOptions = {},
): AsyncGenerator<WorkItemView, void, void> {
  const aborted = new Promise<null>((resolve) =>
    signal?.addEventListener('abort', () => resolve(null), { once: true }),
  );
  let last: WorkItemView | null = null;
  let outageSince: number | null = null;
  while (signal?.aborted !== true) {
    const looking: Promise<WorkItemView> =
      last === null ? workItemView(temporal, resolved, repo) : again(temporal, last);
    const view: WorkItemView | null = await Promise.race([looking, aborted]).catch((error: unknown) => {
      if (last === null || !isOutage(error) || !(error instanceof Error)) throw error;
      if (outageSince === null) onOutage(error);
      outageSince ??= Date.now();
      if (Date.now() - outageSince > MAX_OUTAGE_MS) throw error;
      return null;
    });
    if (view !== null) {
      if (view.deploy === null && view.window === null) {
        throw notFound(`${resolved.workItem}: no deploy and no window is known`, 'd2d list shows what runs');
      }
      if (outageSince !== null) onOutage(null);
      outageSince = null;
      if (!isDeepStrictEqual(view, last)) yield view;
      last = view;
      if (over(view)) return;
    }
    await delay(everyMs, undefined, signal === undefined ? {} : { signal }).catch(() => {}); // aborted: the loop ends
  }
}

/** Another look at the same executions. */
async function again(temporal: Client, last: WorkItemView): Promise<WorkItemView> {
  if (last.deploy !== null) {
    const { execution } = last.deploy;
    return runView(temporal, (await describe(temporal, execution.workflowId, execution.runId)) ?? execution);
  }
  if (last.window === null) return last;
  const { execution } = last.window;
  return { ...last, window: await windowView(temporal, (await describe(temporal, execution.workflowId)) ?? execution) };
}
