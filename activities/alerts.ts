import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { type Alert, AlertRejected, type AlertSink, AlertUnavailable } from '../adapters/alerts/webhook-sink.ts';

export interface WorkItemComment {
  readonly repo: string;
  readonly workItem: string;
  /** The same for every repetition of one comment, and unique beyond this work item: at most one comment comes of it. */
  readonly key: string;
  readonly paragraphs: readonly string[];
}

export interface AlertsDeps {
  /** Adds a comment once per key. Whatever fails is thrown. */
  readonly comment: (comment: WorkItemComment) => Promise<void>;
  /** `null`: none is configured, so that alerts are comments only. */
  readonly sink: Pick<AlertSink, 'name' | 'send'> | null;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** How people are told. */
export function createAlerts({ comment, sink, log }: AlertsDeps) {
  return {
    /** Adds a comment to the work item, once per key. Throws what the tracker throws. */
    commentOnWorkItem: (request: WorkItemComment): Promise<void> => comment(request),

    /**
     * Sends an alert to the sink; with none, the log is all that there is.
     * @throws ApplicationFailure `AlertRejected`, not retryable, and `AlertUnavailable`, retried when the sink asks for it.
     */
    async sendAlert(alert: Alert): Promise<void> {
      const { text, ...fields } = alert;
      const { key, severity, repo, workItem, title } = fields;
      const about = { work_item: workItem, repo, key, severity, title };
      if (sink === null) {
        log.warn({ ...about, text }, 'an alert, and no sink for alerts is configured (ORCH_ALERT_WEBHOOK_URL)');
        return;
      }
      try {
        await sink.send(alert, Context.current().cancellationSignal);
      } catch (error) {
        log.warn({ ...about, sink: sink.name, err: error }, 'an alert could not be sent');
        throw asFailure(error);
      }
      log.info({ ...about, sink: sink.name }, 'an alert was sent');
    },
  };
}

function asFailure(error: unknown): unknown {
  if (error instanceof AlertRejected) {
    return ApplicationFailure.create({ type: error.name, message: error.message, nonRetryable: true, cause: error });
  }
  if (error instanceof AlertUnavailable && error.retryAfterMs !== null) {
    const { name, message, retryAfterMs } = error;
    return ApplicationFailure.create({ type: name, message, nextRetryDelay: Math.max(1, retryAfterMs), cause: error });
  }
  return error;
}

export type AlertActivities = ReturnType<typeof createAlerts>;
