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
import { driverStuckSignal } from '../workflows/messages.ts';
import { createFence, type Fence } from './fence.ts';

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
 * Runs a driver under the activity's heartbeats and cancellation. It outlives an outage of Temporal, and is ended before Temporal
 * may give it to another worker.
 * @throws CancelledFailure where the workflow cancelled it, once nothing of it runs here any more.
 * @throws ApplicationFailure `DeployInterrupted` where it was cut off otherwise (the worker shuts down, the activity is
 * paused, Temporal is away for too long) or its outcome is not known; retryable where the driver is declared idempotent, and has
 * not used up its time.
 */
export async function runDriver(
  driver: DeployDriver,
  config: DriverConfig,
  operation: DeployOperation,
  log: DriverLog,
): Promise<DeployResult> {
  const fence = createFence(Context.current());
  try {
    return await runFenced(fence, driver, config, operation, log);
  } finally {
    // Also of what was thrown: the end of it may be all that a person has to go by.
    await fence.answered();
    fence.release();
  }
}

async function runFenced(
  fence: Fence,
  driver: DeployDriver,
  config: DriverConfig,
  operation: DeployOperation,
  log: DriverLog,
): Promise<DeployResult> {
  const context = Context.current();
  const { heartbeat } = fence;
  const signal = AbortSignal.any([context.cancellationSignal, fence.signal]);
  const { kind, operationId, repo, workItem } = operation;
  const fields = { work_item: workItem, repo, operation_id: operationId };
  const interrupted = (message: string, cause: unknown, retryable = true): ApplicationFailure =>
    ApplicationFailure.create({
      type: 'DeployInterrupted',
      message,
      nonRetryable: !(retryable && mayRepeat(config)),
      ...(cause instanceof Error ? { cause } : {}),
    });

  /** By its workflow, which keeps notes and sends alerts. */
  const callSomebody = async (text: string): Promise<void> => {
    try {
      const { workflowId, runId } = context.info.workflowExecution ?? {};
      if (workflowId === undefined) throw new Error('no workflow has asked for it');
      await context.client.workflow.getHandle(workflowId, runId).signal(driverStuckSignal, { kind, text });
    } catch (error) {
      log.warn({ ...fields, err: error }, 'the driver needs a person, but its workflow could not be signalled');
      throw error;
    }
  };

  log.info(fields, `${kind} begins`);
  try {
    signal.throwIfAborted();
    const result = asOfAllTries(kind, await driver.run(operation, { signal, heartbeat, callSomebody, log }));
    log[result.ok ? 'info' : 'warn']({ ...fields, ...result }, `${kind} ${result.ok ? 'succeeded' : 'failed'}`);
    return result;
  } catch (error) {
    log.warn({ ...fields, err: error }, `${kind} was cut off`);
    if (error instanceof DeployOutcomeUnknown) throw interrupted(error.message, error, error.retryable);
    if (signal.aborted) {
      if (isWorkflowCancel(signal.reason)) throw signal.reason;
      const why = context.cancellationSignal.aborted ? wordsFor(signal.reason) : fence.signal.reason.message;
      throw interrupted(`the ${kind} was stopped half-way: ${why}`, error);
    }
    const broke = `the driver broke, and nobody knows how far the ${kind} came`;
    throw interrupted(`${broke}: ${error instanceof Error ? error.message : inspect(error)}`, error, false);
  }
}

/**
 * The result of a try, without `begun`: one that did not begin says nothing of those before it.
 * @throws DeployOutcomeUnknown where it did not, and an earlier one may have.
 */
export function asOfAllTries(kind: DeployOperation['kind'], { begun, ...result }: DeployResult): DeployResult {
  const { attempt } = Context.current().info;
  if (begun !== false || attempt === 1) return result;
  throw new DeployOutcomeUnknown(mayHaveBegun(kind, result.detail));
}

const mayHaveBegun = (kind: DeployOperation['kind'], detail: string): string =>
  `nobody knows whether the ${kind} has happened: an earlier try may have begun it, and try ${Context.current().info.attempt} could not: ${detail}`;

/**
 * Where a worker has no driver to run, as its settings are not those that the plan was made from: nothing has begun, and another
 * worker may have one.
 * @throws ApplicationFailure `NotDescribedHere`, or `DeployInterrupted` where an earlier try may have begun something.
 */
export function withoutDriver(kind: DeployOperation['kind'], detail: string): never {
  const { attempt } = Context.current().info;
  if (attempt === 1) throw ApplicationFailure.nonRetryable(detail, 'NotDescribedHere');
  throw ApplicationFailure.nonRetryable(mayHaveBegun(kind, detail), 'DeployInterrupted');
}

const isWorkflowCancel = (reason: unknown): boolean => reason instanceof Error && reason.message === 'CANCELLED';

function wordsFor(reason: unknown): string {
  const why = reason instanceof Error ? reason.message : String(reason);
  return why === 'WORKER_SHUTDOWN' ? 'its worker shut down' : `Temporal says ${why}`;
}

export function createDeploy({ repository, driverFor, log }: DeployDeps) {
  return {
    /** Deploys by the repository's driver. What goes wrong is a result; throws what `runDriver` and `withoutDriver` throw. */
    async deploy({ repo, ...request }: DriverRequest): Promise<DeployResult> {
      const config = repository(repo)?.deploy;
      if (config === undefined) {
        return withoutDriver('deploy', `nothing was deployed: repository "${repo}" is not described in the settings`);
      }
      const driver = driverFor(config);
      if (driver === null) {
        return withoutDriver('deploy', `nothing was deployed: ${repo} is deployed by others (driver external)`);
      }
      return runDriver(driver, config, { kind: 'deploy', repo, ...request }, log);
    },
  };
}

export type Deploy = ReturnType<typeof createDeploy>;
