import { ApplicationFailure } from '@temporalio/common';
import type { DriverConfig } from '../adapters/deploy/driver.ts';
import { driverNeedsVersion } from '../adapters/deploy/drivers.ts';
import { needsVersion } from '../adapters/http-probe/fill-probe.ts';
import type { HttpProbeConfig } from '../adapters/http-probe/http-probe.ts';
import { applies, type Scope, type WindowPolicy } from '../decisions/index.ts';
import { mayRepeat } from './deploy.ts';
import type { DeployPlan } from './deploy-plan.ts';

interface PlannedRepository {
  readonly name: string;
  readonly selfHosting: boolean;
  readonly deploy: DriverConfig;
  readonly rollback: DriverConfig | null;
  readonly healthCheck: { readonly deadlineMs: number; readonly probe: HttpProbeConfig } | null;
  readonly probe: { readonly traffic: readonly string[] };
  readonly approval: { readonly required: boolean; readonly timeoutMs: number };
  readonly window: WindowPolicy;
}

export interface PlanDeps {
  readonly repository: (name: string) => PlannedRepository | undefined;
  readonly repositoryNames: () => readonly string[];
  readonly guard: Scope;
  readonly postDeploy: Scope;
  readonly settleMs: number;
  /** How long a deploy or rollback goes on while its worker cannot reach Temporal. */
  readonly outageMs: number;
  /** The tracker's state for what ended degraded; by default there is none. */
  readonly degradedState?: string | null;
}

/** What a start must name a version for; `null`: nothing, or an external deployer may still name it. */
function whatNeedsVersion({ deploy, rollback, healthCheck, probe }: PlannedRepository): string | null {
  if (deploy.driver === 'external') return null;
  if (driverNeedsVersion(deploy)) return 'deploy driver';
  if (rollback !== null && driverNeedsVersion(rollback)) return 'rollback driver';
  const health = healthCheck === null ? null : needsVersion(healthCheck.probe);
  return health ?? (probe.traffic.some((url) => url.includes('{version}')) ? 'traffic' : null);
}

export function createPlanActivity(deps: PlanDeps) {
  const { repository, repositoryNames, guard, postDeploy, settleMs, outageMs, degradedState } = deps;
  const limits = (driver: DriverConfig) => ({
    idempotent: mayRepeat(driver),
    timeoutMs: driver.timeoutMs,
    outageMs,
  });
  return {
    /**
     * How a repository is deployed and watched, by the settings as they stand now; a run keeps to it until it ends.
     * @throws ApplicationFailure `UnknownRepository`, not retryable, that names the known ones.
     */
    async planDeploy({ repo }: { readonly repo: string }): Promise<DeployPlan> {
      const known = repository(repo);
      if (known === undefined) {
        throw ApplicationFailure.nonRetryable(
          `repository "${repo}" is not described in the settings (known: ${repositoryNames().join(', ')}); add it to ORCH_REPOSITORIES_FILE and restart the worker`,
          'UnknownRepository',
        );
      }
      const { name, selfHosting, deploy, rollback, healthCheck, approval, window } = known;
      return {
        repo: name,
        selfHosting,
        driver: { kind: deploy.driver, ...limits(deploy) },
        needsVersion: whatNeedsVersion(known),
        rollback: rollback === null ? null : limits(rollback),
        healthCheck: healthCheck === null ? null : { deadlineMs: healthCheck.deadlineMs },
        approval,
        window: applies(postDeploy, name) ? window : null,
        guarded: applies(guard, name),
        settleMs,
        ...(degradedState == null ? {} : { degradedState }),
      };
    },
  };
}

export type PlanActivity = ReturnType<typeof createPlanActivity>;
