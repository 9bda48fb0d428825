import type { Client } from '@temporalio/client';

export interface HealingOf {
  /** The tracker's own ids of the work item and its project. */
  readonly id: string;
  readonly project: string;
}

/** Whoever sends an event is answered within a second. */
const START_MS = 3_000;

/**
 * Has a work item looked at: starts its healing, or asks the one that runs for one more look. Names are as in workflows/messages.ts,
 * which an adapter does not import; a test holds them against it.
 * @throws what Temporal throws.
 */
export async function startHealing(client: Client, taskQueue: string, { id, project }: HealingOf): Promise<void> {
  await client.withDeadline(Date.now() + START_MS, () =>
    client.workflow.signalWithStart('healWorkItem', {
      taskQueue,
      workflowId: `heal/${taskQueue}/${id}`,
      args: [{ id, project }],
      signal: 'look',
      staticSummary: 'something has happened to a work item: look at its status',
    }),
  );
}
