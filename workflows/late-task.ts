import { ActivityCancellationType, CancellationScope, isCancellation, proxyActivities } from '@temporalio/workflow';
import type { TaskActivities } from '../activities/tasks.ts';
import { messageOf } from './failures.ts';
import { since } from './patches.ts';
import { untilItWorks } from './until-it-works.ts';

const limits = { startToCloseTimeout: '30 seconds', heartbeatTimeout: '10 seconds' } as const;

/** The first try: what does not work by then must not leave the new version unwatched. */
const { completeTask: completeSoon } = proxyActivities<TaskActivities>({
  ...limits,
  scheduleToCloseTimeout: '1 minute',
  retry: { initialInterval: '1 second', maximumInterval: '10 seconds' },
});

const patient = { ...limits, retry: { initialInterval: '1 second', maximumInterval: '30 seconds' } } as const;

/** A cancelled run waits for the last try, which may set the task to done all the same. */
const { completeTask: completeLate } = proxyActivities<TaskActivities>({
  ...patient,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});

/** In runs of earlier versions. */
const { completeTask: completeLateBefore } = proxyActivities<TaskActivities>(patient);

/** What became of a task that was to be set to done; `given_up`: the run was cancelled before. */
export type Completed = 'done' | 'cancelled' | 'missing' | 'given_up';

/** Sets the task of a deploy to done. Where that does not work soon, it is retried beside the window. */
export interface TaskCompletion {
  /**
   * @param call takes why it does not work soon
   * @returns `late`: it is retried
   */
  complete(call: (why: string) => void): Promise<Completed | 'late'>;
  /** What became of a task that is late; `null`: it is not. */
  late(): Promise<Completed> | null;
  /** Stops the retries: a person who cancels the run need not wait for them. */
  giveUp(): void;
}

/** @param note takes what goes wrong later */
export function createTaskCompletion(workItem: string, note: (text: string) => void): TaskCompletion {
  let late: Promise<Completed> | null = null;
  let retries: CancellationScope | null = null;
  let givenUp = false;

  const stop = (): void => {
    if (givenUp && retries !== null && since('cancel-ends-late-task')) retries.cancel();
  };

  return {
    async complete(call) {
      try {
        return await completeSoon({ workItem });
      } catch (error) {
        call(messageOf(error));
        retries = new CancellationScope();
        const completeTask = since('late-task-is-known') ? completeLate : completeLateBefore;
        late = retries
          .run(() => untilItWorks('the task cannot be set to done', () => completeTask({ workItem }), note))
          .catch((failure: unknown) => {
            // A cancelled activity is not retried: the failure of its last try comes out.
            if (givenUp || isCancellation(failure)) return 'given_up';
            throw failure;
          });
        late.catch(() => {}); // waited for once the window has ended
        stop();
        return 'late';
      }
    },
    late: () => late,
    giveUp() {
      givenUp = true;
      stop();
    },
  };
}
