import type { Context } from '@temporalio/activity';
import type { ActivityInterceptors } from '@temporalio/worker';
import { asFailure } from './failures.ts';

/** How often a running activity says that its worker is alive, ms; the workflows' heartbeat time-outs are 10 s. */
const HEARTBEAT_MS = 2_000;

/** These say by themselves how far they are. */
const OWN_HEARTBEAT = new Set(['deploy', 'rollback', 'checkHealth']);

/**
 * For every activity: heartbeats, so that a dead worker is noticed within seconds whatever the activity's own time-out is,
 * and the translation of adapters' errors.
 */
export const activityInterceptors = (context: Context): ActivityInterceptors => ({
  inbound: {
    async execute(input, next) {
      const silent = context.info.isLocal || OWN_HEARTBEAT.has(context.info.activityType);
      const timer = silent ? undefined : setInterval(() => context.heartbeat(), HEARTBEAT_MS);
      try {
        return await next(input);
      } catch (error) {
        throw asFailure(error);
      } finally {
        clearInterval(timer);
      }
    },
  },
});
