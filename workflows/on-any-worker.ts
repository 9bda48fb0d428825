import { sleep } from '@temporalio/workflow';
import { isFailure } from './failures.ts';

/** How long a worker that describes the repository is looked for. */
const LOOKED_FOR = { tries: 12, everyMs: 5_000 };

/**
 * While settings are rolled out, a worker may take an activity of a repository that its own settings do not describe. It begins
 * nothing; another worker may take the next try.
 * @throws what the activity throws in the end.
 */
export async function onAnyWorker<T>(run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await run();
    } catch (error) {
      if (!isFailure(error, 'NotDescribedHere') || tries === LOOKED_FOR.tries) throw error;
      await sleep(LOOKED_FOR.everyMs, { summary: 'for a worker whose settings describe the repository' });
    }
  }
}
