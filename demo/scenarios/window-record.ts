import type { Client } from '@temporalio/client';
import { z } from 'zod';
import { monitorWorkflowId } from '../../workflows/messages.ts';
import { REPO } from '../stack/repositories-file.ts';

const Tick = z.object({ tick: z.number(), at: z.number(), confirming: z.boolean().optional(), health: z.string() });

/** The part of a window's report that the demo judges. */
const WindowRecord = z.object({
  outcome: z.string(),
  recovered: z.boolean().nullable(),
  plannedTicks: z.number(),
  coverage: z.object({ made: z.number(), missed: z.number(), unknown: z.number(), requests: z.number() }),
  ticks: z.array(Tick),
  ticksAfterRollback: z.array(Tick),
  endedBy: z.object({ by: z.string(), reason: z.string() }).nullable(),
  action: z.object({ kind: z.string(), ok: z.boolean().nullable() }).nullable(),
  messages: z.array(z.object({ name: z.string(), by: z.string(), effect: z.string() })),
});

export type WindowRecord = z.infer<typeof WindowRecord>;

/**
 * What a window that has ended saw and did, from Temporal's own history of it: it stands there as what was given to the
 * activity that writes the post-deploy log.
 */
export async function windowRecord(client: Client, workItem: string): Promise<WindowRecord> {
  const workflowId = monitorWorkflowId(REPO, workItem);
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  for (const { activityTaskScheduledEventAttributes: scheduled } of events ?? []) {
    const [payload] = scheduled?.activityType?.name === 'writePostDeployLog' ? (scheduled.input?.payloads ?? []) : [];
    if (payload?.data) return WindowRecord.parse(JSON.parse(Buffer.from(payload.data).toString('utf8')));
  }
  throw new Error(`the history of ${workflowId} holds no report`);
}
