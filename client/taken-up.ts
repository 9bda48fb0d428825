import type { WorkflowHandle } from '@temporalio/client';

/** After this time it is asked whether anybody has begun, ms. */
const TAKEN_UP_MS = 5_000;

/** Events of a workflow that nobody has taken up: it was started, and a task of it was scheduled. */
const UNTOUCHED = 2;

/** Whether no worker has begun a workflow yet. @throws what Temporal throws */
export const isUntouched = async (handle: WorkflowHandle): Promise<boolean> =>
  (await handle.describe()).historyLength <= UNTOUCHED;

/**
 * Says after some seconds that no worker has begun a workflow, where that is so.
 * @returns ends the waiting.
 */
export function noticeUntouched(
  handle: WorkflowHandle,
  taskQueue: string,
  onWaiting: (why: string) => void,
): () => void {
  const asked = setTimeout(() => {
    isUntouched(handle)
      .then((untouched) => {
        if (untouched) onWaiting(`no worker has begun it yet: check that one runs on task queue ${taskQueue}`);
      })
      .catch(() => {}); // the result will tell
  }, TAKEN_UP_MS);
  return () => clearTimeout(asked);
}
