import { AsyncLocalStorage } from 'node:async_hooks';
import type { RestingEvidence } from '../decisions/index.ts';

/** A status write that has begun to be sent: whatever came of it, the tracker may have it. */
export interface SentWrite {
  /** Epoch ms. */
  readonly at: number;
  /** One of the orchestrator's statuses, `cancelled`, or the tracker's own name of a state. */
  readonly status: string;
  readonly evidence: RestingEvidence;
  /** `taken`, or the beginning of why there was no good answer; `null`: there has been none yet. */
  answer: string | null;
}

/** A write may be tried for days, and what Temporal takes is limited: so many are remembered, and so much of an answer. */
const MOST_SENT = 10;
const ANSWER_CHARACTERS = 200;

/** What the tries of one activity have sent last, the oldest first. */
export interface SentWrites {
  readonly all: readonly SentWrite[];
  begin(write: Omit<SentWrite, 'answer'>): SentWrite;
  answered(write: SentWrite, answer: string): void;
}

/**
 * @param before what earlier tries have sent.
 * @param tell is told of each change, so that the next try knows.
 */
export function createSentWrites(before: readonly SentWrite[], tell: (all: readonly SentWrite[]) => void): SentWrites {
  const all = before.slice(-MOST_SENT);
  return {
    all,
    begin(write) {
      const begun: SentWrite = { ...write, answer: null };
      all.push(begun);
      if (all.length > MOST_SENT) all.shift();
      tell(all);
      return begun;
    },
    answered(write, answer) {
      write.answer = answer.length > ANSWER_CHARACTERS ? `${answer.slice(0, ANSWER_CHARACTERS)}…` : answer;
      tell(all);
    },
  };
}

const ofActivity = new AsyncLocalStorage<SentWrites>();

/** Those of the activity that runs; outside of one they are nobody's. */
export const sentWrites = (): SentWrites => ofActivity.getStore() ?? createSentWrites([], () => {});

export const withSentWrites = <T>(sent: SentWrites, run: () => T): T => ofActivity.run(sent, run);
