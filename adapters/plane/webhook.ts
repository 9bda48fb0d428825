import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { parseJson } from '../http/json.ts';

/** That something happened to a work item. What happened is not taken from the event: it comes late, twice and out of order. */
export interface PlaneEvent {
  /** Plane's id of the work item. */
  readonly id: string;
  /** Plane's id of its project. */
  readonly project: string;
}

export type ReadEvent =
  | { readonly kind: 'work item'; readonly event: PlaneEvent }
  /** A good event of something else: a comment, a cycle, a deleted item. */
  | { readonly kind: 'other' }
  | { readonly kind: 'forged' }
  | { readonly kind: 'garbage' };

const uuid = z.uuid().transform((id) => id.toLowerCase());

/** Unknown keys are ignored: editions of Plane differ in them. */
const WorkItemEvent = z.object({
  event: z.literal('issue'),
  action: z.string(),
  data: z.object({ id: uuid, project: uuid }),
});

/** What was deleted shows its id alone. */
const AnyEvent = z.object({ event: z.string() });

/**
 * Reads one delivery of a webhook. It is signed over the bytes of its body (hex HMAC-SHA256; recordings 520 to 534), so these must not
 * have been parsed and written again. Compares in constant time, and never throws.
 */
export function readEvent(secret: string, signature: string | undefined, body: Buffer): ReadEvent {
  const expected = createHmac('sha256', secret).update(body).digest();
  const given = Buffer.from(/^[0-9a-f]{64}$/i.test(signature ?? '') ? (signature ?? '') : '', 'hex');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return { kind: 'forged' };
  const json = parseJson(body.toString('utf8'));
  const event = WorkItemEvent.safeParse(json);
  if (event.success) return { kind: 'work item', event: event.data.data };
  return { kind: AnyEvent.safeParse(json).success ? 'other' : 'garbage' };
}
