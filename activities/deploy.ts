import { inspect } from 'node:util';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import {
  type DeployDriver,
  type DeployOperation,
  DeployOutcomeUnknown,
  type DeployResult,
  type DriverConfig,
  type DriverLog,
} from '../adapters/deploy/driver.ts';

export interface DriverRequest {
  /** As the plan spells it. */
  readonly repo: string;
  readonly workItem: string;
  readonly version: string | null;
  /** The same in every attempt. */
  readonly operationId: string;
}

export interface DeployDeps {
  readonly repository: (name: string) => { readonly deploy: DriverConfig } | undefined;
  readonly driverFor: (config: DriverConfig) => DeployDriver | null;
  readonly log: DriverLog;
}

/** Whether a driver may be run a second time for the same operation. */
export const mayRepeat = (config: DriverConfig): boolean => config.driver !== 'external' && config.idempotent;

/**
 * Runs a driver under the activity's heartbeats and cancellation.
 * @throws CancelledFailure where the workflow cancelled it, once nothing of it runs here any more.
 * @throws ApplicationFailure `DeployInterrupted` where it was cut off otherwise (the worker shuts down, the activity is
 * paused) or its outcome is not known; retryable where the driver is declared idempotent, and has not used up its time.
 */
export async function runDriver(
  driver: DeployDriver,
  config: DriverConfig,
  operation: DeployOperation,
  log: DriverLog,
): Promise<DeployResult> {
  const { cancellationSignal: signal, heartbeat } = Context.current();
  const { kind, operationId, repo, workItem } = operation;
  const fields = { work_item: workItem, repo, operation_id: operationId };
  const interrupted = (message: string, cause: unknown, retryable = true): ApplicationFailure =>
    ApplicationFailure.create({
      type: 'DeployInterrupted',
      message,
      nonRetryable: !(retryable && mayRepeat(config)),
      ...(cause instanceof Error ? { cause } : {}),
    });

  log.info(fields, `${kind} begins`);
  try {
    signal.throwIfAborted();
    const result = await driver.run(operation, { signal, heartbeat, log });
    log[result.ok ? 'info' : 'warn']({ ...fields, ...result }, `${kind} ${result.ok ? 'succeeded' : 'failed'}`);
    return result;
  } catch (error) {
    log.warn({ ...fields, err: error }, `${kind} was cut off`);
    if (error instanceof DeployOutcomeUnknown) throw interrupted(error.message, error, error.retryable);
    if (signal.aborted) {
      if (isWorkflowCancel(signal.reason)) throw signal.reason;
      throw interrupted(`the ${kind} was stopped half-way: ${wordsFor(signal.reason)}`, error);
    }
    const broke = `the driver broke, and nobody knows how far the ${kind} came`;
    throw interrupted(`${broke}: ${error instanceof Error ? error.message : inspect(error)}`, error, false);
  }
}

const isWorkflowCancel = (reason: unknown): boolean => reason instanceof Error && reason.message === 'CANCELLED';

function wordsFor(reason: unknown): string {
  const why = reason instanceof Error ? reason.message : String(reason);
  return why === 'WORKER_SHUTDOWN' ? 'its worker shut down' : `Temporal says ${why}`;
}

export function createDeploy({ repository, driverFor, log }: DeployDeps) {
  return {
    /** Deploys by the repository's driver. What goes wrong is a result; throws what `runDriver` throws. */
    async deploy({ repo, ...request }: DriverRequest): Promise<DeployResult> {
      const config = repository(repo)?.deploy;
      if (config === undefined) {
        return { ok: false, detail: `nothing was deployed: repository "${repo}" is not described in the settings` };
      }
      const driver = driverFor(config);
      if (driver === null) {
        return { ok: false, detail: `nothing was deployed: ${repo} is deployed by others (driver external)` };
      }
      return runDriver(driver, config, { kind: 'deploy', repo, ...request }, log);
    },
  };
}

export type Deploy = ReturnType<typeof createDeploy>;
