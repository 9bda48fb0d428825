import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import {
  type DeployResult,
  deployWorkflowId,
  monitorWorkflowId,
  type WindowStatus,
  windowStatusQuery,
} from '../../workflows/messages.ts';
import type { Say } from '../display/display.ts';
import { REPO } from '../stack/repositories-file.ts';
import type { Stack } from '../stack/stack.ts';
import type { DemoWorkItem } from '../stack/tracker.ts';
import { pause } from '../stack/wait.ts';
import { createTelling } from './telling.ts';
import type { SeenTick } from './tick-numbers.ts';

/** Looks on while a window runs, and tells what is new. */
export interface Watch {
  windowRuns(): Promise<boolean>;
  /** Says what is new; `null` where no worker answers. */
  look(say: Say): Promise<WindowStatus | null>;
  /** `null` while the run goes on. @throws where it has failed or was terminated. */
  resultIfEnded(): Promise<DeployResult | null>;
  /** Every look at production that the window has told of so far, oldest first. */
  ticksSeen(): readonly SeenTick[];
  /** Until the window is as wanted. @throws where it never is in time, or the run ends before. */
  until(what: string, wanted: (window: WindowStatus) => boolean, say: Say): Promise<WindowStatus>;
  /** Until the run has ended. */
  untilEnd(say: Say): Promise<DeployResult>;
}

const LOOK_EVERY_MS = 400;
/** A worker that is just dead does not answer, and the demo has other things to do. */
const QUERY_MS = 2_000;

export function createWatch(stack: Stack, item: DemoWorkItem): Watch {
  const { temporal, timing, signal } = stack;
  const deployId = deployWorkflowId(REPO, item.key);
  const monitorId = monitorWorkflowId(REPO, item.key);
  const tell = createTelling(stack.tracker, item);
  /** A window, its settle, a worker that comes back, and a rollback. */
  const withinMs = timing.windowMs + timing.settleMs + 3 * timing.patienceMs;

  const runs = async (workflowId: string): Promise<boolean> => (await status(temporal, workflowId)) === 'RUNNING';

  const ticks: SeenTick[] = [];

  const window = async (): Promise<WindowStatus | null> => {
    try {
      const seen = await temporal.withDeadline(Date.now() + QUERY_MS, () =>
        temporal.workflow.getHandle(monitorId).query(windowStatusQuery),
      );
      const last = ticks.at(-1)?.at ?? 0;
      ticks.push(...seen.lastTicks.filter(({ at }) => at > last));
      return seen;
    } catch {
      return null; // not started, or no worker: whoever waits asks again, within its limit
    }
  };

  const resultIfEnded = async (): Promise<DeployResult | null> =>
    (await runs(deployId)) ? null : temporal.workflow.getHandle<() => Promise<DeployResult>>(deployId).result();

  const look = async (say: Say): Promise<WindowStatus | null> => {
    const seen = await window();
    await tell(seen, say);
    return seen;
  };

  async function lookUntil<T>(
    what: string,
    say: Say,
    done: (window: WindowStatus | null) => Promise<T | null>,
  ): Promise<T> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const answer = await done(await look(say));
      if (answer !== null) return answer;
      if (Date.now() > deadline) throw new Error(`waited in vain ${what}, for ${Math.round(withinMs / 1_000)} s`);
      await pause(LOOK_EVERY_MS, signal);
    }
  }

  return {
    windowRuns: () => runs(monitorId),
    look,
    ticksSeen: () => [...ticks],
    resultIfEnded,
    until: (what, wanted, say) =>
      lookUntil(what, say, async (seen) => {
        if (seen !== null && wanted(seen)) return seen;
        const ended = await resultIfEnded();
        return ended === null ? null : endedBefore(what, ended);
      }),
    untilEnd: (say) => lookUntil('until the run ends', say, resultIfEnded),
  };
}

function endedBefore(what: string, { outcome, reason }: DeployResult): never {
  throw new Error(`the run has ended before (${what}): ${outcome}, ${reason}`);
}

async function status({ workflow }: Client, workflowId: string): Promise<string | null> {
  try {
    return (await workflow.getHandle(workflowId).describe()).status.name;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
