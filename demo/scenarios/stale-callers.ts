import type { SetStatusResult } from '../../activities/status-setters.ts';
import { SET_STATUS_WORKFLOW, type SetDeployStatusInput } from '../../workflows/messages.ts';
import { REPO } from '../stack/repositories-file.ts';
import type { Stack } from '../stack/stack.ts';
import { pause } from '../stack/wait.ts';
import { TASK_QUEUE } from '../stack/worker-environment.ts';

/** What the callers of ORCH-061 did: they knew a work item and held the bot's token, nothing more. */
export interface StaleCallers {
  started(): number;
  /** Ends the calls and waits for those that are under way. @throws what one of them has failed with. */
  stop(): Promise<readonly SetStatusResult[]>;
}

const ROUND = ['awaiting_deploy', 'deploying', 'monitoring'] as const;

/** Calls the three setters in turn, each call a small workflow on the task queue of the worker. */
export function startStaleCallers({ temporal, signal }: Stack, workItem: string, everyMs: number): StaleCallers {
  const stopping = new AbortController();
  const either = AbortSignal.any([signal, stopping.signal]);
  const calls: Promise<SetStatusResult>[] = [];

  const call = (number: number): Promise<SetStatusResult> => {
    const input: SetDeployStatusInput = {
      repo: REPO,
      workItem,
      status: ROUND[number % ROUND.length] ?? 'monitoring',
      caller: 'stale-caller',
      reason: 'a webhook that came late',
    };
    return temporal.workflow.execute<(given: SetDeployStatusInput) => Promise<SetStatusResult>>(SET_STATUS_WORKFLOW, {
      workflowId: `stale/${REPO}/${workItem}/${number}`,
      taskQueue: TASK_QUEUE,
      args: [input],
      staticSummary: `${workItem}: a stale caller asks for ${input.status}`,
    });
  };

  const calling = (async () => {
    while (!either.aborted) {
      const made = call(calls.length);
      made.catch(() => {}); // thrown by `stop`
      calls.push(made);
      await pause(everyMs, either).catch(() => {}); // the loop's condition sees why
    }
  })();

  return {
    started: () => calls.length,
    async stop() {
      stopping.abort();
      await calling;
      return Promise.all(calls);
    },
  };
}
