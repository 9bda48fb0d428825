import { expect, test } from 'vitest';
import { createAlerts, type WorkItemComment } from '../../activities/alerts.ts';
import { type Alert, createAlertSink } from '../../adapters/alerts/webhook-sink.ts';
import { inActivity } from '../adapters/deploy/in-activity.ts';
import { recordingLog } from '../adapters/deploy/operation.ts';
import { serve } from '../adapters/http-probe/server.ts';

const alert: Alert = {
  key: 'run-1:degraded',
  severity: 'critical',
  repo: 'org/shop',
  workItem: 'ORCH-61',
  title: 'ORCH-61: degraded',
  text: '3 health checks failed',
  at: 0,
};

const noComment = async (): Promise<void> => {};

async function sendTo(status: number, headers: Record<string, string> = {}) {
  const url = await serve((_, response) => {
    response.writeHead(status, headers).end();
  });
  const log = recordingLog();
  const { sendAlert } = createAlerts({ comment: noComment, sink: createAlertSink(`${url}/T0KEN`), log });
  const error: unknown = await inActivity(() => sendAlert(alert)).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return { error, log, url };
}

test('an alert that was taken is logged, with the origin of the sink only', async () => {
  const { error, log, url } = await sendTo(200);
  expect(error).toBeNull();
  expect(log.entries).toMatchObject([{ level: 'info', fields: { sink: url, work_item: 'ORCH-61' } }]);
  expect(JSON.stringify(log.entries)).not.toContain('T0KEN');
});

test('a sink that rejects an alert is not asked again', async () => {
  const { error, log } = await sendTo(403);
  expect(error).toMatchObject({ name: 'ApplicationFailure', type: 'AlertRejected', nonRetryable: true });
  expect(log.entries).toMatchObject([{ level: 'warn' }]);
});

test('a sink that asks for time is asked again after it', async () => {
  expect((await sendTo(429, { 'retry-after': '7' })).error).toMatchObject({
    type: 'AlertUnavailable',
    nextRetryDelay: 7_000,
    nonRetryable: false,
  });
});

test('a sink that is down is retried as the workflow says', async () => {
  expect((await sendTo(503)).error).toMatchObject({ name: 'AlertUnavailable' });
});

test('with no sink the log is all that there is', async () => {
  const log = recordingLog();
  const { sendAlert } = createAlerts({ comment: noComment, sink: null, log });
  await inActivity(() => sendAlert(alert));
  expect(log.entries).toMatchObject([{ level: 'warn', fields: { text: '3 health checks failed', key: alert.key } }]);
});

test('a comment goes to the tracker as it is, and what it throws is thrown', async () => {
  const written: WorkItemComment[] = [];
  const comment = async (request: WorkItemComment): Promise<void> => {
    written.push(request);
    if (written.length > 1) throw new Error('Plane is away');
  };
  const { commentOnWorkItem } = createAlerts({ comment, sink: null, log: recordingLog() });
  const request = { repo: 'org/shop', workItem: 'ORCH-61', key: 'k', paragraphs: ['a', 'b'] };
  await inActivity(() => commentOnWorkItem(request));
  expect(written).toEqual([request]);
  await expect(inActivity(() => commentOnWorkItem(request))).rejects.toThrow('Plane is away');
});
