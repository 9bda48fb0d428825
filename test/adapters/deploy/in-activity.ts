import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

/** An activity's surroundings; its failures are the test's business, not the log's. */
export const activityEnvironment = (
  attempt = 1,
  more: ConstructorParameters<typeof MockActivityEnvironment>[0] = {},
): MockActivityEnvironment => new MockActivityEnvironment({ attempt, ...more }, { logger: new DefaultLogger('ERROR') });

/** Runs something as an activity. */
export async function inActivity<T>(run: () => Promise<T>, environment = activityEnvironment()): Promise<T> {
  return environment.run<[], T, () => Promise<T>>(run);
}
