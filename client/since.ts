import { refused } from './errors.ts';

const UNIT_MS = { s: 1_000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const;
const isUnit = (text: string): text is keyof typeof UNIT_MS => text in UNIT_MS;

/** `2026-03-14`, `2026-03-14T12:00`, `2026-03-14 12:00:30Z`, `2026-03-14T12:00+02:00`. */
const DATE = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}:\d{2})?)?$/i;

/** The forms that `parseSince` takes, for the help. */
export const SINCE_FORMS =
  'a duration (90s, 30min, 12h, 7d, 2w) or a date (2026-03-14, 2026-03-14T12:00; UTC, or with an offset such as +02:00)';

/**
 * A moment in the past: so long before `now`, or a date. A date without an offset is UTC, as everything that d2d prints.
 * @returns epoch ms
 * @throws D2dError (`refused`) with the forms that are taken.
 */
export function parseSince(text: string, now: number): number {
  const given = text.trim();
  const at = beforeNow(given, now) ?? dateOf(given);
  const shown = JSON.stringify(given.slice(0, 40));
  if (at === null) throw refused(`--since must be ${SINCE_FORMS}, got ${shown}`);
  if (at > now) throw refused(`--since must be in the past, got ${shown}`);
  if (at < 0) throw refused(`--since must be 1970 or later, got ${shown}`);
  return at;
}

function beforeNow(given: string, now: number): number | null {
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(given) ?? [];
  const named = unit.toLowerCase();
  return isUnit(named) ? now - Number(amount) * UNIT_MS[named] : null;
}

function dateOf(given: string): number | null {
  const [, day, time = '00:00', offset = 'Z'] = DATE.exec(given) ?? [];
  if (day === undefined) return null;
  const at = Date.parse(`${day}T${time}${offset.toUpperCase()}`);
  // Date.parse takes February 30 for March 2.
  const exists = new Date(`${day}T00:00Z`).toJSON()?.startsWith(day) === true;
  return Number.isNaN(at) || !exists ? null : at;
}
