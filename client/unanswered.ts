import type { Client } from '@temporalio/client';
import { lastPollAt } from '../adapters/temporal/pollers.ts';
import { asking, type Execution } from './executions.ts';

/**
 * Why no worker has answered a query. A worker that polls takes a query at once, and polls again: where nobody has polled since the query
 * was sent, nobody was there, whatever older polls the server still knows.
 * @param askedAt when the query was sent, epoch ms
 * @throws D2dError
 */
export async function whyUnanswered(temporal: Client, { taskQueue }: Execution, askedAt: number): Promise<string> {
  const { namespace } = temporal.options;
  const polledAt = await asking(temporal, () => lastPollAt(temporal, namespace, taskQueue, 'workflow'));
  return polledAt === null || polledAt < askedAt ? `no worker is polling task queue ${taskQueue}` : 'no worker answers';
}
