import { AsyncLocalStorage } from 'node:async_hooks';
import type { GuardEvidence } from '../decisions/index.ts';

/** A status write that has begun to be sent: whatever came of it, the tracker may have it. */
export interface SentWrite {
  /** Epoch ms. */
  readonly at: number;
  /** One of the orchestrator's statuses, `cancelled`, or the tracker's own name of a state. */
  readonly status: string;
  readonly evidence: GuardEvidence;
  /** `taken`, or why there was no good answer; `null`: there has been none yet. */
  answer: string | null;
}

/** What the tries of one activity have sent, the oldest first. */
export interface SentWrites {
  readonly all: SentWrite[];
  /** Tells Temporal, so that the next try knows, and whoever looks at it. */
  keep(): void;
}

const ofActivity = new AsyncLocalStorage<SentWrites>();

/** Those of the activity that runs; outside of one they are nobody's. */
export const sentWrites = (): SentWrites => ofActivity.getStore() ?? { all: [], keep() {} };

export const withSentWrites = <T>(writes: SentWrites, run: () => T): T => ofActivity.run(writes, run);
