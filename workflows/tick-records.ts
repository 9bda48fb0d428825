import type { TickRecord } from '../activities/window-report.ts';
import { beginning } from './bounded.ts';
import type { Look } from './window-state.ts';

/** As long as a probe makes it, in characters of up to three bytes. What broke otherwise may say anything. */
const DETAIL_BYTES = 480;

/** The most looks that keep their detail: with those of 3 000 a window would not fit into a payload. */
const MOST_DETAILS = 200;

/** Stands for a detail that was left out. */
const LEFT_OUT = '…';

interface Taken {
  readonly tick: number;
  readonly at: number;
  readonly confirming: boolean;
  /** Where ticks passed meanwhile. */
  readonly tookMs: number | undefined;
}

/** The looks so far and one more. Its detail is kept where it differs from the one before. */
export function withLook(before: readonly TickRecord[], look: Look, taken: Taken): readonly TickRecord[] {
  const { tick, at, confirming, tookMs } = taken;
  const said = before.findLast((earlier) => earlier.detail !== undefined)?.detail;
  const detail = look.detail === undefined ? undefined : beginning(look.detail, DETAIL_BYTES);
  const isNew = detail !== undefined && detail !== said;
  const { health, requests, errors5xx } = look;
  const ticks = [
    ...before,
    {
      tick,
      at,
      ...(confirming ? { confirming: true as const } : {}),
      ...{ health, requests, errors5xx },
      ...(isNew ? { detail } : {}),
      ...(tookMs === undefined ? {} : { tookMs }),
    },
  ];
  return isNew ? withFewDetails(ticks) : ticks;
}

/** Of many details as many of the first, which say how it began, as of the last. */
function withFewDetails(ticks: readonly TickRecord[]): readonly TickRecord[] {
  const told = ticks.filter(({ detail }) => detail !== undefined && detail !== LEFT_OUT);
  if (told.length <= MOST_DETAILS) return ticks;
  const between = new Set(told.slice(MOST_DETAILS / 2, -MOST_DETAILS / 2));
  return ticks.map((tick) => (between.has(tick) ? { ...tick, detail: LEFT_OUT } : tick));
}
