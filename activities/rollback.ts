import { inspect } from 'node:util';
import { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { DeployDriver, DeployResult, DriverConfig, DriverLog } from '../adapters/deploy/driver.ts';
import { sameRepo } from '../decisions/index.ts';
import { type DriverRequest, runDriver, withoutDriver } from './deploy.ts';

export interface RollbackDeps {
  readonly repository: (
    name: string,
  ) => { readonly name: string; readonly selfHosting: boolean; readonly rollback: DriverConfig | null } | undefined;
  readonly driverFor: (config: DriverConfig) => DeployDriver | null;
  /** The version before, of the last run of the repository that ended `done`; `null`: none is known. */
  readonly previousVersion: (repo: string, version: string | null) => Promise<string | null>;
  /** The orchestrator's own repository, asked for here once more: no mistake in a description lifts BR-5. */
  readonly selfHostingRepo: string;
  readonly log: DriverLog;
}

export interface RollbackResult extends DeployResult {
  /** When it ended, by this worker's clock, epoch ms. */
  readonly at: number;
}

export function createRollback({ repository, driverFor, previousVersion, selfHostingRepo, log }: RollbackDeps) {
  async function attempt({ repo, ...request }: DriverRequest): Promise<DeployResult> {
    const found = repository(repo);
    if (found?.selfHosting === true || [repo, found?.name].some((name) => sameRepo(selfHostingRepo, name))) {
      return refusal(`refused: ${repo} is the orchestrator's own repository, which is never rolled back (BR-5)`);
    }
    const config = found?.rollback ?? null;
    const driver = config === null ? null : driverFor(config);
    if (config === null || driver === null) {
      return refusal(`nothing was rolled back: repository "${repo}" has no rollback driver in the settings`);
    }
    // It helps the driver to choose; a rollback does not wait or fail for it.
    const previous = await previousVersion(found?.name ?? repo, request.version).catch((error: unknown) => {
      log.warn({ repo, err: error }, 'the version before could not be looked up');
      return null;
    });
    return runDriver(driver, config, { kind: 'rollback', repo, ...request, previousVersion: previous }, log);

    function refusal(detail: string): DeployResult {
      log.error({ work_item: request.workItem, repo, operation_id: request.operationId }, detail);
      return withoutDriver('rollback', detail);
    }
  }

  return {
    /**
     * Rolls production back by the repository's rollback driver (`run_rollback`). What goes wrong is a result, and logged.
     * @throws only where it was stopped half-way (CancelledFailure, ApplicationFailure `DeployInterrupted`), or where an
     * idempotent driver is to be tried again because nobody knows whether it worked (`DeployInterrupted`).
     */
    async rollback(request: DriverRequest): Promise<RollbackResult> {
      try {
        return { ...(await attempt(request)), at: Date.now() };
      } catch (error) {
        if (mustBeRaised(error)) throw error;
        return { ok: false, detail: error instanceof Error ? error.message : inspect(error), at: Date.now() };
      }
    },
  };
}

function mustBeRaised(error: unknown): boolean {
  if (error instanceof CancelledFailure) return true;
  if (!(error instanceof ApplicationFailure) || error.type !== 'DeployInterrupted') return false;
  return error.nonRetryable !== true || Context.current().cancellationSignal.aborted;
}

export type Rollback = ReturnType<typeof createRollback>;
