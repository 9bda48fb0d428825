import { proxyActivities } from '@temporalio/workflow';
import type { AlertActivities } from '../activities/alerts.ts';

/** A person is called within seconds or not at all: after ten minutes a sink that is down is noted. */
export const { sendAlert } = proxyActivities<AlertActivities>({
  summary: 'call somebody',
  startToCloseTimeout: '30 seconds',
  scheduleToCloseTimeout: '10 minutes',
});

export type Severity = Parameters<typeof sendAlert>[0]['severity'];

/** A comment may wait for a tracker that is down: it is the record on the ticket. */
export const { commentOnWorkItem } = proxyActivities<AlertActivities>({
  summary: 'tell it on the work item',
  startToCloseTimeout: '45 seconds',
  scheduleToCloseTimeout: '1 hour',
});
