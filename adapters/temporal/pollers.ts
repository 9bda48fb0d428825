import type { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';

// A CommonJS package: Node finds no named exports in it.
const { TASK_QUEUE_TYPE_WORKFLOW, TASK_QUEUE_TYPE_ACTIVITY } = proto.temporal.api.enums.v1.TaskQueueType;

const TYPES = { workflow: TASK_QUEUE_TYPE_WORKFLOW, activity: TASK_QUEUE_TYPE_ACTIVITY } as const;

/** Which tasks of a task queue a worker polls for. */
export type TaskKind = keyof typeof TYPES;

/**
 * A worker that lives polls anew at least this often, ms: a poll lasts a minute on the server, which notes when it begins and ends.
 * Measured on server 1.29: an idle worker's last poll is up to 58 s old. That of a worker that was frozen (SIGSTOP) grows older once the
 * polls that it had sent have ended, up to a minute after, and is forgotten after five more.
 */
export const POLLS_WITHIN_MS = 75_000;

/**
 * When a worker polled last, epoch ms by the server's clock; `null`: no poll is known of the last five minutes.
 * @throws what Temporal throws.
 */
export async function lastPollAt(
  { workflowService }: Pick<Connection, 'workflowService'>,
  namespace: string,
  taskQueue: string | proto.temporal.api.taskqueue.v1.ITaskQueue,
  kind: TaskKind,
): Promise<number | null> {
  const { pollers } = await workflowService.describeTaskQueue({
    namespace,
    taskQueue: typeof taskQueue === 'string' ? { name: taskQueue } : taskQueue,
    taskQueueType: TYPES[kind],
  });
  const polls = pollers.flatMap(({ lastAccessTime }) =>
    lastAccessTime?.seconds == null
      ? []
      : [Number(lastAccessTime.seconds) * 1_000 + (lastAccessTime.nanos ?? 0) / 1_000_000],
  );
  return polls.length === 0 ? null : Math.max(...polls);
}
