import { inspect } from 'node:util';
import { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import {
  type DeployDriver,
  DeployOutcomeUnknown,
  type DeployResult,
  type DriverConfig,
  type DriverLog,
  notBegun,
} from '../adapters/deploy/driver.ts';
import { fillsPreviousVersion, goesBackTo } from '../adapters/deploy/drivers.ts';
import { messageOf } from '../adapters/error-message.ts';
import { sameRepo } from '../decisions/index.ts';
import { asOfAllTries, type DriverRequest, runDriver, withoutDriver } from './deploy.ts';
import { type WorkerTime, workerTime } from './worker-clock.ts';

/** How long a rollback waits for the version before, where Temporal does not tell it, ms. Production is failing meanwhile. */
const LOOK_UP_MS = 20_000;

export const LOOKS_UP = 'looks up the version before';

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

/** How a rollback ended, and when. */
export interface RollbackResult extends DeployResult, WorkerTime {
  /** Nobody knows whether it worked; `ok` is false then. */
  readonly unknown?: true;
  /**
   * The version that runs after it, where it is known: as the deployer says, or the one that it was told to go back to. Absent: from
   * an earlier version.
   */
  readonly to?: string | null;
}

export function createRollback({ repository, driverFor, previousVersion, selfHostingRepo, log }: RollbackDeps) {
  async function attempt({ repo, ...request }: DriverRequest): Promise<DeployResult & { readonly to?: string | null }> {
    const found = repository(repo);
    if (found?.selfHosting === true || [repo, found?.name].some((name) => sameRepo(selfHostingRepo, name))) {
      return refusal(`refused: ${repo} is the orchestrator's own repository, which is never rolled back (BR-5)`);
    }
    const config = found?.rollback ?? null;
    const driver = config === null ? null : driverFor(config);
    if (config === null || driver === null) {
      return withoutDriver(
        'rollback',
        `nothing was rolled back: repository "${repo}" has no rollback driver in the settings`,
      );
    }
    const looked = await lookUp(found?.name ?? repo, request.version);
    if (looked.fault !== undefined && fillsPreviousVersion(config))
      return refusal(`nothing was rolled back: the version before could not be looked up: ${looked.fault}`);
    const previous = looked.version ?? null;
    const operation = { kind: 'rollback', repo, ...request, previousVersion: previous } as const;
    const told = goesBackTo(config) ? previous : null;
    try {
      const result = await runDriver(driver, config, operation, log);
      // A deployer may repeat the version that it was told to leave.
      const { version = request.version } = result;
      return { ...result, to: version === request.version ? told : version };
    } catch (error) {
      return { ...asResult(error), to: told };
    }

    function refusal(detail: string): DeployResult {
      log.error({ work_item: request.workItem, repo, operation_id: request.operationId }, detail);
      return asOfAllTries('rollback', notBegun(detail));
    }
  }

  /** The version before, tried again for some seconds: without it a driver may have nothing to go back to. */
  async function lookUp(
    repo: string,
    version: string | null,
  ): Promise<{ readonly version?: string | null; readonly fault?: string }> {
    const context = Context.current();
    const until = performance.now() + LOOK_UP_MS;
    for (;;) {
      try {
        return { version: await previousVersion(repo, version) };
      } catch (error) {
        if (performance.now() > until) {
          log.warn({ repo, err: error }, 'the version before could not be looked up');
          return { fault: messageOf(error) };
        }
        context.heartbeat(LOOKS_UP);
        await context.sleep(1_000);
      }
    }
  }

  return {
    /**
     * Rolls production back by the repository's rollback driver (`run_rollback`). What goes wrong is a result, and logged.
     * @throws only where it was stopped half-way (CancelledFailure, ApplicationFailure `DeployInterrupted`), where an
     * idempotent driver is to be tried again because nobody knows whether it worked (`DeployInterrupted`), or where this worker
     * has no driver for it (`NotDescribedHere`).
     */
    async rollback(request: DriverRequest): Promise<RollbackResult> {
      const { currentAttemptScheduledTimestampMs } = Context.current().info;
      const begunAt = performance.now();
      const now = () => workerTime(Math.round(currentAttemptScheduledTimestampMs + performance.now() - begunAt));
      try {
        return { ...(await attempt(request)), ...now() };
      } catch (error) {
        return { ...asResult(error), ...now() };
      }
    },
  };
}

/** What went wrong as a result. @throws what must be raised: a rollback that was stopped half-way, or is to be tried again. */
function asResult(error: unknown): Pick<RollbackResult, 'ok' | 'detail' | 'unknown'> {
  if (error instanceof CancelledFailure) throw error;
  const failure = error instanceof ApplicationFailure ? error : null;
  if (failure?.type === 'NotDescribedHere') throw error;
  const interrupted = failure?.type === 'DeployInterrupted';
  if (interrupted && (failure?.nonRetryable !== true || Context.current().cancellationSignal.aborted)) throw error;
  const unknown = interrupted || error instanceof DeployOutcomeUnknown;
  const detail = error instanceof Error ? error.message : inspect(error);
  return { ok: false, detail, ...(unknown ? { unknown: true } : {}) };
}

export type Rollback = ReturnType<typeof createRollback>;
