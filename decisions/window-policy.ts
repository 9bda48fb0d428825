import type { ConfiguredAction } from './post-deploy-action.ts';
import type { Cadence } from './probe-cadence.ts';
import type { ClassifyPolicy } from './window-assessment.ts';

/** Everything that a window is run by; fixed when its deploy starts. */
export interface WindowPolicy extends Cadence, ClassifyPolicy {
  readonly action: ConfiguredAction;
  /** The longest that a window may become by extensions, ms from its opening. */
  readonly maxWindowMs: number;
  /** How long production is watched after a rollback for its recovery, ms. */
  readonly rollbackWatchMs: number;
}
