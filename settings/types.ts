import type { DriverConfig } from '../adapters/deploy/driver.ts';
import type { HttpProbeConfig } from '../adapters/http-probe/http-probe.ts';
import type { Scope, WindowPolicy } from '../decisions/index.ts';

export type { DriverConfig, HttpProbeConfig };

/** Everything that a worker is set up by, checked and deeply frozen. Times in whole milliseconds. */
export interface Settings {
  readonly database: {
    /** Holds the password. */
    readonly url: string;
    /** `from-url`: what the URL says about TLS holds; anything else decides alone. */
    readonly tls: 'from-url' | 'disable' | 'require' | 'verify-full';
    /** Certificates that are trusted, PEM text; `null`: those that Node trusts. */
    readonly ca: string | null;
    readonly poolSize: number;
    readonly lockPoolSize: number;
    readonly statementTimeoutMs: number;
  };
  readonly plane: {
    readonly url: string;
    readonly apiKey: string;
    readonly workspace: string;
    /** UUID or identifier of the project of each repository that names none of its own. */
    readonly project: string;
    /** Requests a minute of the key's rate limit that corrections and sweeps leave to what matters more. */
    readonly keep: { readonly correction: number; readonly sweep: number };
    /** Names of the states in Plane. */
    readonly states: {
      readonly awaitingDeploy: string;
      readonly deploying: string;
      readonly monitoring: string;
      readonly done: string;
      /** `null`: what ended degraded rests at `done`. */
      readonly degraded: string | null;
    };
  };
  readonly selfHostingRepo: string;
  readonly guard: Scope;
  readonly postDeploy: Scope;
  /** How long after the last write a status is read back (design, invariant 5); 0 is for tests. */
  readonly settleMs: number;
  /** `null`: nobody listens. */
  readonly planeWebhook: { readonly host: string; readonly port: number; readonly secret: string } | null;
  readonly sweep: {
    /** 0: there are none. */
    readonly everyMs: number;
  };
  readonly approval: Approval;
  readonly artefactsDir: string;
  /** May hold a token. `null`: alerts are comments on the work item only. */
  readonly alertWebhookUrl: string | null;
  readonly worker: {
    readonly taskQueue: string;
    readonly logLevel: LogLevel;
    /** How long activities get to end after SIGTERM. */
    readonly shutdownMs: number;
    /** How long a deploy or rollback goes on while Temporal cannot be reached. */
    readonly outageMs: number;
  };
  /** By normalised name (`normaliseRepo`). The self-hosting repository is always among them. */
  readonly repositories: ReadonlyMap<string, Repository>;
  /** Values that are masked wherever somebody else prints them: what is secret here, and what is filled in or sent to others. */
  readonly secrets: readonly string[];
  /** What is probably a mistake but stops nothing, such as an unknown `ORCH_` variable; one sentence each. */
  readonly warnings: readonly string[];
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export interface Approval {
  readonly required: boolean;
  readonly timeoutMs: number;
}

/** How one repository is deployed and watched. */
export interface Repository {
  /** As the settings spell it. */
  readonly name: string;
  readonly selfHosting: boolean;
  readonly planeProject: string;
  readonly deploy: DriverConfig;
  /** `null`: it cannot be rolled back. Never `external`. */
  readonly rollback: DriverConfig | null;
  /** The check right after the deploy: `passes` in a row within `deadlineMs`. `null`: there is none. */
  readonly healthCheck: {
    readonly probe: HttpProbeConfig;
    readonly deadlineMs: number;
    readonly passes: number;
  } | null;
  /** What a window looks at; `health` is the probe of the health check. */
  readonly probe: {
    readonly health: HttpProbeConfig | null;
    readonly traffic: readonly string[];
    /** Whether the looks of a window prove the version, as the health check does. */
    readonly requireVersion: boolean;
  };
  readonly window: WindowPolicy;
  readonly approval: Approval;
}
