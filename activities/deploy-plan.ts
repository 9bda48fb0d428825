import type { WindowPolicy } from '../decisions/index.ts';
import type { DriverLimits } from '../workflows/driver-time-outs.ts';

/** How a repository is deployed and watched, taken from the settings once, when its deploy starts; holds no secret. */
export interface DeployPlan {
  /** The repository's name as the settings spell it. */
  readonly repo: string;
  readonly selfHosting: boolean;
  readonly driver: DriverLimits & {
    readonly kind: 'command' | 'webhook' | 'external';
    readonly idempotent: boolean;
  };
  /** What a start must name a version for, such as `health.expectJson`; `null`: it may leave it out. Absent: from an earlier version. */
  readonly needsVersion?: string | null;
  /** `null`: this repository cannot be rolled back. */
  readonly rollback: (DriverLimits & { readonly idempotent: boolean }) | null;
  /** The health check right after the deploy; `null`: there is none. */
  readonly healthCheck: { readonly deadlineMs: number } | null;
  readonly approval: { readonly required: boolean; readonly timeoutMs: number };
  /** `null`: no post-deploy window for this repository, so the deploy leads straight to `Done`. */
  readonly window: WindowPolicy | null;
  /** Whether the status guard is in force for it: only then is a status settled. */
  readonly guarded: boolean;
  /** How long after the last write a status is read back, ms (design, invariant 5). */
  readonly settleMs: number;
  /** The tracker's state in which an item rests whose deploy ended degraded; absent: there is none. */
  readonly degradedState?: string;
}
