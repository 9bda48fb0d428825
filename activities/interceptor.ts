import type { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityInterceptors } from '@temporalio/worker';
import { asFailure } from './failures.ts';
import { createSentWrites, type SentWrites, withSentWrites } from './sent-writes.ts';

/** How often a running activity says that its worker is alive, ms; the workflows' heartbeat time-outs are 10 s. */
const HEARTBEAT_MS = 2_000;

/** These say by themselves how far they are. */
const OWN_HEARTBEAT = new Set(['deploy', 'rollback', 'checkHealth']);

/**
 * For every activity: heartbeats, so that a dead worker is noticed within seconds whatever the activity's own time-out is,
 * and the translation of adapters' errors. Both bear the status writes that were sent: a try that lost its answer is no secret.
 */
export const activityInterceptors = (context: Context): ActivityInterceptors => ({
  inbound: {
    async execute(input, next) {
      const silent = context.info.isLocal || OWN_HEARTBEAT.has(context.info.activityType);
      const { heartbeatDetails: before } = context.info;
      const sent = createSentWrites(!silent && Array.isArray(before) ? before : [], (all) => context.heartbeat(all));
      const timer = silent ? undefined : setInterval(() => context.heartbeat(sent.all), HEARTBEAT_MS);
      try {
        return await withSentWrites(sent, () => next(input));
      } catch (error) {
        throw withWrites(asFailure(error, context.info.attempt), sent);
      } finally {
        clearInterval(timer);
      }
    },
  },
});

/** Of a failure that is tried again the server takes 4 KB, or drops even its message: these few are less than one. */
const MOST_IN_FAILURE = 3;

const withWrites = (error: unknown, { all }: SentWrites): unknown =>
  all.length === 0 || error instanceof CancelledFailure
    ? error
    : ApplicationFailure.fromError(error, { details: [all.slice(-MOST_IN_FAILURE)] });
