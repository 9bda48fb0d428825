import { ApplicationFailure } from '@temporalio/common';
import { applies, type Scope, type WindowPolicy } from '../decisions/index.ts';
import type { DeployPlan } from './deploy-plan.ts';

type Driver =
  | { readonly driver: 'command' | 'webhook'; readonly idempotent: boolean; readonly timeoutMs: number }
  | { readonly driver: 'external'; readonly timeoutMs: number };

interface PlannedRepository {
  readonly name: string;
  readonly selfHosting: boolean;
  readonly deploy: Driver;
  readonly rollback: Driver | null;
  readonly healthCheck: { readonly deadlineMs: number } | null;
  readonly approval: { readonly required: boolean; readonly timeoutMs: number };
  readonly window: WindowPolicy;
}

export interface PlanDeps {
  readonly repository: (name: string) => PlannedRepository | undefined;
  readonly repositoryNames: () => readonly string[];
  readonly guard: Scope;
  readonly postDeploy: Scope;
  readonly settleMs: number;
}

const idempotent = (driver: Driver): boolean => driver.driver !== 'external' && driver.idempotent;

export function createPlanActivity({ repository, repositoryNames, guard, postDeploy, settleMs }: PlanDeps) {
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
        driver: { kind: deploy.driver, idempotent: idempotent(deploy), timeoutMs: deploy.timeoutMs },
        rollback: rollback === null ? null : { idempotent: idempotent(rollback), timeoutMs: rollback.timeoutMs },
        healthCheck: healthCheck === null ? null : { deadlineMs: healthCheck.deadlineMs },
        approval,
        window: applies(postDeploy, name) ? window : null,
        guarded: applies(guard, name),
        settleMs,
      };
    },
  };
}

export type PlanActivity = ReturnType<typeof createPlanActivity>;
