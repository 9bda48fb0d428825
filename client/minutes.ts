import { refused } from './errors.ts';

/** The most minutes that one extension may ask for: a week. The window's own limit is lower as a rule; it answers for itself. */
export const MAX_MINUTES = 7 * 24 * 60;

/**
 * Minutes as a person wrote them.
 * @throws D2dError (`refused`) for what is no number, not above 0, or absurd; nothing is sent then.
 */
export function parseMinutes(text: string): number {
  const given = text.trim();
  const minutes = /^[+-]?(\d+(\.\d*)?|\.\d+)$/.test(given) ? Number(given) : Number.NaN;
  if (Number.isFinite(minutes) && minutes > 0 && minutes <= MAX_MINUTES) return minutes;
  const shown = JSON.stringify(given.slice(0, 40));
  const unit = /^\d+(\.\d+)?\s*(s|m|min|h|d)$/i.test(given) ? ' (write it without a unit)' : '';
  throw refused(
    `minutes must be a number greater than 0 and at most ${MAX_MINUTES} (a week), got ${shown}${unit}`,
    'for example: d2d extend ORCH-61 10 --reason "traffic is slow tonight"',
  );
}
