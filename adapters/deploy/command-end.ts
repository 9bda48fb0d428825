import { constants } from 'node:os';
import { DeployOutcomeUnknown, type DeployResult } from './driver.ts';

/** How a command ended that did not end with code 0 by itself. */
export interface CommandEnd {
  /** What ended it, if the worker did: its time-out, in words; `null`: it ended by itself, or by a signal from outside. */
  readonly timedOut: string | null;
  readonly code: number | null;
  readonly signal: string | null;
  /** What its code means, where that is known: `: …`, or nothing. */
  readonly why: string;
  /** What of it still runs, in words; `null`: all of it is gone. */
  readonly left: string | null;
  /** Its last lines. */
  readonly lines: string;
}

/**
 * What that counts as: a failure only where the command itself said so, or was ended as a whole.
 * @throws DeployOutcomeUnknown where something of it still runs, or it was cut off before it could say how far it had come.
 */
export function resultOf({ timedOut, code, signal, why, left, lines }: CommandEnd): DeployResult {
  const how = timedOut ?? `the command ended ${signal === null ? `with code ${code}${why}` : `by ${signal}`}`;
  if (left !== null) throw unknown(stillRuns(how, left), lines);
  // A script may trap SIGTERM and end with code 0, whether it has finished the deploy or given it up.
  if (timedOut !== null && code === 0) throw unknown(`${timedOut}, and then ended with code 0: ${NOBODY_KNOWS}`, lines);
  if (timedOut !== null)
    return { ok: false, detail: withLines(`${timedOut}: it was ended with its whole process group`, lines) };
  if (signal !== null) throw unknown(`${how}, not by this worker: ${NOBODY_KNOWS}`, lines, true);
  const inner = signalOf(code);
  if (inner !== null) throw unknown(`${how}, which means ${inner}: ${NOBODY_KNOWS}`, lines, true);
  return { ok: false, detail: withLines(how, lines) };
}

/** The same of a command that was stopped: it may be told as stopped only once all of it is gone. */
export function assertGone(left: string | null, lines: string): void {
  if (left !== null) throw unknown(stillRuns('it was stopped', left), lines);
}

const NOBODY_KNOWS = 'nobody knows how far it came';

const stillRuns = (how: string, left: string): string => `${how}, but ${left}: nobody knows what that still does`;

/** The signal that a code stands for by a habit of shells, which pass on how their last program ended: 128 and its number. */
function signalOf(code: number | null): string | null {
  const found = Object.entries(constants.signals).find(([, number]) => number + 128 === code);
  return found?.[0] ?? null;
}

const unknown = (sentence: string, lines: string, retryable = false): DeployOutcomeUnknown =>
  new DeployOutcomeUnknown(withLines(sentence, lines), { retryable });

const withLines = (sentence: string, lines: string): string =>
  lines === '' ? `${sentence}; it wrote nothing` : `${sentence}; the last lines:\n${lines}`;
