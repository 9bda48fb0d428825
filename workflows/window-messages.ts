import type { MessageRecord } from '../activities/window-report.ts';
import { MAX_TICKS, mostTicks, type WindowPolicy } from '../decisions/index.ts';
import { kept } from './kept.ts';
import type { Command } from './messages.ts';
import { changed, ended, type WindowState } from './window-state.ts';

// What people's messages do to a window, and why some are refused. Pure, as all of its state.

const told = (state: WindowState, message: MessageRecord): readonly MessageRecord[] =>
  kept([...state.messages, message]);

/** `cancelWindow`, and Temporal's own cancel. */
export function cancelled(
  state: WindowState,
  name: 'cancelWindow' | 'cancel',
  command: Command,
  now: number,
): WindowState {
  const effect = state.ending === null ? 'the window was cancelled' : 'ignored: the window had ended already';
  return ended(
    changed(state, { messages: told(state, { at: now, name, ...command, effect }) }),
    'cancelled',
    now,
    command,
  );
}

/** A window that has ended records no further message once it has so many. */
const MOST_LATE = 20;

/** Whether one more message of a window that has ended is not worth a record. */
export const isOneTooMany = ({ ending, messages }: WindowState): boolean =>
  ending !== null && messages.length >= MOST_LATE;

/** `closeWindow`. */
export const closedEarly = (state: WindowState, command: Command, now: number): WindowState =>
  ended(
    changed(state, {
      messages: told(state, { at: now, name: 'closeWindow', ...command, effect: 'the window was closed' }),
    }),
    'closed_early',
    now,
    command,
  );

/** Why a window cannot be closed now; `null`: it can. */
export const closeRefusal = (state: WindowState): string | null =>
  state.ending === null ? null : `the window has ended already: ${state.ending.reason}`;

/** Times are whole milliseconds, whatever fraction of a minute is asked for. */
const wholeMs = (minutes: number): number => Math.ceil(minutes * 60_000);

/** Why a window cannot be extended by so many minutes; `null`: it can. */
export function extendRefusal(state: WindowState, policy: WindowPolicy, minutes: number): string | null {
  if (state.ending !== null) return `the window has ended already: ${state.ending.reason}`;
  if (state.action?.kind === 'ROLLBACK')
    return 'the window is rolling back; it closes when production is healthy again';
  const { openedAt, endsAt } = state.window;
  const windowMs = endsAt + wholeMs(minutes) - openedAt;
  if (windowMs > policy.maxWindowMs) {
    const left = Math.max(0, policy.maxWindowMs - (endsAt - openedAt)) / 60_000;
    return `the window may last ${policy.maxWindowMs / 60_000} minutes at the most; extend it by ${Math.floor(left * 10) / 10} minutes or less`;
  }
  if (mostTicks({ ...policy, windowMs }) > MAX_TICKS) return `the window would take more than ${MAX_TICKS} looks`;
  return null;
}

export function extended(
  state: WindowState,
  command: Command & { readonly minutes: number },
  now: number,
): WindowState {
  const { minutes, by, reason } = command;
  const endsAt = state.window.endsAt + wholeMs(minutes);
  const effect = `extended by ${minutes} min, to ${new Date(endsAt).toISOString()}`;
  return changed(state, {
    window: { ...state.window, endsAt },
    messages: told(state, { at: now, name: 'extendWindow', by, reason, effect }),
  });
}
