/** One deploy or rollback, as a driver is asked for it. */
export interface DeployOperation {
  readonly kind: 'deploy' | 'rollback';
  /** The same in every attempt, so that a deployer can tell a repetition. */
  readonly operationId: string;
  readonly repo: string;
  readonly workItem: string;
  /** The version that is deployed, or rolled back from; `null`: the start named none. */
  readonly version: string | null;
}

export interface DeployResult {
  readonly ok: boolean;
  /** What happened, for people; may have several lines. */
  readonly detail: string;
  /** The version that a deployer says it has deployed. */
  readonly version?: string;
}

export interface DriverLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface DriverRun {
  /** Stops the operation; `run` then throws the signal's reason, once nothing of it runs here any more. */
  readonly signal: AbortSignal;
  /** Called every second or so with how far it is. */
  readonly heartbeat: (detail: string) => void;
  readonly log: DriverLog;
}

export interface DeployDriver {
  /**
   * Runs the operation to its end. Its own time-out is a result like any other failure.
   * @throws the signal's reason where it was stopped, and DeployOutcomeUnknown.
   */
  run(operation: DeployOperation, run: DriverRun): Promise<DeployResult>;
}

/** The operation was asked for, and no answer came: nobody knows whether it is under way. */
export class DeployOutcomeUnknown extends Error {
  override readonly name = 'DeployOutcomeUnknown';
}

export type CommandConfig = {
  readonly driver: 'command';
  /** Program and arguments; no shell. */
  readonly command: readonly [string, ...string[]];
  /** Absolute; `null`: where the worker runs. */
  readonly cwd: string | null;
  /** Added to the environment. May hold secrets. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly idempotent: boolean;
};

export type WebhookConfig = {
  readonly driver: 'webhook';
  readonly url: string;
  /** May hold secrets. */
  readonly headers: Readonly<Record<string, string>>;
  /** Polled until the deploy has ended; `null`: the one that the answer names, or else the answer to the POST is the end. */
  readonly statusUrl: string | null;
  readonly pollMs: number;
  readonly timeoutMs: number;
  readonly idempotent: boolean;
};

export type DriverConfig = CommandConfig | WebhookConfig | { readonly driver: 'external'; readonly timeoutMs: number };

/** Between two heartbeats, ms: the workflows' heartbeat time-outs are 10 s. */
export const HEARTBEAT_MS = 1_000;
