import type { Client } from '@temporalio/client';
import { z } from 'zod';
import { monitorWorkflowId } from '../../workflows/messages.ts';
import { REPO } from '../stack/repositories-file.ts';

/** What the SDK keeps with the marker of a local activity. */
const LocalActivity = z.object({ activity_type: z.string() });

/**
 * How many looks at production stand in Temporal's own history of a window, whoever took them: each is the marker of a local
 * activity, written with the workflow task that has taken its result.
 */
export async function looksInHistory(client: Client, workItem: string): Promise<number> {
  const { events } = await client.workflow.getHandle(monitorWorkflowId(REPO, workItem)).fetchHistory();
  let looks = 0;
  for (const { markerRecordedEventAttributes: marker } of events ?? []) {
    const data = marker?.details?.['data']?.payloads?.[0]?.data;
    if (marker?.markerName !== 'core_local_activity' || !data) continue;
    const { activity_type } = LocalActivity.parse(JSON.parse(Buffer.from(data).toString('utf8')));
    if (activity_type === 'observe') looks += 1;
  }
  return looks;
}
