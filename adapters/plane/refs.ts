/** Names of things in Plane: uuids, and keys such as ORCH-61. */
import { PlaneNotFound, PlaneRejected } from './errors.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const KEY = /^([\p{L}\p{N}_]+)-0*(\d{1,9})$/u;

export const isUuid = (text: string): boolean => UUID.test(text);

/**
 * The canonical spelling of a work item's name: an upper-case key without leading zeros, because Plane answers 403 to lower
 * case (recording 057), or a lower-case uuid.
 * @throws PlaneNotFound where it can be neither; no request is made for it.
 */
export function workItemRef(ref: string): { key: string } | { id: string } {
  const text = ref.trim();
  if (isUuid(text)) return { id: text.toLowerCase() };
  const match = KEY.exec(text);
  if (match === null) {
    throw new PlaneNotFound(`${JSON.stringify(text)} is no work item: expected a key such as ORCH-61, or a uuid.`, {
      method: 'GET',
      path: 'work-items/',
      status: null,
      writeMayHaveApplied: false,
    });
  }
  return { key: `${match[1]}-${match[2]}`.toUpperCase() };
}

/**
 * A uuid as Plane itself spells it. Another spelling of the same state counts as a change (recording 107), and an empty one
 * silently moves the item to the default state (125), so neither is ever sent.
 * @throws PlaneRejected where it is no uuid; no request is made for it.
 */
export function canonicalUuid(value: string, what: string): string {
  if (isUuid(value)) return value.toLowerCase();
  throw new PlaneRejected(`${what} must be a uuid, got ${JSON.stringify(value)}.`, {
    method: 'PATCH',
    path: 'work-items/',
    status: null,
    writeMayHaveApplied: false,
  });
}
