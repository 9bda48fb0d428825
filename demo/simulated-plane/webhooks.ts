/** Plane's webhooks as recorded (520 to 534): one delivery for each changed field, signed over its bytes, in no certain order. */
import { createHmac } from 'node:crypto';
import { request } from 'undici';
import type { Activity, WorkItem } from './model.ts';
import { dumpLikePython } from './python-json.ts';
import { stateById, userById, type World } from './world.ts';

export interface Webhook {
  readonly url: string;
  readonly secret: string;
  /** How often each event is delivered: Plane was seen to send one twice (#7249). Default 1. */
  readonly copies?: number;
}

/** Plane waits so long for a receiver, ms. */
const RECEIVER_MS = 30_000;

/** Sends the deliveries of one write. Whatever the receiver answers counts as delivered; nothing is thrown. */
export function deliver(world: World, item: WorkItem, rows: readonly Activity[], fromWebApp: boolean): void {
  const { webhook } = world;
  if (webhook === null) return;
  for (const row of rows) {
    const body = Buffer.from(dumpLikePython(payload(world, item, row, fromWebApp)));
    for (let copy = 0; copy < (webhook.copies ?? 1); copy += 1) void send(world, webhook, body);
  }
}

async function send(world: World, { url, secret }: Webhook, body: Buffer): Promise<void> {
  const headers = {
    'user-agent': 'Autopilot',
    'content-type': 'application/json',
    'x-plane-delivery': world.uuid(),
    'x-plane-event': 'issue',
    'x-plane-signature': createHmac('sha256', secret).update(body).digest('hex'),
  };
  try {
    const answer = await request(url, {
      method: 'POST',
      headers,
      body,
      headersTimeout: RECEIVER_MS,
      bodyTimeout: RECEIVER_MS,
    });
    await answer.body.dump();
  } catch {
    return; // Plane tries again within 10 minutes; nobody here waits for that
  }
}

/** In the recorded order of keys: the signature is over the bytes. */
export function payload(world: World, item: WorkItem, row: Activity, fromWebApp: boolean): object {
  const { id: stateId, name, color, group } = stateById(world, item.state);
  const isState = row.field === 'state';
  return {
    event: 'issue',
    action: row.verb,
    webhook_id: world.webhookId,
    workspace_id: item.workspace,
    data: {
      id: item.id,
      labels: [],
      assignees: item.assignees.map((id) => userById(world, id)),
      state: { id: stateId, name, color, group },
      description: {},
      created_at: item.created_at,
      updated_at: item.updated_at,
      deleted_at: null,
      point: null,
      name: item.name,
      description_json: {},
      description_html: item.description_html,
      description_stripped: '',
      description_binary: null,
      priority: item.priority,
      start_date: null,
      target_date: null,
      sequence_id: item.sequence_id,
      sort_order: item.sort_order,
      completed_at: item.completed_at,
      archived_at: item.archived_at,
      is_draft: item.is_draft,
      external_source: item.external_source,
      external_id: item.external_id,
      created_by: item.created_by,
      updated_by: item.updated_by,
      project: item.project,
      workspace: item.workspace,
      parent: null,
      estimate_point: null,
      type: null,
    },
    activity: {
      field: isState && fromWebApp ? 'state_id' : row.field,
      // Webhooks name states by their ids, activity rows by their names.
      new_value: isState ? row.new_identifier : row.new_value,
      old_value: isState ? row.old_identifier : row.old_value,
      actor: userById(world, row.actor),
      old_identifier: null,
      new_identifier: null,
    },
  };
}
