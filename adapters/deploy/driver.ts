/** One deploy or rollback, as a driver is asked for it. */
export interface DeployOperation {
  readonly kind: 'deploy' | 'rollback';
  /** The same in every attempt, so that a deployer can tell a repetition. */
  readonly operationId: string;
  readonly repo: string;
  readonly workItem: string;
  /** The version that is deployed, or rolled back from; `null`: the start named none. */
  readonly version: string | null;
  /** Of a rollback: the version before, where one is known. */
  readonly previousVersion?: string | null;
}

export interface DeployResult {
  readonly ok: boolean;
  /** What happened, for people; may have several lines. */
  readonly detail: string;
  /** The version that a deployer says it has deployed. */
  readonly version?: string;
  /** It did not even begin, so that nothing of this try runs anywhere. */
  readonly begun?: false;
}

/** A try that did not begin. */
export const notBegun = (detail: string): DeployResult => ({ ok: false, detail, begun: false });

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
  /** Calls a person to what does not heal by itself, while the operation goes on. @throws where nobody could be called. */
  readonly callSomebody: (text: string) => Promise<void>;
  readonly log: DriverLog;
}

export interface DeployDriver {
  /**
   * Runs the operation to its end.
   * @throws the signal's reason where it was stopped, and DeployOutcomeUnknown where nobody knows how it ended, or whether it has.
   */
  run(operation: DeployOperation, run: DriverRun): Promise<DeployResult>;
}

/** The operation may have begun, and nobody knows how it ends. */
export class DeployOutcomeUnknown extends Error {
  override readonly name = 'DeployOutcomeUnknown';
  /** Whether an idempotent driver may run it again. Not after its own time-out: that would multiply it. */
  readonly retryable: boolean;
  constructor(message: string, { retryable = true, ...options }: ErrorOptions & { readonly retryable?: boolean } = {}) {
    super(message, options);
    this.retryable = retryable;
  }
}

export type CommandConfig = {
  readonly driver: 'command';
  /** Program and arguments; no shell. */
  readonly command: readonly [string, ...string[]];
  /** Absolute; `null`: where the worker runs. */
  readonly cwd: string | null;
  /** Added to the environment. May hold secrets. */
  readonly env: Readonly<Record<string, string>>;
  /** Names of variables of the worker that are passed on, beside those that every command gets. Default: none. */
  readonly passEnv?: readonly string[];
  readonly timeoutMs: number;
  readonly idempotent: boolean;
};

/** JSON in whose texts placeholders such as `{version}` are filled in. */
export type JsonTemplate =
  | string
  | number
  | boolean
  | null
  | readonly JsonTemplate[]
  | { readonly [key: string]: JsonTemplate };

export type DeployState = 'running' | 'succeeded' | 'failed';

/** Where a deployer's answers say what, as JSON pointers, and in which words. */
export interface AnswerShape {
  /** In the answer to the POST: fills `{id}` in the status URL. `null`: nowhere. */
  readonly id: string | null;
  readonly status: string;
  readonly detail: string;
  readonly version: string;
  /** A text that holds the operation id that we sent. */
  readonly operationId: string;
  /** Their words for a state, in any case; others are not understood. */
  readonly words: Readonly<Record<string, DeployState>>;
}

export type WebhookConfig = {
  readonly driver: 'webhook';
  /** May hold placeholders, as may the values of the headers, the status URL and the body. */
  readonly url: string;
  /** May hold secrets. */
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON in place of our own description of the operation. May hold secrets. */
  readonly body?: JsonTemplate;
  /** Polled until the deploy has ended; `null`: the one that the answer names, or else the answer to the POST is the end. */
  readonly statusUrl: string | null;
  /** Where an answer says what; what is left out is as in docs/deploy-drivers.md. */
  readonly answer?: { readonly [Part in keyof AnswerShape]?: AnswerShape[Part] | undefined };
  readonly pollMs: number;
  readonly timeoutMs: number;
  readonly idempotent: boolean;
};

export type DriverConfig = CommandConfig | WebhookConfig | { readonly driver: 'external'; readonly timeoutMs: number };

/** Between two heartbeats, ms: the workflows' heartbeat time-outs are 10 s. */
export const HEARTBEAT_MS = 1_000;
