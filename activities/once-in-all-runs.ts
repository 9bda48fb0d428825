import { Context } from '@temporalio/activity';
import { type DeployDriver, DeployOutcomeUnknown, type DriverConfig } from '../adapters/deploy/driver.ts';
import type { AskedOperation, EarlierOutcome } from '../adapters/temporal/earlier-runs.ts';
import { mayRepeat } from './deploy.ts';

/**
 * Drivers that do not run an operation again which an earlier run of the workflow has begun: after `temporal workflow reset` the run
 * asks for it once more. Its result is taken from the history before the reset; where that has none, nobody knows how it ended.
 * What is declared idempotent runs again.
 * @param earlierOutcome `null`: no earlier run has begun it
 */
export const onceInAllRuns =
  (
    driverFor: (config: DriverConfig) => DeployDriver | null,
    earlierOutcome: (operation: AskedOperation) => Promise<EarlierOutcome | null>,
  ) =>
  (config: DriverConfig): DeployDriver | null => {
    const driver = driverFor(config);
    if (driver === null || mayRepeat(config)) return driver;
    return {
      async run(operation, run) {
        const { workflowId = '', runId = '' } = Context.current().info.workflowExecution ?? {};
        const { kind, operationId } = operation;
        const earlier = await earlierOutcome({ kind, operationId, workflowId, runId });
        if (earlier === null) return driver.run(operation, run);
        if ('unknown' in earlier) throw new DeployOutcomeUnknown(earlier.unknown, { retryable: false });
        const { ok, detail, version } = earlier;
        const known = { ok, detail: `${detail} (it ran before the reset of its workflow, and not again)` };
        return version === undefined ? known : { ...known, version };
      },
    };
  };
