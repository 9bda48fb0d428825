export interface StatusChange {
  readonly from: string;
  readonly to: string;
}

/** A work item, as the demo looks at it from outside: what the tracker itself has on record. */
export interface DemoWorkItem {
  /** Such as ORCH-61: its id in `tasks`, too. */
  readonly key: string;
  /** Every change of its status since it was made, oldest first; a write of the same status again is none. */
  statusHistory(): Promise<readonly StatusChange[]>;
  /** Its status now. */
  status(): Promise<string>;
  /** Somebody else moves it to another status, past the worker. */
  moveByOthers(to: string): Promise<void>;
  /** The `external_id`s of its comments, oldest first. */
  commentIds(): Promise<readonly string[]>;
}

/** The Plane of a demo: the simulated one, or a real one that the environment names. */
export interface DemoTracker {
  readonly kind: 'simulated' | 'real';
  readonly url: string;
  readonly apiKey: string;
  readonly workspace: string;
  /** Identifier or uuid, as the worker's settings name it. */
  readonly project: string;
  /** Where people look at it. */
  readonly boardUrl: string;
  /** How often it may be asked for a history, ms: a real one counts every request of a key. */
  readonly lookEveryMs: number;
  /** Has the tracker send its events there; `null`: it takes nobody's word for that but a person's. */
  readonly sendEventsTo: ((url: string, secret: string) => void) | null;
  /** A new work item. */
  createWorkItem(name: string): Promise<DemoWorkItem>;
  close(): Promise<void>;
}

/** The states that the orchestrator shows, in the order of a deploy. */
export const STATES = {
  awaitingDeploy: 'Awaiting Deploy',
  deploying: 'Deploying',
  monitoring: 'Monitoring after Deploy',
  done: 'Done',
} as const;
