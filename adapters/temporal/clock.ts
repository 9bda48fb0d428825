import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { lastPollAt } from './pollers.ts';

const { TASK_QUEUE_KIND_STICKY } = proto.temporal.api.enums.v1.TaskQueueKind;

/** How long a poll is looked for, ms. */
const WITHIN_MS = 5_000;

/**
 * How far the clock of this machine is ahead of Temporal's, ms; negative: behind. `null`: it could not be told in time.
 *
 * No answer of Temporal tells its time, but it notes when each poll came in (measured, server 1.29). So this polls a task queue that
 * nobody else knows: a sticky one, which is in one place and is forgotten by itself. The time that the requests take does not count.
 * @param normalName the task queue of the workers, to which it belongs
 * @throws what Temporal throws.
 */
export async function aheadOfTemporal(
  connection: Connection,
  namespace: string,
  normalName: string,
): Promise<number | null> {
  const name = `d2d-clock-${randomUUID()}`;
  const taskQueue = { name, kind: TASK_QUEUE_KIND_STICKY, normalName };
  const over = new AbortController();
  const askedAt = Date.now();
  const polling = connection.withAbortSignal(over.signal, () =>
    // Temporal takes no poll without a deadline.
    connection.withDeadline(Date.now() + 2 * WITHIN_MS, () =>
      connection.workflowService.pollWorkflowTaskQueue({ namespace, taskQueue, identity: name }),
    ),
  );
  polling.catch(() => {}); // it is given up once it has been noted
  try {
    for (const until = performance.now() + WITHIN_MS; performance.now() < until; ) {
      const notedAt = await lastPollAt(connection, namespace, taskQueue, 'workflow');
      if (notedAt !== null) return Math.max(0, askedAt - notedAt) + Math.min(0, Date.now() - notedAt);
      await delay(20);
    }
    return null;
  } finally {
    over.abort();
  }
}
